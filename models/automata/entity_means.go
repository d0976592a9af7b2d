package automata

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name:     "entity_means",
		Doc:      "Control for machines that judge entities: a one-class model on the mean of each entity's flows.",
		Paper:    "baseline of V. Serentellos, Anomaly detection in network traffic using multivariate state machines, thesis, TU Delft 2020",
		Needs:    models.Needs{Input: data.Traces, Batch: true},
		Seeded:   func(s models.Spec) bool { return s.(*EntityMeansSpec).Model.UsesSeed() },
		Defaults: func() models.Spec { return &EntityMeansSpec{Model: models.ReferenceTo("lof")} },
	})
}

// EntityMeansSpec configures entity_means. An entity is the traces of one key, in training and in a call of Score; its
// row is the mean of its flows, column by column, each flow counted once. Every trace gets the score that the model
// gives its entity's row. Where categories are one-hot, their means are shares; the thesis takes the most frequent one.
type EntityMeansSpec struct {
	Model models.Reference `yaml:"model" jsonschema_description:"the one-class model of the entities' rows: a name, or {model, params}"`
}

// New checks the values.
func (s *EntityMeansSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("entity_means", s); err != nil {
		return nil, err
	}
	if _, err := s.Model.Build(env); err != nil {
		return nil, fmt.Errorf("entity_means: %w: model: %w", models.ErrSpec, err)
	}
	return &entityMeans{spec: *s, env: env}, nil
}

type entityMeans struct {
	spec EntityMeansSpec
	env  models.Env
	d    int
	det  models.Detector // nil: not fitted
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

func (m *entityMeans) Fit(ctx context.Context, train *data.Set) error {
	m.det = nil
	if err := checkEvents("entity_means", train, 1); err != nil {
		return err
	}
	set, _, _ := m.rows(train)
	if set.N == 0 {
		return fmt.Errorf("entity_means: %w: %d traces without an event", models.ErrInput, train.N)
	}
	det, err := m.spec.Model.Build(m.env)
	if err != nil {
		return fmt.Errorf("entity_means: %w", err)
	}
	if err := det.Fit(ctx, set); err != nil {
		return fmt.Errorf("entity_means: %d entities: %w", set.N, err)
	}
	m.d, m.det = train.D, det
	return nil
}

// Score gives an entity without flows 0.
func (m *entityMeans) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if m.det == nil {
		return nil, fmt.Errorf("entity_means: %w", models.ErrNotFitted)
	}
	if err := checkEvents("entity_means", s, 0); err != nil {
		return nil, err
	}
	if s.N > 0 && s.D != m.d {
		return nil, fmt.Errorf("entity_means: %w: %d columns in an event, fitted on %d", models.ErrInput, s.D, m.d)
	}
	set, e, of := m.rows(s)
	got, err := m.det.Score(ctx, set)
	if err != nil {
		return nil, fmt.Errorf("entity_means: %w", err)
	}
	scores := make([]float64, e.n)
	for id, row := range of {
		if row >= 0 {
			scores[id] = got[row]
		}
	}
	return e.spread(scores), nil
}

type meansMeta struct{ Width int }

func (m *entityMeans) Save(w io.Writer) error {
	if m.det == nil {
		return fmt.Errorf("entity_means: save: %w", models.ErrNotFitted)
	}
	var b bytes.Buffer
	if err := m.det.Save(&b); err != nil {
		return fmt.Errorf("entity_means: save: %w", err)
	}
	return models.WriteState(w, "entity_means", meansMeta{m.d}, models.Arrays{"model": b.Bytes()})
}

func (m *entityMeans) Load(r io.Reader) error {
	var meta meansMeta
	arrays, err := models.ReadState(r, "entity_means", &meta)
	if err != nil {
		return err
	}
	if meta.Width < 1 || meta.Width > 1<<20 {
		return fmt.Errorf("entity_means: load: %w: events of %d columns", models.ErrState, meta.Width)
	}
	raw, err := models.Array[uint8](arrays, "model", -1)
	if err != nil {
		return fmt.Errorf("entity_means: load: %w", err)
	}
	det, err := loadOneClass(m.spec.Model, m.env, raw, meta.Width)
	if err != nil {
		return fmt.Errorf("entity_means: load: %w", err)
	}
	m.d, m.det = meta.Width, det
	return nil
}

var _ models.Detector = (*entityMeans)(nil)
