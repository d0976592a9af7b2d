package automata

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/machine"
)

func init() {
	models.Register(models.Info{
		Name: "sequent",
		Doc: "State machine learnt by state merging; the score is how much more often than in training a " +
			"window's states are visited.",
		Paper: "C. Cao, A. Blaise, A. Panichella, S. Verwer, State Frequency Estimation for Anomaly Detection, " +
			"arXiv:2412.03442, 2024 (SEQUENT)",
		Needs:    models.Needs{Input: data.Traces, Batch: true},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &SequentSpec{machine.Sequent(), AllVisits} },
	})
}

// SequentSpec configures sequent. The defaults of learning are what is in force when FlexFringe of July 2023 reads the
// authors' sm.ini. A window that visits the states q_1…q_t of S scores
//
//	Σ_i ln((C(q_i)+1)/(V+S)) − ln((N(q_i)+1)/(T+S))
//
// with N the visits in training and T their sum, C the visits so far in the scored windows and V their sum (see
// [StateFrequency]). The score therefore depends on the order of the windows: each call of Score begins with empty
// counters. Departure from the authors' program: it divides by the number of distinct states so far and not by V, so
// that all scores grow with the stream and no threshold that was fitted on another one holds; total: states does as it.
// The method defines no threshold of its own.
type SequentSpec struct {
	machine.LearnSpec `yaml:",inline"`
	// what the visits so far are divided by: visits, all of them, so that scores do not grow with the stream; states,
	// the
	// number of distinct states among them, as in the authors' program
	Total VisitTotal `yaml:"total" jsonschema:"enum=visits,enum=states"`
}

// New checks the values.
func (s *SequentSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("sequent", s); err != nil {
		return nil, err
	}
	if err := s.CheckBenign(); err != nil {
		return nil, fmt.Errorf("sequent: %w: %w", models.ErrSpec, err)
	}
	m := sequent{learntMachine{name: "sequent", env: env, spec: s.LearnSpec}, s.Total}
	return &sequentDetector{models.NewFitted(models.Method[*sequent]{
		Name: m.name, Spec: s, Reads: models.ReadsSymbols, Min: 1,
		Fit: func(ctx context.Context, train *data.Set) (*sequent, error) {
			fresh := m
			return &fresh, fresh.fit(ctx, train, machine.Reset)
		},
		Load: func(st models.State) (*sequent, error) {
			fresh := m
			return &fresh, fresh.load(st.Arrays, st.Alphabet, machine.Reset)
		},
	})}, nil
}

// sequentDetector is the detector.
type sequentDetector struct{ *models.Fitted[*sequent] }

type sequent struct {
	learntMachine
	total VisitTotal
}

// Score begins with empty counters.
func (d *sequent) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	return out, d.windows(ctx, s, func(i int, score float64, _ int, _ []int32) { out[i] = score })
}

// Causes is the state with the largest term of each window, and where it is met.
func (q *sequentDetector) Causes(ctx context.Context, s *data.Set) ([]models.Cause, error) {
	d, err := q.Ready(s)
	if err != nil {
		return nil, err
	}
	out := make([]models.Cause, s.N)
	return out, d.windows(ctx, s, func(i int, _ float64, at int, states []int32) {
		state := int32(-1)
		if at >= 0 {
			state = states[at]
		}
		out[i] = d.cause(at, state)
	})
}

// State is the machine and its visits.
func (d *sequent) State() (any, models.Arrays, error) { return nil, d.arrays(), nil }

// windows scores the windows in their order, beginning with empty counters.
func (d *sequent) windows(ctx context.Context, s *data.Set,
	each func(i int, score float64, cause int, states []int32)) error {
	roll := NewStateFrequency(d.visit, d.total)
	var states []int32
	for i := range s.Traces {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		states = d.replay(s.Traces[i].Symbols, states)
		score, cause := roll.Window(states)
		each(i, score, cause, states)
	}
	return nil
}

var (
	_ models.Detector     = (*sequentDetector)(nil)
	_ models.Investigator = (*sequentDetector)(nil)
)
