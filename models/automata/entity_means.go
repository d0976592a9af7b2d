package automata

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name: "entity_means",
		Doc:  "Control for machines that judge entities: a one-class model on the mean of each entity's flows.",
		Paper: "baseline of V. Serentellos, Anomaly detection in network traffic using multivariate state " +
			"machines, thesis, TU Delft 2020",
		Control:  true,
		Needs:    models.Needs{Input: data.Traces, Batch: true},
		Seeded:   func(s models.Spec) bool { return s.(*EntityMeansSpec).Model.UsesSeed() },
		Defaults: func() models.Spec { return &EntityMeansSpec{Model: models.ReferenceTo("lof")} },
	})
}

// EntityMeansSpec configures entity_means. An entity is the traces of one key, in training and in a call of Score; its
// row is the mean of its flows, column by column, each flow counted once. Every trace gets the score that the model
// gives its entity's row. Where categories are one-hot, their means are shares; the thesis takes the most frequent one.
type EntityMeansSpec struct {
	// the one-class model of the entities' rows: a name, or {model, params}
	Model models.Reference `yaml:"model"`
}

// New checks the values.
func (s *EntityMeansSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("entity_means", s); err != nil {
		return nil, err
	}
	if _, err := s.Model.Build(env); err != nil {
		return nil, fmt.Errorf("entity_means: %w: model: %w", models.ErrSpec, err)
	}
	m := entityMeans{spec: *s, env: env}
	return models.NewFitted(models.Method[*entityMeans]{
		Name: "entity_means", Spec: s, Reads: models.ReadsEvents, Min: 1, Fit: m.fit, Load: m.load,
	}), nil
}

type entityMeans struct {
	spec EntityMeansSpec
	env  models.Env
	det  models.Detector // of the entities' rows
}

// rows is a row for each entity that has flows, and which one is an entity's, −1 for none.
func (m *entityMeans) rows(s *data.Set) (set *data.Set, e *entities, of []int) {
	e = entitiesOf(s, func(i int) int { return len(s.Traces[i].Events) / max(1, s.D) })
	sums := make([]float64, e.n*s.D)
	seen := make([]bool, len(e.owner))
	at := 0
	for i := range s.Traces {
		for x := s.Traces[i].Events; len(x) > 0; x = x[s.D:] {
			flow := e.flow[at]
			at++
			if seen[flow] {
				continue
			}
			seen[flow] = true
			id := int(e.owner[flow])
			for j, v := range x[:s.D] {
				sums[id*s.D+j] += float64(v) / float64(e.flows[id])
			}
		}
	}
	set = &data.Set{Kind: data.Vectors, D: s.D}
	for id := range e.n {
		if e.flows[id] == 0 {
			of = append(of, -1)
			continue
		}
		of = append(of, set.N)
		set.N++
		for _, v := range sums[id*s.D : (id+1)*s.D] {
			set.X = append(set.X, float32(math.Max(-math.MaxFloat32, math.Min(v, math.MaxFloat32))))
		}
	}
	return set, e, of
}

func (m entityMeans) fit(ctx context.Context, train *data.Set) (*entityMeans, error) {
	set, _, _ := m.rows(train)
	if set.N == 0 {
		return nil, fmt.Errorf("%w: %d traces without an event", models.ErrInput, train.N)
	}
	var err error
	if m.det, err = m.spec.Model.Fit(ctx, m.env, set); err != nil {
		return nil, fmt.Errorf("%d entities: %w", set.N, err)
	}
	return &m, nil
}

// Score gives an entity without flows 0.
func (m *entityMeans) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	set, e, of := m.rows(s)
	got, err := m.det.Score(ctx, set)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, e.n)
	for id, row := range of {
		if row >= 0 {
			scores[id] = got[row]
		}
	}
	return e.spread(scores), nil
}

// State is the one-class model.
func (m *entityMeans) State() (any, models.Arrays, error) {
	arrays := models.Arrays{}
	return nil, arrays, m.spec.Model.Save(arrays, "model", m.det)
}

func (m entityMeans) load(st models.State) (_ *entityMeans, err error) {
	m.det, err = m.spec.Model.Load(st.Arrays, "model", m.env, st.Columns)
	return &m, err
}
