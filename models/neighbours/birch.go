package neighbours

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/neighbour"
)

// Birch is the distance from the subclusters of the training rows: each row is put into a tree of clustering
// features, where it joins the nearest subcluster if that stays within the radius threshold, or begins one. With
// μ_s the means of the subclusters of at least min_rows rows, or of all where there is none,
//
//	score(x) = min_s ‖x − μ_s‖
//
// (Zhang, Ramakrishnan and Livny, BIRCH: an efficient data clustering method for very large databases, SIGMOD
// 1996.) The tree is rebuilt with a larger radius whenever it has more than max_subclusters. The cluster of a row
// is that of its subcluster after these are joined by Ward's method.
//
// Fit looks at every row once, in a time that grows with the depth of the tree.
type Birch struct {
	// largest radius of a subcluster, on the scale of the columns; 0.5 as in scikit-learn
	Threshold float64 `yaml:"threshold" jsonschema:"minimum=0,maximum=1000000"`
	// entries of a node of the tree at most; 50 as in scikit-learn
	Branching int `yaml:"branching" jsonschema:"minimum=2,maximum=10000"`
	// subclusters at most: where a radius of threshold makes more, it is raised
	MaxSubclusters int `yaml:"max_subclusters" jsonschema:"minimum=1,maximum=20000"`
	// rows below which a subcluster counts as an outlier of the training set
	MinRows int `yaml:"min_rows" jsonschema:"minimum=1,maximum=1000000"`
	// clusters that subclusters are joined to
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=10000"`
}

const birch = "birch"

func init() {
	models.Register(models.Info{
		Name: birch,
		Doc:  "Distance to the mean of the nearest subcluster of the training rows.",
		Paper: "Zhang, Ramakrishnan and Livny, BIRCH: an efficient data clustering method for very large databases, " +
			"SIGMOD 1996",
		Needs:  models.Needs{Input: data.Vectors},
		Seeded: models.Never,
		Defaults: func() models.Spec {
			return &Birch{Threshold: 0.5, Branching: 50, MaxSubclusters: 2000, MinRows: 2, Clusters: 8}
		},
	})
}

// New builds an unfitted detector.
func (c *Birch) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(birch, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: birch, Spec: c, Env: env, Min: 1, Costly: true,
		Fit:  func(ctx context.Context, s *data.Set) (models.RowLearned, error) { return fitBirch(ctx, spec, env, s) },
		Load: loadBirch,
	}.Clusterer(), nil
}

// birchState is the means of subclusters and their clusters.
type birchState struct {
	means  *neighbour.Reference
	labels []int32
}

func fitBirch(ctx context.Context, c Birch, env models.Env, s *data.Set) (*birchState, error) {
	rows := make([][]float32, s.N)
	for i := range rows {
		rows[i] = s.Row(i)
	}
	tree, err := cluster.Birch(ctx, rows, c.Threshold, c.Branching, c.MaxSubclusters)
	if err != nil {
		return nil, err
	}
	if tree.Threshold > c.Threshold {
		env.Logger().Info("birch: radius raised so that there are no more subclusters than wanted",
			"from", c.Threshold, "to", tree.Threshold)
	}
	means, sizes := tree.Means(), tree.Sizes()
	var kept [][]float32
	for i, mean := range means {
		if sizes[i] >= float64(c.MinRows) {
			kept = append(kept, mean)
		}
	}
	if len(kept) == 0 {
		kept = means
	}
	groups, err := cluster.Agglomerate(ctx, cluster.Rows(kept), cluster.WardLinkage, env.Parallel())
	if err != nil {
		return nil, err
	}
	labels, err := groups.Cut(c.Clusters)
	if err != nil {
		return nil, err
	}
	env.Logger().Debug("birch: fitted", "rows", s.N, "subclusters", len(means), "kept", len(kept))
	return &birchState{neighbour.New(slices.Concat(kept...), len(kept), s.D), labels}, nil
}

func (m *birchState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return m.means.Nearest(ctx, s.X, 1, workers, -1, func(i int, near []neighbour.Neighbour) {
		out[i] = near[0].Distance
	})
}

func (m *birchState) GroupRows(ctx context.Context, s *data.Set, workers int, out []int32) error {
	return m.means.Nearest(ctx, s.X, 1, workers, -1, func(i int, near []neighbour.Neighbour) {
		out[i] = m.labels[near[0].Row]
	})
}

// birchMeta is the JSON part of the saved state.
type birchMeta struct {
	Subclusters int `json:"subclusters"`
}

func (m *birchState) RowState() (any, models.Arrays) {
	return birchMeta{m.means.N}, models.Arrays{"rows": m.means.X, "clusters": m.labels}
}

func loadBirch(st models.State) (models.RowLearned, error) {
	var meta birchMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.Subclusters < 1 || meta.Subclusters > math.MaxInt32 {
		return nil, fmt.Errorf("%d subclusters", meta.Subclusters)
	}
	labels, err := models.Array[int32](st.Arrays, "clusters", meta.Subclusters)
	if err != nil {
		return nil, err
	}
	if slices.Min(labels) < 0 {
		return nil, fmt.Errorf("a subcluster of cluster %d", slices.Min(labels))
	}
	means, err := loadReference(st, meta.Subclusters)
	if err != nil {
		return nil, err
	}
	return &birchState{means, labels}, nil
}
