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
// Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007.) Of several starts the
// one with the smallest inertia counts. A cluster that becomes empty restarts at the row farthest from its
// centre.
//
// Fit costs ndk for each of at most restarts × max_iter iterations.
type KMeans struct {
	// number of centres; 8 as in scikit-learn; fewer where there are not so many training rows
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=10000"`
	// starts, of which the best counts; 10 as in scikit-learn before 1.4
	Restarts int `yaml:"restarts" jsonschema:"minimum=1,maximum=10000"`
	// iterations of one start at the most; 300 as in scikit-learn
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
	return method{
		name: kmeans, spec: c, env: env, min: 1,
		fit:  func(ctx context.Context, s *data.Set) (learned, error) { return fitKMeans(ctx, spec, env, s) },
		load: loadKMeans,
	}.detector(), nil
}

// kmeansState is the centres, row-major k×d.
type kmeansState struct {
	d, k    int
	centres []float64
}

func fitKMeans(ctx context.Context, c KMeans, env models.Env, s *data.Set) (*kmeansState, error) {
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
	rows := cluster.Matrix[float32]{N: s.N, D: s.D, X: s.X}
	settings := cluster.KMeans{
		K: c.Clusters, Candidates: 1, MaxIter: c.MaxIter, Tol: c.Tol * variance, Empty: cluster.RefillEmpty,
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
	return &kmeansState{s.D, best.N, best.X}, nil
}

func (m *kmeansState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return scoreRows(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		return func(row []float32) float64 {
			nearest := math.Inf(1)
			for c := range m.k {
				var sum float64
				for j, v := range m.centres[c*m.d : (c+1)*m.d] {
					diff := float64(row[j]) - v
					sum += float64(diff * diff)
				}
				nearest = min(nearest, sum)
			}
			return math.Sqrt(nearest)
		}
	})
}

// kmeansMeta is the JSON part of the saved state.
type kmeansMeta struct {
	Centres int `json:"centres"`
}

func (m *kmeansState) state() (any, models.Arrays) {
	return kmeansMeta{m.k}, models.Arrays{"centres": m.centres}
}

func loadKMeans(st models.State) (learned, error) {
	var meta kmeansMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	if meta.Centres < 1 || meta.Centres > math.MaxInt32 {
		return nil, fmt.Errorf("%d centres of %d columns", meta.Centres, st.Columns)
	}
	m := &kmeansState{d: st.Columns, k: meta.Centres}
	if m.centres, err = models.FiniteArray[float64](st.Arrays, "centres", m.k*m.d); err != nil {
		return nil, err
	}
	for _, v := range m.centres {
		if math.Abs(v) > 2*math.MaxFloat32 {
			return nil, fmt.Errorf("a centre at %v", v)
		}
	}
	return m, nil
}
