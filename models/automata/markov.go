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
		Name: "markov",
		Doc:  "Markov chain over event symbols; the score is the negative log-likelihood per event.",
		Paper: "N. Ye, A Markov Chain Model of Temporal Behavior for Anomaly Detection, IEEE SMC Information " +
			"Assurance Workshop 2000",
		Needs:    models.Needs{Input: data.Traces},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &MarkovSpec{Order: 1, Smoothing: 1, Aggregate: "mean"} },
	})
}

// MarkovSpec configures markov. With context c_i, the Order symbols before a_i (fewer at the beginning,
// where contexts are counted apart), counts n from the training traces, and K symbols and one for the
// unknown,
//
//	P(a|c) = (n(c,a) + α) / (n(c) + α·(K+1))
//	score  = −(1/t)·Σ_i ln P(a_i|c_i)
//
// A context that was never seen gives the uniform distribution. Fit and Score cost O(events).
type MarkovSpec struct {
	// symbols of context; 0 counts symbols alone
	Order int `yaml:"order" jsonschema:"minimum=0,maximum=3"`
	// α, added to every count; 1 is Laplace's
	Smoothing float64 `yaml:"smoothing" jsonschema:"exclusiveMinimum=0,maximum=1000"`
	// score of a trace: mean, largest or sum over its events, or the last event's
	Aggregate string `yaml:"aggregate" jsonschema:"enum=mean,enum=max,enum=sum,enum=last"`
}

// New checks the values.
func (s *MarkovSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("markov", s); err != nil {
		return nil, err
	}
	m := markov{spec: *s, env: env}
	return &markovDetector{models.NewFitted(models.Method[*markov]{
		Name: "markov", Spec: s, Reads: models.ReadsSymbols, Min: 1, Fit: m.fit, Load: m.load,
	})}, nil
}

// markovDetector is the detector.
type markovDetector struct{ *models.Fitted[*markov] }

// markov keeps its counts as sorted arrays: contexts by key, and the symbols seen after each.
type markov struct {
	spec     MarkovSpec
	env      models.Env
	k        int // symbols
	contexts []context64
	symbols  []int32
	counts   []float64
}

// context64 is one context: its key, the sum of its counts, and where its symbols end.
type context64 struct {
	key   uint64
	total float64
	end   int32
}

// contextKey packs the length and the symbols of a context. Symbols take 20 bits each.
func contextKey(before []int32) uint64 {
	key := uint64(len(before))
	for _, a := range before {
		key = key<<20 | uint64(a+1) // unknown is 0
	}
	return key
}

const maxAlphabet = 1<<20 - 2

func (m *markov) before(word []int32, i int) []int32 { return word[max(0, i-m.spec.Order):i] }

func (m markov) fit(ctx context.Context, train *data.Set) (*markov, error) {
	if len(train.Alphabet) > maxAlphabet {
		return nil, fmt.Errorf("%w: an alphabet of %d symbols, at most %d", models.ErrInput, len(train.Alphabet),
			maxAlphabet)
	}
	type cell struct {
		key uint64
		sym int32
	}
	n := map[cell]float64{}
	events := 0
	for t := range train.Traces {
		if t%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		word := train.Traces[t].Symbols
		for i, a := range word {
			if i%65536 == 65535 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			n[cell{contextKey(m.before(word, i)), a}]++
			events++
		}
	}
	if events == 0 {
		return nil, fmt.Errorf("%w: %d traces without a symbol", models.ErrInput, train.N)
	}
	cells := make([]cell, 0, len(n))
	for c := range n {
		cells = append(cells, c)
	}
	slices.SortFunc(cells, func(a, b cell) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return int(a.sym - b.sym)
	})
	m.k = len(train.Alphabet)
	for _, c := range cells {
		if last := len(m.contexts) - 1; last < 0 || m.contexts[last].key != c.key {
			m.contexts = append(m.contexts, context64{key: c.key})
		}
		at := &m.contexts[len(m.contexts)-1]
		m.symbols = append(m.symbols, c.sym)
		m.counts = append(m.counts, n[c])
		at.total += n[c]
		at.end = int32(len(m.symbols))
	}
	return &m, nil
}

// surprisal is −ln P(a|before).
func (m *markov) surprisal(before []int32, a int32) float64 {
	alpha := m.spec.Smoothing
	room := alpha * float64(m.k+1)
	i, ok := m.find(contextKey(before))
	if !ok {
		return math.Log(float64(m.k + 1))
	}
	from := m.begin(i)
	seen := 0.0
	if j, ok := slices.BinarySearch(m.symbols[from:m.contexts[i].end], a); ok {
		seen = m.counts[int(from)+j]
	}
	return math.Log((m.contexts[i].total + room) / (seen + alpha))
}

// Score is the mean surprisal of a trace's events, or as aggregate says.
func (m *markov) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	err := m.env.Blocks(ctx, s.N, 256, func(from, to int) {
		for t := from; t < to; t++ {
			out[t] = m.trace(s.Traces[t].Symbols)
		}
	})
	return out, err
}

// trace scores one trace; an empty one scores 0.
func (m *markov) trace(word []int32) float64 {
	sum, top, last := 0.0, 0.0, 0.0
	for i, a := range word {
		last = m.surprisal(m.before(word, i), a)
		sum += last
		top = max(top, last)
	}
	return aggregated(m.spec.Aggregate, sum, top, last, len(word))
}

// aggregated is a trace's score by a rule, from the sum, the largest and the last of n events' scores. No events
// have 0.
func aggregated(rule string, sum, top, last float64, n int) float64 {
	switch {
	case n == 0 || rule == "sum":
		return sum
	case rule == "max":
		return top
	case rule == "last":
		return last
	}
	return sum / float64(n)
}

// State has the context keys as two halves of 32 bits.
func (m *markov) State() (any, models.Arrays, error) {
	var keys, ends []int32
	for _, c := range m.contexts {
		keys = append(keys, int32(uint32(c.key>>32)), int32(uint32(c.key)))
		ends = append(ends, c.end)
	}
	return nil, models.Arrays{"keys": keys, "ends": ends, "symbols": m.symbols, "counts": m.counts}, nil
}

func (m markov) load(st models.State) (_ *markov, err error) {
	m.k = len(st.Alphabet)
	if m.symbols, err = models.Array[int32](st.Arrays, "symbols", -1); err != nil {
		return nil, err
	}
	if m.counts, err = models.Array[float64](st.Arrays, "counts", len(m.symbols)); err != nil {
		return nil, err
	}
	ends, err := models.Array[int32](st.Arrays, "ends", -1)
	if err != nil {
		return nil, err
	}
	keys, err := models.Array[int32](st.Arrays, "keys", 2*len(ends))
	if err != nil {
		return nil, err
	}
	if m.k > maxAlphabet || len(ends) == 0 || int(ends[len(ends)-1]) != len(m.symbols) {
		return nil, fmt.Errorf("%d symbols, %d contexts", m.k, len(ends))
	}
	from := int32(0)
	for i, end := range ends {
		c := context64{key: uint64(uint32(keys[2*i]))<<32 | uint64(uint32(keys[2*i+1])), end: end}
		if end <= from || int(end) > len(m.symbols) || i > 0 && c.key <= m.contexts[i-1].key {
			return nil, fmt.Errorf("context %d is out of order", i)
		}
		for j := from; j < end; j++ {
			if !(m.counts[j] > 0 && m.counts[j] <= 1<<53) || j > from && m.symbols[j] <= m.symbols[j-1] ||
				m.symbols[j] < data.UnknownSymbol || int(m.symbols[j]) >= m.k {
				return nil, fmt.Errorf("count %d", j)
			}
			c.total += m.counts[j]
		}
		m.contexts = append(m.contexts, c)
		from = end
	}
	return &m, nil
}

var _ models.Detector = (*markovDetector)(nil)
