package automata

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name: "ngram",
		Doc: "Interpolated n-gram model of event symbols (Witten-Bell); the score is the negative " +
			"log-likelihood per event.",
		Paper: "I. H. Witten, T. C. Bell, The Zero-Frequency Problem, IEEE Transactions on Information Theory 37, " +
			"1991",
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
	return models.NewFitted(models.Method[*ngram]{
		Name: "ngram", Spec: s, Reads: models.ReadsSymbols, Min: 1, Fit: m.fit, Load: m.load,
	}), nil
}

// ngram is a tree of contexts, each the child of the one that lacks its earliest symbol.
type ngram struct {
	spec   NGramSpec
	env    models.Env
	k      int // symbols
	nodes  []contextNode
	child  map[contextSymbol]int32
	counts map[contextSymbol]float64 // of the symbols after a context
}

// contextNode is one context: how many symbols followed it, and how many different ones.
type contextNode struct{ total, types float64 }

// contextSymbol is a context and a symbol before or after it.
type contextSymbol struct{ node, symbol int32 }

// Symbols that no alphabet has. data.UnknownSymbol is −1.
const (
	endOfTrace   int32 = -2
	startOfTrace int32 = -3
)

func (m ngram) fit(ctx context.Context, train *data.Set) (*ngram, error) {
	m.k, m.nodes = len(train.Alphabet), []contextNode{{}}
	m.child, m.counts = map[contextSymbol]int32{}, map[contextSymbol]float64{}
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
			m.learn(word, i, word[i])
		}
		if m.spec.End {
			m.learn(word, len(word), endOfTrace)
		}
	}
	if events == 0 {
		return nil, fmt.Errorf("%w: %d traces without a symbol", models.ErrInput, train.N)
	}
	return &m, nil
}

// learn counts symbol a after the contexts that end before place i of a word.
func (m *ngram) learn(word []int32, i int, a int32) {
	node := int32(0)
	for depth := 0; ; depth++ {
		e := contextSymbol{node, a}
		if m.counts[e] == 0 {
			m.nodes[node].types++
		}
		m.counts[e]++
		m.nodes[node].total++
		if depth+1 >= m.spec.N || i-depth < 0 {
			return
		}
		e = contextSymbol{node, before(word, i-depth)}
		next, ok := m.child[e]
		if !ok {
			next = int32(len(m.nodes))
			m.nodes = append(m.nodes, contextNode{})
			m.child[e] = next
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
		c := m.nodes[node]
		p = (m.counts[contextSymbol{node, a}] + c.types*p) / (c.total + c.types)
		if depth+1 >= m.spec.N || i-depth < 0 {
			break
		}
		next, ok := m.child[contextSymbol{node, before(word, i-depth)}]
		if !ok {
			break
		}
		node = next
	}
	return -math.Log(p)
}

// Score is the mean surprisal of a trace's events, or as aggregate says.
func (m *ngram) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	err := m.env.Blocks(ctx, s.N, 256, func(from, to int) {
		for t := from; t < to; t++ {
			out[t] = m.trace(s.Traces[t].Symbols)
		}
	})
	return out, err
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
	links := make([]int32, 2*(len(m.nodes)-1))
	for e, node := range m.child {
		links[2*(node-1)], links[2*(node-1)+1] = e.node, e.symbol
	}
	edges := make([]contextSymbol, 0, len(m.counts))
	for e := range m.counts {
		edges = append(edges, e)
	}
	slices.SortFunc(edges, func(a, b contextSymbol) int {
		if a.node != b.node {
			return int(a.node - b.node)
		}
		return int(a.symbol - b.symbol)
	})
	var at []int32
	var counts []float64
	for _, e := range edges {
		at, counts = append(at, e.node, e.symbol), append(counts, m.counts[e])
	}
	return nil, models.Arrays{"contexts": links, "edges": at, "counts": counts}, nil
}

func (m ngram) load(st models.State) (*ngram, error) {
	m.k = len(st.Alphabet)
	links, err := models.Array[int32](st.Arrays, "contexts", -1)
	if err != nil {
		return nil, err
	}
	counts, err := models.Array[float64](st.Arrays, "counts", -1)
	if err != nil {
		return nil, err
	}
	at, err := models.Array[int32](st.Arrays, "edges", 2*len(counts))
	if err != nil {
		return nil, err
	}
	if len(links)%2 != 0 || len(counts) == 0 {
		return nil, fmt.Errorf("%d symbols, %d counts", m.k, len(counts))
	}
	m.nodes = make([]contextNode, len(links)/2+1)
	m.child, m.counts = map[contextSymbol]int32{}, map[contextSymbol]float64{}
	for i := range len(links) / 2 {
		e := contextSymbol{links[2*i], links[2*i+1]}
		_, twice := m.child[e]
		// a context comes after the one that it extends
		if e.node < 0 || int(e.node) > i || e.symbol < startOfTrace || int(e.symbol) >= m.k || twice {
			return nil, fmt.Errorf("context %d", i+1)
		}
		m.child[e] = int32(i + 1)
	}
	for i, n := range counts {
		e := contextSymbol{at[2*i], at[2*i+1]}
		_, twice := m.counts[e]
		if e.node < 0 || int(e.node) >= len(m.nodes) || e.symbol < endOfTrace || int(e.symbol) >= m.k || twice ||
			!(n > 0 && n <= 1<<53) {
			return nil, fmt.Errorf("count %d", i)
		}
		m.counts[e] = n
		m.nodes[e.node].total += n
		m.nodes[e.node].types++
	}
	for i, c := range m.nodes {
		if c.total == 0 {
			return nil, fmt.Errorf("nothing follows context %d", i)
		}
	}
	return &m, nil
}
