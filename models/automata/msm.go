package automata

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/machine"
	"plumbline/numeric/stat"
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

// stateModel scores the events of a state.
type stateModel struct {
	n        int             // events in training
	det      models.Detector // rule model; nil below three events
	limits   []float64       // rule quartile: 3 for each attribute; rule sigma: mean and sd
	counts   []float64       // rule quartile: 4 for each attribute
	ordered  []float64       // ascending scores in training, at most maxRanks of them
	maximum  float64
	distance float64 // from the median to the maximum, or 1
}

// maxRanks bounds the training scores that are kept of a state: quantiles of them when there are more.
const maxRanks = 1000

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

// rank keeps what brings later scores to one scale.
func (st *stateModel) rank(scores []float64) {
	slices.Sort(scores)
	last := len(scores) - 1
	st.maximum = scores[last]
	if st.distance = st.maximum - scores[last/2]; !(st.distance > 0) || math.IsInf(st.distance, 0) {
		st.distance = 1
	}
	st.ordered = scores
	if len(scores) > maxRanks {
		st.ordered = make([]float64, maxRanks)
		for i := range st.ordered {
			st.ordered[i] = scores[i*last/(maxRanks-1)]
		}
	}
}

// normalised is a score on the scale that all states share.
func (st *stateModel) normalised(s float64) float64 {
	if st.n < 3 {
		return 1
	}
	if s > st.maximum {
		return 1 + math.Log1p(min((s-st.maximum)/st.distance, math.MaxFloat64))
	}
	below, met := slices.BinarySearch(st.ordered, s)
	rank := float64(below)
	if met { // the mean rank of equals: where all events are alike, none is unusual
		most, _ := slices.BinarySearch(st.ordered, math.Nextafter(s, math.Inf(1)))
		rank = float64(below+1+most) / 2
	}
	return rank / float64(len(st.ordered)+1)
}

// quartilesOf is the three quartiles of each of d columns.
func quartilesOf(x []float32, d int) []float64 {
	n := len(x) / d
	var out []float64
	column := make([]float64, n)
	for a := range d {
		for i := range column {
			column[i] = float64(x[i*d+a])
		}
		slices.Sort(column)
		out = append(out, stat.Quantile(column, 0.25), stat.Quantile(column, 0.5), stat.Quantile(column, 0.75))
	}
	return out
}

// fitStateModel learns a state's events; quartiles are those of all events.
func (m *msm) fitStateModel(ctx context.Context, st *stateModel, set *data.Set, quartiles []float64,
	name string) (models.Detector, error) {
	n := float64(set.N)
	switch m.spec.Rule {
	case "quartile":
		st.limits, st.counts = quartiles, make([]float64, 4*set.D)
		for i := range set.N {
			for a, v := range set.Row(i) {
				st.counts[4*a+quarterOf(quartiles[3*a:3*a+3], float64(v))]++
			}
		}
		return nil, nil
	case "sigma":
		for a := range set.D {
			mean, variance := 0.0, 0.0
			for i := range set.N {
				mean += float64(set.X[i*set.D+a]) / n
			}
			for i := range set.N {
				e := float64(set.X[i*set.D+a]) - mean
				variance += float64(e*e) / n
			}
			st.limits = append(st.limits, mean, math.Sqrt(variance))
		}
		return nil, nil
	}
	env := m.env
	env.Seed = m.env.Rand(name).Uint64()
	return m.spec.Model.Fit(ctx, env, set)
}

// quarterOf is how many of the limits a value exceeds.
func quarterOf(limits []float64, v float64) (q int) {
	for _, l := range limits {
		if v > l {
			q++
		}
	}
	return q
}

// farOff bounds how many standard deviations an event is away.
const farOff = 1e12

// raw is a state model's own scores.
func (m *msm) raw(ctx context.Context, st *stateModel, set *data.Set) ([]float64, error) {
	if m.spec.Rule == "model" {
		return st.det.Score(ctx, set)
	}
	out := make([]float64, set.N)
	for i := range out {
		for a, v := range set.Row(i) {
			if m.spec.Rule == "quartile" {
				p := (st.counts[4*a+quarterOf(st.limits[3*a:3*a+3], float64(v))] + 1) / float64(st.n+4)
				out[i] -= math.Log(p)
				continue
			}
			far := math.Abs(float64(v) - st.limits[2*a])
			if sd := st.limits[2*a+1]; sd > 0 {
				far /= sd
			} else if far > 0 {
				far = farOff
			}
			out[i] = max(out[i], min(far, farOff))
		}
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
			sum += weight[at] * unusual[at]
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

// msmMeta is what a saved model must know besides its arrays.
type msmMeta struct{ Machines int }

// State is the machines, and what the models of their states learned.
func (m *msm) State() (any, models.Arrays, error) {
	arrays := models.Arrays{}
	for k, s := range m.machines {
		var low, high []float32
		var edges, seen []int32 // of each edge its state and target; of each state its events
		for q, state := range s.machine.States {
			for _, e := range state.Edges {
				low, high = append(low, e.Guard.Low...), append(high, e.Guard.High...)
				edges = append(edges, int32(q), e.Target)
			}
			st := &s.models[q]
			seen = append(seen, int32(min(st.n, math.MaxInt32)))
			if st.n < 3 {
				continue
			}
			name := fmt.Sprintf("%d/%d ", k, q)
			arrays[name+"ranks"] = st.ordered
			arrays[name+"scale"] = []float64{st.maximum, st.distance}
			switch {
			case st.det != nil:
				if err := m.spec.Model.Save(arrays, name+"model", st.det); err != nil {
					return nil, nil, fmt.Errorf("state %d: %w", q, err)
				}
			case m.spec.Rule == "quartile":
				arrays[name+"limits"], arrays[name+"counts"] = st.limits, st.counts
			default:
				arrays[name+"limits"] = st.limits
			}
		}
		name := fmt.Sprintf("%d ", k)
		arrays[name+"low"], arrays[name+"high"], arrays[name+"edges"], arrays[name+"events"] = low, high, edges, seen
	}
	return msmMeta{len(m.machines)}, arrays, nil
}

func (m msm) load(st models.State) (*msm, error) {
	var meta msmMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.Machines < 1 || meta.Machines > len(st.Arrays) {
		return nil, fmt.Errorf("%d machines", meta.Machines)
	}
	m.d = st.Columns
	for k := range meta.Machines {
		s, err := m.restore(st.Arrays, k)
		if err != nil {
			return nil, fmt.Errorf("machine %d: %w", k+1, err)
		}
		m.machines = append(m.machines, s)
	}
	return &m, nil
}

func (m *msm) restore(arrays models.Arrays, k int) (machineWithModels, error) {
	bad := func(format string, args ...any) (machineWithModels, error) {
		return machineWithModels{}, fmt.Errorf("%w: %s", models.ErrState, fmt.Sprintf(format, args...))
	}
	name := fmt.Sprintf("%d ", k)
	edges, err1 := models.Array[int32](arrays, name+"edges", -1)
	seen, err2 := models.Array[int32](arrays, name+"events", -1)
	low, err3 := models.Array[float32](arrays, name+"low", len(edges)/2*m.d)
	high, err4 := models.Array[float32](arrays, name+"high", len(edges)/2*m.d)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return machineWithModels{}, err
	}
	if len(seen) == 0 || len(seen) > machine.MaxStates || len(edges)%2 != 0 {
		return bad("%d states", len(seen))
	}
	s := machineWithModels{machine: &machine.GuardedMachine{D: m.d, States: make([]machine.GuardedState, len(seen))},
		models: make([]stateModel, len(seen))}
	for i := range len(edges) / 2 {
		from, to := edges[2*i], edges[2*i+1]
		if from < 0 || int(from) >= len(seen) || to < 0 || int(to) >= len(seen) {
			return bad("an edge from %d to %d of %d states", from, to, len(seen))
		}
		guard := machine.Hyperrectangle{Low: low[i*m.d : (i+1)*m.d], High: high[i*m.d : (i+1)*m.d]}
		for a := range guard.Low {
			if !(guard.Low[a] < guard.High[a]) {
				return bad("a guard from %v to %v", guard.Low[a], guard.High[a])
			}
		}
		s.machine.States[from].Edges = append(s.machine.States[from].Edges,
			machine.GuardedEdge{Guard: guard, Target: to})
	}
	for q := range s.models {
		st := &s.models[q]
		if st.n = int(seen[q]); st.n < 0 {
			return bad("%d events in a state", st.n)
		}
		if st.n < 3 {
			continue
		}
		if err := m.restoreStateModel(arrays, fmt.Sprintf("%d/%d ", k, q), st); err != nil {
			return machineWithModels{}, fmt.Errorf("state %d: %w", q, err)
		}
	}
	return s, nil
}

func (m *msm) restoreStateModel(arrays models.Arrays, name string, st *stateModel) (err error) {
	bad := func(what string, v any) error { return fmt.Errorf("%w: %s %v", models.ErrState, what, v) }
	if st.ordered, err = models.Array[float64](arrays, name+"ranks", -1); err != nil {
		return err
	}
	scale, err := models.Array[float64](arrays, name+"scale", 2)
	if err != nil {
		return err
	}
	if st.maximum, st.distance = scale[0], scale[1]; !(st.distance > 0) || math.IsInf(st.distance, 0) ||
		st.maximum-st.maximum != 0 {
		return bad("scores are scaled by", scale)
	}
	if len(st.ordered) == 0 || len(st.ordered) > maxRanks || !slices.IsSorted(st.ordered) ||
		slices.ContainsFunc(st.ordered, func(v float64) bool { return v-v != 0 }) {
		return bad("scores in training are", "not in order")
	}
	if m.spec.Rule == "model" {
		st.det, err = m.spec.Model.Load(arrays, name+"model", m.env, m.d)
		return err
	}
	per := 2
	if m.spec.Rule == "quartile" {
		per = 3
		if st.counts, err = models.Array[float64](arrays, name+"counts", 4*m.d); err != nil {
			return err
		}
	}
	if st.limits, err = models.Array[float64](arrays, name+"limits", per*m.d); err != nil {
		return err
	}
	for _, v := range slices.Concat(st.limits, st.counts) {
		if v-v != 0 {
			return bad("a limit is", v)
		}
	}
	for _, v := range st.counts {
		if v < 0 || v > float64(st.n) {
			return bad("a quarter's events are", v)
		}
	}
	return nil
}
