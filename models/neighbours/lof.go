package neighbours

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/neighbour"
)

// LOF is the local outlier factor against the training rows: how much thinner they lie around a row than
// around its neighbours. With N(p) the k nearest training rows of p (other than p itself in training) and
// kdist(o) the distance of training row o to its k-th neighbour,
//
//	reach(p, o) = max(‖p−o‖, kdist(o))
//	lrd(p)      = 1 / (1/k Σ_{o∈N(p)} reach(p, o) + 1e-10)
//	score(p)    = 1/k Σ_{o∈N(p)} lrd(o) / lrd(p)             (about 1 inside a cluster)
//
// (Breunig, Kriegel, Ng and Sander, LOF: identifying density-based local outliers, SIGMOD 2000,
// definitions 3 to 7; exactly k neighbours where they take all that tie for the k-th place, and the 1e-10,
// are scikit-learn's.) Which of several repeated rows are the neighbours is a matter of row order, and
// rows with more than k copies have lrd 1e10: on data full of copies, values differ between
// implementations while the ranking hardly does.
//
// Brute force: n² distances for Fit, n for each scored row, each d multiplications of non-zero numbers.
type LOF struct {
	// neighbours; 20 as in scikit-learn; fewer where there are fewer training rows
	K             int `yaml:"k" jsonschema:"minimum=1,maximum=100000"`
	models.Sample `yaml:",inline"`
}

const lof = "lof"

func init() {
	models.Register(models.Info{
		Name: lof,
		Doc: "Local outlier factor: density around a row's nearest training rows, over the density around " +
			"the row.",
		Paper:    "Breunig, Kriegel, Ng and Sander, LOF: identifying density-based local outliers, SIGMOD 2000",
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &LOF{K: 20, Sample: models.Sample{Sample: "random"}} },
	})
}

// New builds an unfitted detector.
func (c *LOF) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(lof, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: lof, Spec: c, Env: env, Min: 2, Costly: true,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			return fitLOF(ctx, spec, env, spec.Take(s, env.Logger()))
		},
		Load: loadLOF,
	}.Expecter(), nil
}

// lofState is the training rows with their densities.
type lofState struct {
	k     int
	ref   *neighbour.Reference
	kdist []float64 // n
	lrd   []float64 // n
}

func fitLOF(ctx context.Context, c LOF, env models.Env, s *data.Set) (*lofState, error) {
	if s.N < 2 {
		return nil, fmt.Errorf("%w: %d rows left by max_rows, needs at least 2", models.ErrInput, s.N)
	}
	n, k := s.N, fewer(lof, c.K, others(s.N), env)
	m := &lofState{
		k: k, kdist: make([]float64, n), lrd: make([]float64, n),
		ref: neighbour.New(slices.Clone(s.X), n, s.D),
	}
	near, err := nearestOf(ctx, m.ref, k, env)
	if err != nil {
		return nil, err
	}
	for i := range m.kdist {
		m.kdist[i] = near[(i+1)*k-1].Distance
	}
	for i := range m.lrd {
		m.lrd[i] = m.density(near[i*k : (i+1)*k])
	}
	return m, nil
}

// density is the local reachability density of a row with these neighbours.
func (m *lofState) density(near []neighbour.Neighbour) float64 {
	var sum float64
	for _, o := range near {
		sum += max(o.Distance, m.kdist[o.Row])
	}
	return 1 / (sum/float64(len(near)) + 1e-10)
}

func (m *lofState) factor(near []neighbour.Neighbour) float64 {
	own := m.density(near)
	var sum float64
	for _, o := range near {
		sum += m.lrd[o.Row] / own
	}
	return sum / float64(len(near))
}

func (m *lofState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return m.ref.Nearest(ctx, s.X, m.k, workers, -1, func(i int, near []neighbour.Neighbour) { out[i] = m.factor(near) })
}

// lofMeta is the JSON part of the saved state.
type lofMeta struct {
	Rows int `json:"rows"`
	K    int `json:"k"`
}

func (m *lofState) RowState() (any, models.Arrays) {
	return lofMeta{m.ref.N, m.k}, models.Arrays{"rows": m.ref.X, "kdist": m.kdist, "lrd": m.lrd}
}

func loadLOF(st models.State) (models.RowLearned, error) {
	var meta lofMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	n, d := meta.Rows, st.Columns
	if n < 2 || n > math.MaxInt32 || meta.K < 1 || meta.K >= n {
		return nil, fmt.Errorf("%d rows of %d columns, k %d", n, d, meta.K)
	}
	m := &lofState{k: meta.K}
	if m.kdist, err = models.FiniteArray[float64](st.Arrays, "kdist", n); err != nil {
		return nil, err
	}
	if m.lrd, err = models.FiniteArray[float64](st.Arrays, "lrd", n); err != nil {
		return nil, err
	}
	if m.ref, err = loadReference(st, n); err != nil {
		return nil, err
	}
	return m, nil
}
