package automata

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/machine"
)

func init() {
	models.Register(models.Info{
		Name: "pdfa",
		Doc:  "State machine learnt by state merging; the score is the negative log-likelihood per event.",
		Paper: "C. de la Higuera, Grammatical Inference, 2010; learner of S. Verwer and C. Hammerschmidt, " +
			"flexfringe: A Passive Automaton Learning Package, ICSME 2017",
		Needs:  models.Needs{Input: data.Traces},
		Seeded: models.Never,
		Defaults: func() models.Spec {
			return &PDFASpec{LearnSpec: machine.Probable(), OnMissing: "remain", Aggregate: "mean"}
		},
	})
}

// PDFASpec configures pdfa: a deterministic automaton is learnt from benign traces, and a trace a_1…a_t is
// scored by how unlikely it is,
//
//	score = −(1/t)·Σ ln P(a_i | q_{i−1})        q_i = δ(q_{i−1}, a_i)
//
// with Correction (at least 1e-9, so that scores are finite) added to every count, see [machine.NewReplayer].
// With FinalProb, the end of the trace counts as a symbol more: −ln P(end | q_t) is added to the sum, which
// is still divided by t. A symbol without an edge is unseen, and the replay goes on as Missing says. Learning costs
// what [machine.Learn] costs, scoring O(t·log k) for k edges a state.
type PDFASpec struct {
	machine.LearnSpec `yaml:",inline"`
	// where the replay goes on when a state has no edge for a symbol: in the same state, from the initial one, or not
	// at all
	OnMissing machine.OnMissingEdge `yaml:"missing" jsonschema:"enum=remain,enum=reset,enum=stop"`
	// score of a trace: mean or sum over its symbols, or the last symbol alone
	Aggregate string `yaml:"aggregate" jsonschema:"enum=mean,enum=sum,enum=last"`
}

// LikelihoodFloor is mean − k·sd of the log-probabilities of training windows, with the sample standard
// deviation (n−1): the alarm threshold of the Kubernetes work on state machines (C. Cao, A. Blaise, S. Verwer and F.
// Rebecchi, arXiv 2207.12087), where a window under it is an alarm and k is 2, in a deployed monitor 7.
//
// In an experiment it is aggregate sum with threshold {rule: mean_sd, value: k}: scores are the negative
// log-probabilities, and the rule is fitted to held-out benign windows where there are any. One value is its
// own floor; none gives NaN.
func LikelihoodFloor(logp []float64, k float64) float64 {
	n := float64(len(logp))
	mean := 0.0
	for _, l := range logp {
		mean += l / n
	}
	if len(logp) == 0 {
		return nan
	}
	if len(logp) == 1 {
		return logp[0]
	}
	squares := 0.0
	for _, l := range logp {
		squares += (l - mean) * (l - mean)
	}
	return mean - k*math.Sqrt(squares/(n-1))
}

// New checks the values.
func (s *PDFASpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("pdfa", s); err != nil {
		return nil, err
	}
	if err := s.CheckBenign(); err != nil {
		return nil, fmt.Errorf("pdfa: %w: %w", models.ErrSpec, err)
	}
	m := pdfa{learntMachine{name: "pdfa", env: env, spec: s.LearnSpec}, *s}
	return &pdfaDetector{models.NewFitted(models.Method[*pdfa]{
		Name: m.name, Spec: s, Reads: models.ReadsSymbols, Min: 1,
		Fit: func(ctx context.Context, train *data.Set) (*pdfa, error) {
			fresh := m
			return &fresh, fresh.fit(ctx, train, m.cfg.OnMissing)
		},
		Load: func(st models.State) (*pdfa, error) {
			fresh := m
			return &fresh, fresh.load(st.Arrays, st.Alphabet, m.cfg.OnMissing)
		},
	})}, nil
}

// pdfaDetector is the detector.
type pdfaDetector struct{ *models.Fitted[*pdfa] }

type pdfa struct {
	learntMachine
	cfg PDFASpec
}

// Score is how unlikely each trace is.
func (d *pdfa) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	err := d.env.Blocks(ctx, s.N, 256, func(from, to int) {
		var scores []float64
		for i := from; i < to; i++ {
			word := s.Traces[i].Symbols
			if cap(scores) < len(word) {
				scores = make([]float64, len(word))
			}
			scores = scores[:len(word)]
			sum := d.rep.Replay(word, nil, scores)
			switch {
			case d.cfg.Aggregate == "last" && len(word) > 0:
				out[i] = -scores[len(word)-1]
			case d.cfg.Aggregate == "mean" && len(word) > 0:
				out[i] = -sum / float64(len(word))
			default:
				out[i] = -sum
			}
		}
	})
	return out, err
}

// State is the machine and its visits.
func (d *pdfa) State() (any, models.Arrays, error) { return nil, d.arrays(), nil }

// Causes is the state in front of the least likely symbol of each trace: the first of equals.
func (p *pdfaDetector) Causes(ctx context.Context, s *data.Set) ([]models.Cause, error) {
	d, err := p.Ready(s)
	if err != nil {
		return nil, err
	}
	out := make([]models.Cause, s.N)
	var states []int32
	var scores []float64
	for i := range out {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("pdfa: %w", ctx.Err())
		}
		word := s.Traces[i].Symbols
		if n := len(word); cap(scores) < n {
			scores, states = make([]float64, n), make([]int32, n)
		}
		scores, states = scores[:len(word)], states[:len(word)]
		d.rep.Replay(word, states, scores)
		at := -1
		for k, v := range scores {
			if at < 0 || v < scores[at] {
				at = k
			}
		}
		before := int32(0) // the initial state
		if at > 0 {
			before = states[at-1]
		} else if at < 0 {
			before = -1
		}
		out[i] = d.cause(at, before)
	}
	return out, nil
}

var (
	_ models.Detector     = (*pdfaDetector)(nil)
	_ models.Investigator = (*pdfaDetector)(nil)
)
