package neighbours

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// Hierarchical is the height at which a row would join the training rows. These are joined two groups at a time,
// always the nearest two by the linkage, until the number of groups is reached; of those, groups of less than min_share
// of the rows stand for nothing normal and are forgotten, but for the largest. With d(x, A) the distance of the
// row to the group A by the same linkage,
//
//	score(x) = min over the groups kept of d(x, A)
//	d(x, A)  = √(2|A|/(|A|+1))·‖x − mean A‖      (ward)
//	           mean, largest or smallest of ‖x − a‖ over a ∈ A      (average, complete, single)
//
// (Ward, Hierarchical grouping to optimize an objective function, Journal of the American Statistical Association
// 58, 1963; Murtagh, A survey of recent advances in hierarchical clustering algorithms, Computer Journal 26, 1983,
// for the chains of nearest neighbours that find the groups.)
//
// Fit takes O(n²) time and 4 bytes for each pair of rows, hence the limit on rows. A scored row costs a distance
// to each group, or with another linkage than ward to each row.
type Hierarchical struct {
	// groups that are left; 8 as for k-means
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=10000"`
	// what the distance of two groups is
	Linkage string `yaml:"linkage" jsonschema:"enum=ward,enum=average,enum=complete,enum=single"`
	// share of the training rows below which a group is forgotten
	MinShare      float64 `yaml:"min_share" jsonschema:"minimum=0,maximum=1"`
	models.Sample `yaml:",inline"`
}

const hierarchical = "hierarchical"

func init() {
	models.Register(models.Info{
		Name: hierarchical,
		Doc:  "Height at which a row would join the nearest large group of hierarchically clustered training rows.",
		Paper: "Ward, Hierarchical grouping to optimize an objective function, Journal of the American Statistical " +
			"Association, 1963",
		Needs:  models.Needs{Input: data.Vectors},
		Seeded: models.Never,
		Memory: func(s models.Spec, rows, _ int) float64 {
			return cluster.AgglomerateBytes(s.(*Hierarchical).Rows(rows))
		},
		Defaults: func() models.Spec {
			return &Hierarchical{Clusters: 8, Linkage: "ward", MinShare: 0.01,
				Sample: models.Sample{MaxRows: 10000, Sample: "random"}}
		},
	})
}

var linkages = map[string]cluster.Linkage{
	"ward": cluster.WardLinkage, "average": cluster.AverageLinkage,
	"complete": cluster.CompleteLinkage, "single": cluster.SingleLinkage,
}

// New builds an unfitted detector.
func (c *Hierarchical) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(hierarchical, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: hierarchical, Spec: c, Env: env, Min: 1, Costly: true,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			return fitHierarchical(ctx, spec, env, spec.Take(s, env.Logger()))
		},
		Load: func(st models.State) (models.RowLearned, error) { return loadHierarchical(spec, st) },
	}.Clusterer(), nil
}

// hierarchicalState is the groups: for ward their means, otherwise their rows, group after group.
type hierarchicalState struct {
	by    cluster.Linkage
	d     int
	sizes []int32
	x     []float32 // rows
	means []float64 // of ward
}

func fitHierarchical(ctx context.Context, c Hierarchical, env models.Env, s *data.Set) (*hierarchicalState, error) {
	m := models.RowMatrix(s)
	by := linkages[c.Linkage]
	tree, err := cluster.Agglomerate(ctx, m, by, env.Parallel())
	if err != nil {
		return nil, err
	}
	labels, err := tree.Cut(c.Clusters)
	if err != nil {
		return nil, err
	}
	groups := make([][]int, slices.Max(labels)+1)
	for i, g := range labels {
		groups[g] = append(groups[g], i)
	}
	largest := slices.MaxFunc(groups, func(a, b []int) int { return len(a) - len(b) })
	out := &hierarchicalState{by: by, d: s.D}
	for _, g := range groups {
		if float64(len(g)) < c.MinShare*float64(s.N) && len(g) < len(largest) {
			continue
		}
		out.sizes = append(out.sizes, int32(len(g)))
		mean := make([]float64, s.D)
		for _, i := range g {
			out.x = append(out.x, s.Row(i)...)
			for j, v := range s.Row(i) {
				mean[j] += float64(v) / float64(len(g))
			}
		}
		out.means = append(out.means, mean...)
	}
	if by == cluster.WardLinkage {
		out.x = nil
	} else {
		out.means = nil
	}
	env.Logger().Debug("hierarchical: fitted", "rows", s.N, "groups", len(groups), "kept", len(out.sizes))
	return out, nil
}

func (m *hierarchicalState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return m.each(ctx, s, workers, func(i, _ int, d float64) { out[i] = d })
}

func (m *hierarchicalState) GroupRows(ctx context.Context, s *data.Set, workers int, out []int32) error {
	return m.each(ctx, s, workers, func(i, g int, _ float64) { out[i] = int32(g) })
}

// each finds every row's nearest group and the distance to it.
func (m *hierarchicalState) each(ctx context.Context, s *data.Set, workers int, visit func(i, g int, d float64)) error {
	return parallel.Blocks(ctx, workers, s.N, 16, func(from, to int) {
		for i := from; i < to && ctx.Err() == nil; i++ {
			best, least, first := 0, math.Inf(1), 0
			for g, size := range m.sizes {
				if d := m.distance(s.Row(i), g, first, int(size)); d < least {
					best, least = g, d
				}
				first += int(size)
			}
			visit(i, best, least)
		}
	})
}

// distance is that of a row to group g, whose size rows begin at row first.
func (m *hierarchicalState) distance(row []float32, g, first, size int) float64 {
	if m.by == cluster.WardLinkage {
		n := float64(size)
		return math.Sqrt(2 * n / (n + 1) * kernel.Apart(row, m.means[g*m.d:(g+1)*m.d]))
	}
	sum, least, most := 0.0, math.Inf(1), 0.0
	for r := first; r < first+size; r++ {
		d := math.Sqrt(kernel.Apart(row, m.x[r*m.d:(r+1)*m.d]))
		sum, least, most = sum+d, min(least, d), max(most, d)
	}
	switch m.by {
	case cluster.AverageLinkage:
		return sum / float64(size)
	case cluster.CompleteLinkage:
		return most
	}
	return least
}

func (m *hierarchicalState) RowState() (any, models.Arrays) {
	if m.by == cluster.WardLinkage {
		return struct{}{}, models.Arrays{"sizes": m.sizes, "means": m.means}
	}
	return struct{}{}, models.Arrays{"sizes": m.sizes, "rows": m.x}
}

func loadHierarchical(c Hierarchical, st models.State) (models.RowLearned, error) {
	if err := st.Meta(&struct{}{}); err != nil {
		return nil, err
	}
	sizes, err := models.Array[int32](st.Arrays, "sizes", -1)
	if err != nil {
		return nil, err
	}
	rows := 0
	for _, n := range sizes {
		if n < 1 {
			return nil, fmt.Errorf("a group of %d rows", n)
		}
		rows += int(n)
	}
	if rows == 0 || rows > math.MaxInt32 {
		return nil, fmt.Errorf("%d groups of %d rows", len(sizes), rows)
	}
	m := &hierarchicalState{by: linkages[c.Linkage], d: st.Columns, sizes: sizes}
	if m.by == cluster.WardLinkage {
		m.means, err = models.FiniteArray[float64](st.Arrays, "means", len(sizes)*m.d)
	} else {
		m.x, err = models.FiniteArray[float32](st.Arrays, "rows", rows*m.d)
	}
	return m, err
}
