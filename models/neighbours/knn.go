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

// KNN is the distance to the nearest training rows: with d_1 ≤ … ≤ d_k those to the k nearest,
//
//	score(x) = d_k                 (distance: largest)
//	score(x) = 1/k Σ_i d_i         (distance: mean)
//	score(x) = median of the d_i   (distance: median)
//
// (Ramaswamy, Rastogi and Shim, Efficient algorithms for mining outliers from large data sets, SIGMOD
// 2000, for the first; Angiulli and Pizzuti, Fast outlier detection in high dimensional spaces, PKDD 2002,
// for the second.) Fit keeps the rows; each scored row costs n distances.
type KNN struct {
	// neighbours; 5 as in PyOD; fewer where there are fewer training rows
	K int `yaml:"k" jsonschema:"minimum=1,maximum=100000"`
	// which of the k distances is the score
	Distance      string `yaml:"distance" jsonschema:"enum=largest,enum=mean,enum=median"`
	models.Sample `yaml:",inline"`
}

const knn = "knn"

func init() {
	models.Register(models.Info{
		Name: knn,
		Doc:  "Distance to the k-th nearest training row, or the mean or the median over the k nearest.",
		Paper: "Ramaswamy, Rastogi and Shim, Efficient algorithms for mining outliers from large data sets, " +
			"SIGMOD 2000",
		Needs:  models.Needs{Input: data.Vectors},
		Seeded: models.Never,
		Defaults: func() models.Spec {
			return &KNN{K: 5, Distance: "largest", Sample: models.Sample{Sample: "random"}}
		},
	})
}

// New builds an unfitted detector.
func (c *KNN) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(knn, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: knn, Spec: c, Env: env, Min: 1, Costly: true,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			s = spec.Take(s, env.Logger())
			ref := neighbour.New(slices.Clone(s.X), s.N, s.D)
			return &knnState{min(spec.K, s.N), spec.Distance, ref}, nil
		},
		Load: func(st models.State) (models.RowLearned, error) { return loadKNN(st, spec.Distance) },
	}.Expecter(), nil
}

type knnState struct {
	k        int
	distance string
	ref      *neighbour.Reference
}

func (m *knnState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	if m.k == m.ref.N && m.distance != "median" {
		return m.scoreByAll(ctx, s, workers, out)
	}
	return m.ref.Nearest(ctx, s.X, m.k, workers, -1, func(i int, near []neighbour.Neighbour) {
		switch m.distance {
		case "mean":
			var sum float64
			for _, o := range near {
				sum += o.Distance
			}
			out[i] = sum / float64(m.k)
		case "median":
			out[i] = (near[(m.k-1)/2].Distance + near[m.k/2].Distance) / 2
		default:
			out[i] = near[m.k-1].Distance
		}
	})
}

// scoreByAll is ScoreRows where all rows are neighbours: none has to be looked for, or put in order.
func (m *knnState) scoreByAll(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return models.ParallelRows(ctx, s.N, 16, workers, func() func(lo, hi int) {
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				row := s.Row(i)
				var sum, largest float64
				for k := range m.ref.N {
					d := neighbour.Distance(row, m.ref.Row(k))
					sum += d
					largest = max(largest, d)
				}
				if out[i] = largest; m.distance == "mean" {
					out[i] = sum / float64(m.k)
				}
			}
		}
	})
}

// knnMeta is the JSON part of the saved state.
type knnMeta struct {
	Rows int  `json:"rows"`
	K    int  `json:"k"`
	Mean bool `json:"mean"`
}

func (m *knnState) RowState() (any, models.Arrays) {
	return knnMeta{m.ref.N, m.k, m.distance == "mean"}, models.Arrays{"rows": m.ref.X}
}

func loadKNN(st models.State, distance string) (models.RowLearned, error) {
	var meta knnMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	n, d := meta.Rows, st.Columns
	if n < 1 || n > math.MaxInt32 || meta.K < 1 || meta.K > n {
		return nil, fmt.Errorf("%d rows of %d columns, k %d", n, d, meta.K)
	}
	if meta.Mean != (distance == "mean") {
		return nil, fmt.Errorf("mean %v, distance: %s", meta.Mean, distance)
	}
	ref, err := loadReference(st, n)
	if err != nil {
		return nil, err
	}
	return &knnState{meta.K, distance, ref}, nil
}
