package classic

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

// CBLOF is the distance from the large clusters of the training rows. k-means makes k clusters C_1, C_2, … of
// falling size, of which the first b are large: b is the smallest number for which these hold a share α of the
// rows and |C_b| ≥ β|C_b+1|, else that for which the first holds, else the second, else all are large. With μ the
// centres,
//
//	score(x) = ‖x − μ_c‖ of its own cluster c if that is large, else min over the large ones
//
// times |C_c| where weighted (He, Xu and Deng, Discovering cluster-based local outliers, Pattern Recognition Letters
// 24, 2003, have the factor; PyOD has it as an option).
type CBLOF struct {
	// clusters; 8 as in PyOD; fewer where there are fewer training rows
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=10000"`
	// α: share of the rows that large clusters hold
	Alpha float64 `yaml:"alpha" jsonschema:"minimum=0.5,maximum=1"`
	// β: how many times as large the smallest large cluster is as the next
	Beta float64 `yaml:"beta" jsonschema:"minimum=1,maximum=1000000"`
	// starts of k-means, of which the best counts
	Restarts int `yaml:"restarts" jsonschema:"minimum=1,maximum=10000"`
	// the paper's factor: the distance times the number of training rows in the own cluster, so that rows of small
	// clusters count less, not more
	Weighted bool `yaml:"weighted"`
}

const cblof = "cblof"

func init() {
	models.Register(models.Info{
		Name:  cblof,
		Doc:   "Distance to the centre of the own cluster if it is large, else of the nearest large one.",
		Paper: "He, Xu and Deng, Discovering cluster-based local outliers, Pattern Recognition Letters, 2003",
		Needs: models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec {
			return &CBLOF{Clusters: 8, Alpha: 0.9, Beta: 5, Restarts: 10}
		},
	})
}

// New builds an unfitted detector.
func (c *CBLOF) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(cblof, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: cblof, Spec: c, Env: env, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (models.RowLearned, error) { return fitCBLOF(ctx, spec, env, s) },
		Load: loadCBLOF,
	}.Clusterer(), nil
}

// cblofState is the centres by falling size of their clusters, of which the first n are large.
type cblofState struct {
	centres *cluster.Centres
	large   int
	sizes   []float64 // factors of the distance, by cluster; nil: none
}

func fitCBLOF(ctx context.Context, c CBLOF, env models.Env, s *data.Set) (*cblofState, error) {
	settings := KMeans{Clusters: c.Clusters, Restarts: c.Restarts, MaxIter: 300, Tol: 1e-4}
	found, err := settings.cluster(ctx, env, s)
	if err != nil {
		return nil, err
	}
	sizes, order := make([]int, found.N), make([]int, found.N)
	for _, k := range found.Labels {
		sizes[k]++
	}
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return sizes[b] - sizes[a] })
	centres := cluster.Matrix[float64]{N: found.N, D: s.D}
	falling := make([]int, 0, found.N)
	for _, k := range order {
		centres.X, falling = append(centres.X, found.Row(k)...), append(falling, sizes[k])
	}
	m := &cblofState{centres: cluster.NewCentres(centres, nil), large: c.large(falling)}
	if c.Weighted {
		for _, n := range falling {
			m.sizes = append(m.sizes, float64(n))
		}
	}
	env.Logger().Debug("cblof: fitted", "rows", s.N, "sizes", falling, "large", m.large)
	return m, nil
}

// large is how many of the clusters of falling sizes are large.
func (c CBLOF) large(sizes []int) int {
	total, sum := 0, 0
	for _, n := range sizes {
		total += n
	}
	first, byShare, byJump := 0, 0, 0
	for b := 1; b < len(sizes); b++ {
		sum += sizes[b-1]
		share := float64(sum) >= c.Alpha*float64(total)
		jump := sizes[b] == 0 || float64(sizes[b-1])/float64(sizes[b]) >= c.Beta
		if share && jump && first == 0 {
			first = b
		}
		if share && byShare == 0 {
			byShare = b
		}
		if jump && byJump == 0 {
			byJump = b
		}
	}
	for _, b := range []int{first, byShare, byJump} {
		if b > 0 {
			return b
		}
	}
	return len(sizes)
}

func (m *cblofState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	own := make([]int32, s.N)
	if err := m.GroupRows(ctx, s, workers, own); err != nil {
		return err
	}
	return models.ParallelRows(ctx, s.N, 256, workers, func() func(lo, hi int) {
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				least := math.Inf(1)
				if k := int(own[i]); k < m.large {
					least = cluster.SquaredDistance(s.Row(i), m.centres.Row(k))
				} else {
					for k := range m.large {
						least = min(least, cluster.SquaredDistance(s.Row(i), m.centres.Row(k)))
					}
				}
				out[i] = math.Sqrt(least)
				if m.sizes != nil {
					out[i] *= m.sizes[own[i]]
				}
			}
		}
	})
}

func (m *cblofState) GroupRows(ctx context.Context, s *data.Set, workers int, out []int32) error {
	return cluster.Assign(ctx, m.centres, models.RowMatrix(s), workers, out)
}

// cblofMeta is the JSON part of the saved state.
type cblofMeta struct {
	Centres  int  `json:"centres"`
	Large    int  `json:"large"`
	Weighted bool `json:"weighted,omitempty"`
}

func (m *cblofState) RowState() (any, models.Arrays) {
	arrays := models.Arrays{"centres": m.centres.X}
	if m.sizes != nil {
		arrays["sizes"] = m.sizes
	}
	return cblofMeta{m.centres.N, m.large, m.sizes != nil}, arrays
}

func loadCBLOF(st models.State) (models.RowLearned, error) {
	var meta cblofMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.Large < 1 || meta.Large > meta.Centres {
		return nil, fmt.Errorf("%d of %d clusters are large", meta.Large, meta.Centres)
	}
	centres, err := loadCentres(st, meta.Centres)
	if err != nil {
		return nil, err
	}
	m := &cblofState{centres: centres, large: meta.Large}
	if meta.Weighted {
		m.sizes, err = models.FiniteArray[float64](st.Arrays, "sizes", meta.Centres)
	}
	return m, err
}
