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
		Name: "markov",
		Doc:  "Markov chain over event symbols; the score is the negative log-likelihood per event.",
		Paper: "N. Ye, A Markov Chain Model of Temporal Behavior for Anomaly Detection, IEEE SMC Information " +
			"Assurance and Security Workshop 2000",
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

// markov is the settings and the counts by contexts' keys.
type markov struct {
	spec   MarkovSpec
	env    models.Env
	k      int // symbols
	counts *contextCounts[uint64]
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
	seen := newCounter[uint64]()
	for t := range train.Traces {
		if t%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		word := train.Traces[t].Symbols
		for i, a := range word {
			if i%65536 == 65535 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			seen.add(contextKey(m.before(word, i)), a)
		}
	}
	if seen.total == 0 {
		return nil, fmt.Errorf("%w: %d traces without a symbol", models.ErrInput, train.N)
	}
	m.k, m.counts = len(train.Alphabet), seen.counts(1)
	return &m, nil
}

// surprisal is −ln P(a|before).
func (m *markov) surprisal(before []int32, a int32) float64 {
	alpha := m.spec.Smoothing
	i, ok := m.counts.find(contextKey(before))
	if !ok {
		return elementary.Log(float64(m.k + 1))
	}
	return elementary.Log((m.counts.total[i] + float64(alpha*float64(m.k+1))) / (m.counts.of(i, a) + alpha))
}

// Score is the mean surprisal of a trace's events, or as aggregate says.
func (m *markov) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	return scoreTraces(ctx, m.env, s, m.trace)
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

// State has the context keys as two halves of 32 bits.
func (m *markov) State() (any, models.Arrays, error) {
	c := m.counts
	var keys []int32
	for _, key := range c.contexts {
		keys = append(keys, int32(uint32(key>>32)), int32(uint32(key)))
	}
	return nil, models.Arrays{"keys": keys, "ends": c.end, "symbols": c.symbols, "counts": c.times}, nil
}

func (m markov) load(st models.State) (_ *markov, err error) {
	symbols, err1 := models.Array[int32](st.Arrays, "symbols", -1)
	times, err2 := models.Array[float64](st.Arrays, "counts", len(symbols))
	ends, err3 := models.Array[int32](st.Arrays, "ends", -1)
	keys, err4 := models.Array[int32](st.Arrays, "keys", 2*len(ends))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	if m.k = len(st.Alphabet); m.k > maxAlphabet {
		return nil, fmt.Errorf("an alphabet of %d symbols", m.k)
	}
	pairs := make([]contextSymbol[uint64], 0, len(symbols))
	for i, end := range ends {
		if int(end) <= len(pairs) || int(end) > len(symbols) {
			return nil, fmt.Errorf("context %d ends at count %d", i, end)
		}
		key := uint64(uint32(keys[2*i]))<<32 | uint64(uint32(keys[2*i+1]))
		for _, a := range symbols[len(pairs):end] {
			pairs = append(pairs, contextSymbol[uint64]{key, a})
		}
	}
	if len(pairs) != len(symbols) {
		return nil, fmt.Errorf("%d counts in %d contexts of %d symbols", len(symbols), len(ends), len(pairs))
	}
	m.counts, err = restoreCounts(pairs, times, data.UnknownSymbol, m.k, 1<<53)
	return &m, err
}

var _ models.Detector = (*markovDetector)(nil)
