package classic

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

// KMeans is the distance to the nearest of k centres that minimise
//
//	inertia = Σ_i min_c ‖x_i − μ_c‖²            over the training rows
//	score(x) = min_c ‖x − μ_c‖
//
// (Lloyd, Least squares quantization in PCM, IEEE Transactions on Information Theory 28, 1982; starts by
// Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007, each the best of
// 2+⌊ln k⌋ rows drawn.) Of several starts the one with the smallest inertia counts. A cluster that becomes empty
// restarts at the row farthest from its centre.
//
// Fit costs ndk for each of at most restarts × max_iter iterations.
type KMeans struct {
	// number of centres; 8 as in scikit-learn; fewer where there are fewer training rows
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=10000"`
	// starts, of which the best counts; 10 as in scikit-learn before 1.4
	Restarts int `yaml:"restarts" jsonschema:"minimum=1,maximum=10000"`
	// largest number of iterations of one start; 300 as in scikit-learn
	MaxIter int `yaml:"max_iter" jsonschema:"minimum=1,maximum=1000000"`
	// squared movement of all centres, as a share of the mean variance of the columns, that ends it; 1e-4 as in
	// scikit-learn
	Tol float64 `yaml:"tol" jsonschema:"minimum=0,maximum=1"`
}

const kmeans = "kmeans"

func init() {
	models.Register(models.Info{
		Name: kmeans,
		Doc:  "Distance to the nearest of k centres of the training rows.",
		Paper: "Lloyd, Least squares quantization in PCM, IEEE Transactions on Information Theory, 1982; Arthur " +
			"and Vassilvitskii, k-means++, SODA 2007",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &KMeans{Clusters: 8, Restarts: 10, MaxIter: 300, Tol: 1e-4} },
	})
}

// New builds an unfitted detector.
func (c *KMeans) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(kmeans, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: kmeans, Spec: c, Env: env, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (models.RowLearned, error) { return fitKMeans(ctx, spec, env, s) },
		Load: loadKMeans,
	}.Clusterer(), nil
}

// kmeansState is the centres.
type kmeansState struct{ centres *cluster.Centres }

func fitKMeans(ctx context.Context, c KMeans, env models.Env, s *data.Set) (*kmeansState, error) {
	best, err := c.cluster(ctx, env, s)
	if err != nil {
		return nil, err
	}
	return &kmeansState{best.Centres}, nil
}

// cluster is the best of several clusterings of the rows.
func (c KMeans) cluster(ctx context.Context, env models.Env, s *data.Set) (*cluster.Clustering, error) {
	m, err := fitMoments(ctx, s, env.Parallel())
	if err != nil {
		return nil, err
	}
	var variance float64 // mean over the columns
	for j, constant := range constantColumns(s) {
		if !constant {
			variance += m.sd[j] * m.sd[j] / float64(s.D)
		}
	}
	rows := models.RowMatrix(s)
	settings := cluster.KMeans{
		K: c.Clusters, MaxIter: c.MaxIter, Tol: c.Tol * variance, Empty: cluster.RefillEmpty,
		Block: max(momentRows, (s.N+63)/64), Workers: env.Parallel(),
	}
	var best *cluster.Clustering
	for start := range c.Restarts {
		found, err := cluster.Fit(ctx, settings, rows, env.Rand(fmt.Sprint("kmeans start ", start)))
		if err != nil {
			return nil, err
		}
		if best == nil || found.Inertia < best.Inertia {
			best = found
		}
		env.Progress(models.Epoch{N: start + 1, Of: c.Restarts, Loss: found.Inertia / float64(s.N),
			ValidLoss: math.NaN(), Rate: math.NaN(), Samples: s.N})
	}
	return best, nil
}

func (m *kmeansState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	own := make([]int32, s.N)
	if err := m.GroupRows(ctx, s, workers, own); err != nil {
		return err
	}
	for i, k := range own {
		out[i] = math.Sqrt(cluster.SquaredDistance(s.Row(i), m.centres.Row(int(k))))
	}
	return nil
}

func (m *kmeansState) GroupRows(ctx context.Context, s *data.Set, workers int, out []int32) error {
	return cluster.Assign(ctx, m.centres, models.RowMatrix(s), workers, out)
}

// kmeansMeta is the JSON part of the saved state.
type kmeansMeta struct {
	Centres int `json:"centres"`
}

func (m *kmeansState) RowState() (any, models.Arrays) {
	return kmeansMeta{m.centres.N}, models.Arrays{"centres": m.centres.X}
}

func loadKMeans(st models.State) (models.RowLearned, error) {
	var meta kmeansMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	centres, err := loadCentres(st, meta.Centres)
	return &kmeansState{centres}, err
}

// loadCentres rebuilds n centres from the array centres.
func loadCentres(st models.State, n int) (*cluster.Centres, error) {
	if n < 1 || n > math.MaxInt32 {
		return nil, fmt.Errorf("%d centres of %d columns", n, st.Columns)
	}
	x, err := models.FiniteArray[float64](st.Arrays, "centres", n*st.Columns)
	if err != nil {
		return nil, err
	}
	for _, v := range x {
		if math.Abs(v) > 2*math.MaxFloat32 {
			return nil, fmt.Errorf("a centre at %v", v)
		}
	}
	return cluster.NewCentres(cluster.Matrix[float64]{N: n, D: st.Columns, X: x}, nil), nil
}
