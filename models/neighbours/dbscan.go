package neighbours

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/neighbour"
	"plumbline/numeric/stat"
)

// DBSCAN is the distance from the dense regions of the training rows. A training row is a core row when at least
// min_samples rows, itself included, lie within eps of it;
//
//	score(x) = min over core rows c of ‖x − c‖, less eps
//
// so that a score above 0 says what DBSCAN calls noise (Ester, Kriegel, Sander and Xu, A density-based algorithm
// for discovering clusters in large spatial databases with noise, KDD 1996). The cluster of a row is that of its
// nearest core row.
//
// Fit compares all pairs of rows, each scored row costs a distance to every core row.
type DBSCAN struct {
	// radius of a neighbourhood: a number, or auto: the distance within which nine of ten training rows have
	// min_samples rows, themselves included
	Eps Eps `yaml:"eps" jsonschema:"oneof_type=string;number"`
	// rows that make a neighbourhood dense; 5 as in scikit-learn
	MinSamples    int `yaml:"min_samples" jsonschema:"minimum=1,maximum=100000"`
	models.Sample `yaml:",inline"`
}

// Eps is auto or a positive number in decimal.
type Eps string

const dbscan = "dbscan"

func init() {
	models.Register(models.Info{
		Name: dbscan,
		Doc:  "Distance to the nearest training row in a dense region, less the radius that makes it dense.",
		Paper: "Ester, Kriegel, Sander and Xu, A density-based algorithm for discovering clusters in large spatial " +
			"databases with noise, KDD 1996",
		Needs:  models.Needs{Input: data.Vectors},
		Seeded: models.Never,
		Defaults: func() models.Spec {
			return &DBSCAN{Eps: "auto", MinSamples: 5, Sample: models.Sample{Sample: "random"}}
		},
	})
}

// New builds an unfitted detector.
func (c *DBSCAN) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(dbscan, c); err != nil {
		return nil, err
	}
	if _, err := epsilons.Number(string(c.Eps)); err != nil {
		return nil, fmt.Errorf("%s: %w: eps: %w", dbscan, models.ErrSpec, err)
	}
	spec := *c
	return models.RowMethod{
		Name: dbscan, Spec: c, Env: env, Min: 1, Costly: true,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			return fitDBSCAN(ctx, spec, env, spec.Take(s, env.Logger()))
		},
		Load: loadDBSCAN,
	}.Clusterer(), nil
}

var epsilons = models.EnumOrNumber{Words: []string{"auto"}, Fits: func(v float64) bool { return v > 0 && v <= 1e30 },
	Want: "more than 0, at most 1e30"}

// UnmarshalSettings takes a word or a number.
func (e *Eps) UnmarshalSettings(d settings.Node) settings.Problems {
	text, ps := epsilons.Decode(d)
	*e = Eps(text)
	return ps
}

// MarshalYAML writes a number as a number.
func (e Eps) MarshalYAML() (any, error) { return epsilons.YAML(string(e)), nil }

// dbscanState is the core rows with their clusters.
type dbscanState struct {
	eps    float64
	core   *neighbour.Reference
	labels []int32 // of the core rows
}

func fitDBSCAN(ctx context.Context, c DBSCAN, env models.Env, s *data.Set) (*dbscanState, error) {
	eps, _ := epsilons.Number(string(c.Eps)) // checked by New
	if eps == 0 {
		var err error
		if eps, err = c.radius(ctx, env, s); err != nil {
			return nil, err
		}
	}
	found, err := cluster.DBSCAN(ctx, models.RowMatrix(s), eps, c.MinSamples, env.Parallel())
	if err != nil {
		return nil, err
	}
	m := &dbscanState{eps: eps}
	var core []int
	for i, is := range found.Core {
		if is {
			core, m.labels = append(core, i), append(m.labels, found.Labels[i])
		}
	}
	if len(core) == 0 {
		return nil, fmt.Errorf("%w: no training row has %d rows within %v: raise eps or lower min_samples",
			models.ErrInput, c.MinSamples, eps)
	}
	env.Logger().Debug("dbscan: fitted", "rows", s.N, "eps", eps, "core", len(core), "clusters", found.Clusters)
	m.core = neighbour.New(s.Subset(core).X, len(core), s.D)
	return m, nil
}

// radius is the 0.9 quantile of the distances to the min_samples-th row, the row itself being the first.
func (c DBSCAN) radius(ctx context.Context, env models.Env, s *data.Set) (float64, error) {
	k := min(c.MinSamples-1, s.N-1)
	if k == 0 {
		return 1e-30, nil // only copies belong together
	}
	far := make([]float64, s.N)
	rows := neighbour.New(s.X, s.N, s.D)
	err := rows.Nearest(ctx, s.X, k, env.Parallel(), 0, func(i int, near []neighbour.Neighbour) {
		far[i] = near[k-1].Distance
	})
	if err != nil {
		return 0, err
	}
	slices.Sort(far)
	return max(stat.Quantile(far, 0.9), 1e-30), nil
}

func (m *dbscanState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return m.core.Nearest(ctx, s.X, 1, workers, -1, func(i int, near []neighbour.Neighbour) {
		out[i] = near[0].Distance - m.eps
	})
}

func (m *dbscanState) GroupRows(ctx context.Context, s *data.Set, workers int, out []int32) error {
	return m.core.Nearest(ctx, s.X, 1, workers, -1, func(i int, near []neighbour.Neighbour) {
		out[i] = m.labels[near[0].Row]
	})
}

// dbscanMeta is the JSON part of the saved state.
type dbscanMeta struct {
	Core int     `json:"core_rows"`
	Eps  float64 `json:"eps"`
}

func (m *dbscanState) RowState() (any, models.Arrays) {
	return dbscanMeta{m.core.N, m.eps}, models.Arrays{"rows": m.core.X, "clusters": m.labels}
}

func loadDBSCAN(st models.State) (models.RowLearned, error) {
	var meta dbscanMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.Core < 1 || meta.Core > math.MaxInt32 || !(meta.Eps > 0 && meta.Eps <= math.MaxFloat32) {
		return nil, fmt.Errorf("%d core rows, eps %v", meta.Core, meta.Eps)
	}
	labels, err := models.Array[int32](st.Arrays, "clusters", meta.Core)
	if err != nil {
		return nil, err
	}
	if slices.Min(labels) < 0 {
		return nil, errors.New("a core row in no cluster")
	}
	core, err := loadReference(st, meta.Core)
	if err != nil {
		return nil, err
	}
	return &dbscanState{meta.Eps, core, labels}, nil
}
