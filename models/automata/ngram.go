package automata

import (
	"context"
	"errors"
	"fmt"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
)

func init() {
	models.Register(models.Info{
		Name: "ngram",
		Doc: "Interpolated n-gram model of event symbols (Witten-Bell); the score is the negative " +
			"log-likelihood per event.",
		Paper: "I. H. Witten, T. C. Bell, The Zero-Frequency Problem: Estimating the Probabilities of Novel Events " +
			"in Adaptive Text Compression, IEEE Transactions on Information Theory 37, 1991",
		Needs:    models.Needs{Input: data.Traces},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &NGramSpec{N: 3, End: true, Aggregate: "mean"} },
	})
}

// NGramSpec configures ngram. With c the N−1 symbols before a symbol a, c′ the same without the first of them,
// n counts from the training traces and T(c) the number of different symbols that were seen after c,
//
//	P(a|c) = (n(c,a) + T(c)·P(a|c′)) / (n(c) + T(c))
//	score  = −(1/t)·Σ_i ln P(a_i|c_i)
//
// down to P(a) = 1/(K+2) for K symbols, an unknown one and the end. A context that was never seen passes its
// symbols on to the shorter one. The beginning of a trace is a symbol of contexts. With End, the end of a trace
// is an event like others, the t+1st. Fit and Score cost O(N·events).
type NGramSpec struct {
	// symbols of an n-gram, the one that is judged among them
	N int `yaml:"n" jsonschema:"minimum=1,maximum=16"`
	// the end of a trace is an event of its own; not where traces are windows of longer ones
	End bool `yaml:"end"`
	// score of a trace: mean, largest or sum over its events, or the last symbol's
	Aggregate string `yaml:"aggregate" jsonschema:"enum=mean,enum=max,enum=sum,enum=last"`
}

// New checks the values.
func (s *NGramSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("ngram", s); err != nil {
		return nil, err
	}
	m := ngram{spec: *s, env: env}
	return &ngramDetector{models.NewFitted(models.Method[*ngram]{
		Name: "ngram", Spec: s, Reads: models.ReadsSymbols, Min: 1, Fit: m.fit, Load: m.load,
	})}, nil
}

// ngram is a tree of contexts, each the child of the one that lacks its earliest symbol, and the counts after them.
type ngram struct {
	spec   NGramSpec
	env    models.Env
	k      int // symbols
	child  map[contextSymbol[int32]]int32
	counts *contextCounts[int32]
}

func (m ngram) fit(ctx context.Context, train *data.Set) (*ngram, error) {
	m.k, m.child = len(train.Alphabet), map[contextSymbol[int32]]int32{}
	seen := newCounter[int32]()
	events := 0
	for t := range train.Traces {
		if t%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		word := train.Traces[t].Symbols
		events += len(word)
		for i := range word {
			if i%65536 == 65535 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			m.learn(seen, word, i, word[i])
		}
		if m.spec.End {
			m.learn(seen, word, len(word), endOfTrace)
		}
	}
	if events == 0 {
		return nil, fmt.Errorf("%w: %d traces without a symbol", models.ErrInput, train.N)
	}
	m.counts = seen.counts(1)
	return &m, nil
}

// learn counts symbol a after the contexts that end before place i of a word.
func (m *ngram) learn(seen *counter[int32], word []int32, i int, a int32) {
	node := int32(0)
	for depth := 0; ; depth++ {
		seen.add(node, a)
		if depth+1 >= m.spec.N || i-depth < 0 {
			return
		}
		longer := contextSymbol[int32]{node, before(word, i-depth)}
		next, ok := m.child[longer]
		if !ok {
			next = int32(len(m.child) + 1)
			m.child[longer] = next
		}
		node = next
	}
}

// before is the symbol before place i of a word.
func before(word []int32, i int) int32 {
	if i == 0 {
		return startOfTrace
	}
	return word[i-1]
}

// surprisal is −ln P(a | what is before place i of the word).
func (m *ngram) surprisal(word []int32, i int, a int32) float64 {
	p := 1 / float64(m.k+2)
	node := int32(0)
	for depth := 0; ; depth++ {
		// every node has counts, so that its place among the contexts is its number
		total, types := m.counts.total[node], m.counts.types(int(node))
		p = (m.counts.of(int(node), a) + float64(types*p)) / (total + types)
		if depth+1 >= m.spec.N || i-depth < 0 {
			break
		}
		next, ok := m.child[contextSymbol[int32]{node, before(word, i-depth)}]
		if !ok {
			break
		}
		node = next
	}
	return -elementary.Log(p)
}

// Score is the mean surprisal of a trace's events, or as aggregate says.
func (m *ngram) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	return scoreTraces(ctx, m.env, s, m.trace)
}

// trace scores one trace. An empty one has its end alone, and without that scores 0.
func (m *ngram) trace(word []int32) float64 {
	sum, top, last, n := 0.0, 0.0, 0.0, len(word)
	for i, a := range word {
		last = m.surprisal(word, i, a)
		sum += last
		top = max(top, last)
	}
	if m.spec.End {
		end := m.surprisal(word, len(word), endOfTrace)
		sum += end
		top = max(top, end)
		n++
	}
	return aggregated(m.spec.Aggregate, sum, top, last, n)
}

// State is the contexts by parent and symbol, and the counts, both in order.
func (m *ngram) State() (any, models.Arrays, error) {
	links := make([]contextSymbol[int32], len(m.child))
	for link, node := range m.child {
		links[node-1] = link
	}
	return nil, models.Arrays{"contexts": flat(links), "edges": flat(m.counts.pairs()), "counts": m.counts.times}, nil
}

func (m ngram) load(st models.State) (*ngram, error) {
	m.k, m.child = len(st.Alphabet), map[contextSymbol[int32]]int32{}
	links, err1 := models.Array[int32](st.Arrays, "contexts", -1)
	times, err2 := models.Array[float64](st.Arrays, "counts", -1)
	edges, err3 := models.Array[int32](st.Arrays, "edges", 2*len(times))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if len(links)%2 != 0 {
		return nil, fmt.Errorf("%d numbers for contexts", len(links))
	}
	for i, link := range paired(links) {
		_, twice := m.child[link]
		// a context comes after the one that it extends
		if link.context < 0 || int(link.context) > i || link.symbol < startOfTrace || int(link.symbol) >= m.k || twice {
			return nil, fmt.Errorf("context %d", i+1)
		}
		m.child[link] = int32(i + 1)
	}
	counts, err := restoreCounts(paired(edges), times, endOfTrace, m.k, 1<<53)
	if err != nil {
		return nil, err
	}
	for i := range len(m.child) + 1 {
		if i >= len(counts.contexts) || int(counts.contexts[i]) != i {
			return nil, fmt.Errorf("nothing follows context %d", i)
		}
	}
	if len(counts.contexts) > len(m.child)+1 {
		return nil, fmt.Errorf("counts of %d contexts of %d", len(counts.contexts), len(m.child)+1)
	}
	m.counts = counts
	return &m, nil
}
