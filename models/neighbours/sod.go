package neighbours

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/neighbour"
)

// SOD is subspace outlier detection: the distance of a row from its reference set in the columns in which that set
// varies little. R is the training rows that share the most of their k nearest training rows with x, equals by their
// place in training. With μ_j and v_j mean and variance of column j over R, and the columns
//
//	D        = {j : v_j < α · 1/d Σ_i v_i}
//	score(x) = √(Σ_{j∈D} (x_j − μ_j)² / |D|)          (0 without any)
//
// (Kriegel, Kröger, Schubert and Zimek, Outlier detection in axis-parallel subspaces of high dimensional data, PAKDD
// 2009, section 3; the root of the whole is PyOD's, the paper divides the root by |D|. PyOD looks for reference sets
// among the rows to be scored and leaves the order of equals to its sort; here they are training rows.)
//
// Brute force: n² distances for Fit, n for each scored row.
type SOD struct {
	// neighbours that are compared; 20 as in PyOD; fewer where there are fewer training rows
	K int `yaml:"k" jsonschema:"minimum=1,maximum=10000"`
	// rows of a reference set; 10 as in PyOD; fewer where there are fewer training rows
	Reference int `yaml:"reference" jsonschema:"minimum=1,maximum=10000"`
	// α: the share of the mean variance below which a column counts; 0.8 as in the paper
	Alpha         float64 `yaml:"alpha" jsonschema:"exclusiveMinimum=0,maximum=1"`
	models.Sample `yaml:",inline"`
}

const sod = "sod"

func init() {
	models.Register(models.Info{
		Name: sod,
		Doc:  "Subspace outlier detection: the distance from similar rows in the columns in which these vary little.",
		Paper: "Kriegel, Kröger, Schubert and Zimek, Outlier detection in axis-parallel subspaces of high dimensional " +
			"data, PAKDD 2009",
		Needs:  models.Needs{Input: data.Vectors},
		Seeded: models.Never,
		Defaults: func() models.Spec {
			return &SOD{K: 20, Reference: 10, Alpha: 0.8, Sample: models.Sample{Sample: "random"}}
		},
	})
}

// New builds an unfitted detector.
func (c *SOD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(sod, c); err != nil {
		return nil, err
	}
	spec := *c
	return detector(sod, c, env, 2,
		func(ctx context.Context, s *data.Set) (judge, error) {
			return fitSOD(ctx, spec, env, spec.Take(s, env.Logger()))
		},
		func(st models.State) (judge, error) { return loadSOD(spec, st) }), nil
}

type sodState struct {
	k, set int
	alpha  float64
	ref    *neighbour.Reference
	near   []int32 // n×k: the nearest of every row

	// of[start[o]:start[o+1]] is the rows that have row o among their nearest.
	start, of []int32
}

func fitSOD(ctx context.Context, c SOD, env models.Env, s *data.Set) (*sodState, error) {
	if s.N < 2 {
		return nil, fmt.Errorf("%w: %d rows left by max_rows, needs at least 2", models.ErrInput, s.N)
	}
	k := fewer(sod, c.K, s.N-1, env)
	ref := neighbour.New(slices.Clone(s.X), s.N, s.D)
	found, err := nearestOf(ctx, ref, k, env)
	if err != nil {
		return nil, err
	}
	near := make([]int32, len(found))
	for i, o := range found {
		near[i] = o.Row
	}
	return newSOD(c, k, ref, near), nil
}

func newSOD(c SOD, k int, ref *neighbour.Reference, near []int32) *sodState {
	m := &sodState{k: k, set: min(c.Reference, ref.N-1), alpha: c.Alpha, ref: ref, near: near,
		start: make([]int32, ref.N+1), of: make([]int32, len(near))}
	for _, o := range near {
		m.start[o+1]++
	}
	for i := range ref.N {
		m.start[i+1] += m.start[i]
	}
	next := slices.Clone(m.start)
	for i, o := range near {
		m.of[next[o]] = int32(i / k)
		next[o]++
	}
	return m
}

func (m *sodState) reference() (*neighbour.Reference, int) { return m.ref, m.k }

func (m *sodState) worker() func([]float32, []neighbour.Neighbour, int) float64 {
	shared := make([]int32, m.ref.N)
	var met []int32 // rows that share any
	mean, spread := make([]float64, m.ref.D), make([]float64, m.ref.D)
	return func(row []float32, near []neighbour.Neighbour, self int) float64 {
		for _, o := range near {
			for _, p := range m.of[m.start[o.Row]:m.start[o.Row+1]] {
				if int(p) == self {
					continue
				}
				if shared[p] == 0 {
					met = append(met, p)
				}
				shared[p]++
			}
		}
		slices.SortFunc(met, func(a, b int32) int {
			return cmp.Or(cmp.Compare(shared[b], shared[a]), cmp.Compare(a, b))
		})
		set := met[:min(len(met), m.set)]
		for p := int32(0); len(set) < m.set && int(p) < m.ref.N; p++ {
			if shared[p] == 0 && int(p) != self {
				set = append(set, p)
			}
		}
		score := m.apart(row, set, mean, spread)
		for _, p := range met {
			shared[p] = 0
		}
		met = met[:0]
		return score
	}
}

// apart is the distance of the row from the set in the columns in which that varies little.
func (m *sodState) apart(row []float32, set []int32, mean, spread []float64) float64 {
	n, d := float64(len(set)), len(row)
	clear(mean)
	clear(spread)
	for _, p := range set {
		for j, v := range m.ref.Row(int(p)) {
			mean[j] += float64(v) / n
		}
	}
	all := 0.0
	for _, p := range set {
		for j, v := range m.ref.Row(int(p)) {
			spread[j] += (float64(v) - mean[j]) * (float64(v) - mean[j]) / n
		}
	}
	for _, v := range spread {
		all += v / float64(d)
	}
	sum, count := 0.0, 0.0
	for j, v := range spread {
		if v < m.alpha*all {
			count++
			sum += float64((float64(row[j]) - mean[j]) * (float64(row[j]) - mean[j]))
		}
	}
	if count == 0 {
		return 0
	}
	return math.Sqrt(sum / count)
}

func (m *sodState) state() (any, models.Arrays) {
	return rowsMeta{m.ref.N, m.k}, models.Arrays{"rows": m.ref.X, "near": m.near}
}

func loadSOD(c SOD, st models.State) (judge, error) {
	ref, k, err := loadRows(st, 2, others)
	if err != nil {
		return nil, err
	}
	near, err := models.Array[int32](st.Arrays, "near", ref.N*k)
	if err != nil {
		return nil, err
	}
	for i, o := range near {
		if o < 0 || int(o) >= ref.N || int(o) == i/k {
			return nil, fmt.Errorf("row %d of %d has neighbour %d", i/k, ref.N, o)
		}
	}
	return newSOD(c, k, ref, near), nil
}
