package automata

import (
	"context"
	"fmt"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/machine"
)

func init() {
	models.Register(models.Info{
		Name: "msm",
		Doc: "Multivariate state machines with a one-class model in every state: the score is how unusual a " +
			"trace's events are for the states that they meet.",
		Paper: "after V. Serentellos, Anomaly detection in network traffic using multivariate state machines, " +
			"thesis, TU Delft 2020",
		Needs:    models.Needs{Input: data.Traces},
		Seeded:   func(s models.Spec) bool { return s.(*MSMSpec).usesSeed() },
		Defaults: func() models.Spec { return defaultMSM() },
	})
}

func defaultMSM() *MSMSpec {
	return &MSMSpec{GuardedLearnSpec: machine.DefaultGuarded(), Per: "all", KeyEvents: 50, MaxEvents: 20000,
		Rule: "model", Model: models.ReferenceTo("lof"), Weighted: true}
}

// MSMSpec configures msm. A machine (see [machine.LearnGuarded]) is learnt from the events of the training traces, or
// one from
// those of each key; replaying the traces, every state collects the events that meet it, and a model of the state
// learns them:
//
//	model     any one-class model of vectors
//	quartile  −Σ_a ln((n_ab+1)/(n+4)), n_ab the state's events in the same quarter b of attribute a, by the
//	          quartiles of all events of the machine (by a state's own, as in the thesis, quarters are equally likely)
//	sigma     max_a |x_a − mean_a|/sd_a
//
// Its score s becomes u = rank(s)/(n+1) among the scores of the n events that it learnt, the mean rank of equals,
// and above the largest of them u = 1 + ln(1 + (s−max)/spread), where spread is that from the median to the largest.
// Events in a state that met fewer than three in training have u = 1. A trace's score is the mean of u over its events,
// weighted by (n_q+1)/(max n+1) of the states q that they meet, or plain; of several machines that of the one it suits
// best counts, as an entity is benign when it is for any benign machine. With max_states: 1 it is the thesis's baseline
// of one model for all events.
type MSMSpec struct {
	machine.GuardedLearnSpec `yaml:",inline"`
	// one machine for all traces, or one for each key, such as a host
	Per string `yaml:"per" jsonschema:"enum=all,enum=key"`
	// with per: key, events that a key needs for a machine of its own
	KeyEvents int `yaml:"key_events" jsonschema:"minimum=1"`
	// events that a machine is learnt from, at most: whole traces, in their order
	MaxEvents int `yaml:"max_events" jsonschema:"minimum=1"`
	// what scores the events of a state
	Rule string `yaml:"rule" jsonschema:"enum=model,enum=quartile,enum=sigma"`
	// with rule: model, the one-class model of each state: a name, or {model, params}
	Model models.Reference `yaml:"model"`
	// events in states that met many in training count more
	Weighted bool `yaml:"weighted"`
}

// New checks the values.
func (s *MSMSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("msm", s); err != nil {
		return nil, err
	}
	if err := s.checkModel(env); err != nil {
		return nil, fmt.Errorf("msm: %w", err)
	}
	m := msm{name: "msm", spec: *s, env: env}
	return models.NewFitted(models.Method[*msm]{
		Name: m.name, Spec: s, Reads: models.ReadsEvents, Min: 1, Fit: m.fit, Load: m.load,
	}), nil
}

// usesSeed says whether the models of the states do.
func (s *MSMSpec) usesSeed() bool { return s.Rule == "model" && s.Model.UsesSeed() }

// checkModel says whether the states' models can be built.
func (s *MSMSpec) checkModel(env models.Env) error {
	if s.Rule != "model" {
		return nil
	}
	if _, err := s.Model.Build(env); err != nil {
		return fmt.Errorf("%w: model: %w", models.ErrSpec, err)
	}
	return nil
}

// msm is the settings and, in what fit and load return, what was learned.
type msm struct {
	name     string // of the model
	spec     MSMSpec
	env      models.Env
	d        int
	machines []machineWithModels
}

// machineWithModels is a machine with the models of its states.
type machineWithModels struct {
	machine *machine.GuardedMachine
	models  []stateModel
}

func (m msm) fit(ctx context.Context, train *data.Set) (*msm, error) {
	groups, err := m.groups(train)
	if err != nil {
		return nil, err
	}
	m.d = train.D
	for i, group := range groups {
		s, err := m.learn(ctx, i, group, train.D)
		if err != nil {
			return nil, err
		}
		m.machines = append(m.machines, s)
		m.env.Progress(models.Epoch{N: i + 1, Of: len(groups), Loss: nan, ValidLoss: nan, Rate: nan,
			Samples: len(group)})
	}
	return &m, nil
}

// groups is the traces of each machine.
func (m *msm) groups(s *data.Set) ([][]data.Trace, error) {
	byKey := map[string][]data.Trace{}
	events := map[string]int{}
	var order []string
	for _, t := range s.Traces {
		key := ""
		if m.spec.Per == "key" {
			key = t.Key
		}
		if _, ok := byKey[key]; !ok {
			order, byKey[key] = append(order, key), []data.Trace{}
		}
		n := 0
		if s.D > 0 {
			n = len(t.Events) / s.D
		}
		if n == 0 || events[key] > 0 && events[key]+n > m.spec.MaxEvents {
			continue
		}
		byKey[key] = append(byKey[key], t)
		events[key] += n
	}
	var out [][]data.Trace
	for _, key := range order {
		if events[key] > 0 && (m.spec.Per != "key" || events[key] >= m.spec.KeyEvents) {
			out = append(out, byKey[key])
		}
	}
	switch {
	case len(out) == 0 && m.spec.Per == "key":
		return nil, fmt.Errorf("%w: none of %d keys has %d events (key_events)", models.ErrInput, len(order),
			m.spec.KeyEvents)
	case len(out) == 0:
		return nil, fmt.Errorf("%w: %d traces without an event", models.ErrInput, s.N)
	}
	return out, nil
}

// learn makes machine i.
func (m *msm) learn(ctx context.Context, i int, traces []data.Trace, d int) (machineWithModels, error) {
	machine, err := machine.LearnGuarded(ctx, m.spec.GuardedLearnSpec, traces, d)
	if err != nil {
		return machineWithModels{}, err
	}
	met := machine.Meet(traces)
	quartiles := quartilesOf(slices.Concat(met...), d)
	out := machineWithModels{machine: machine, models: make([]stateModel, len(machine.States))}
	for q, x := range met {
		set := &data.Set{Kind: data.Vectors, N: len(x) / d, D: d, X: x}
		st := &out.models[q]
		if st.n = set.N; st.n < 3 {
			continue
		}
		if st.det, err = m.fitStateModel(ctx, st, set, quartiles,
			fmt.Sprintf("machine %d state %d", i, q)); err != nil {
			return machineWithModels{}, fmt.Errorf("state %d of %d events: %w", q, set.N, err)
		}
		scores, err := m.raw(ctx, st, set)
		if err != nil {
			return machineWithModels{}, fmt.Errorf("state %d: %w", q, err)
		}
		st.rank(scores)
	}
	return out, nil
}

// Score is how unusual a trace's events are for the machine that it suits best.
func (m *msm) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	for k := range m.machines {
		const chunk = 1024 // bounds the copies of events
		for from := 0; from < s.N; from += chunk {
			to := min(from+chunk, s.N)
			got, err := m.judge(ctx, &m.machines[k], s.Traces[from:to])
			if err != nil {
				return nil, fmt.Errorf("machine %d: %w", k+1, err)
			}
			for i, v := range got {
				if k == 0 || v < out[from+i] {
					out[from+i] = v
				}
			}
		}
	}
	return out, nil
}

// judge scores traces by one machine. One without events scores 0.
func (m *msm) judge(ctx context.Context, s *machineWithModels, traces []data.Trace) ([]float64, error) {
	unusual, weight, err := m.events(ctx, s, traces)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(traces))
	at := 0
	for i := range traces {
		sum, total := 0.0, 0.0
		for range len(traces[i].Events) / m.d {
			sum += float64(weight[at] * unusual[at])
			total += weight[at]
			at++
		}
		if total > 0 {
			out[i] = sum / total
		}
	}
	return out, nil
}

// events is how unusual each event of the traces is for the state that it meets, on the scale of all states, and its
// weight.
func (m *msm) events(ctx context.Context, s *machineWithModels, traces []data.Trace) (unusual, weight []float64,
	err error) {
	most := 0
	for q := range s.models {
		most = max(most, s.models[q].n)
	}
	met := make([][]float32, len(s.models))
	of := make([][]int, len(s.models)) // the places of a state's events
	for i := range traces {
		q := int32(0)
		for x := traces[i].Events; len(x) > 0; x = x[m.d:] {
			of[q] = append(of[q], len(weight))
			met[q] = append(met[q], x[:m.d]...)
			w := 1.0
			if m.spec.Weighted {
				w = float64(s.models[q].n+1) / float64(most+1)
			}
			weight = append(weight, w)
			q = s.machine.Next(q, x[:m.d])
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	unusual = make([]float64, len(weight))
	for q, x := range met {
		if len(x) == 0 {
			continue
		}
		st := &s.models[q]
		raw := make([]float64, len(of[q]))
		if st.n >= 3 {
			if raw, err = m.raw(ctx, st, &data.Set{Kind: data.Vectors, N: len(of[q]), D: m.d, X: x}); err != nil {
				return nil, nil, fmt.Errorf("state %d: %w", q, err)
			}
		}
		for i, at := range of[q] {
			unusual[at] = st.normalised(raw[i])
		}
	}
	return unusual, weight, nil
}
