package classic

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"plumbline/data"
	"plumbline/models"
)

// IForest is the isolation forest: trees that cut random subsamples at random places; rows that end up
// alone after few cuts are anomalous. With T trees of ψ rows, h_t(x) the number of cuts on the way to the
// leaf of x plus c(m) for the m training rows of that leaf, and c(m) the mean path length of an
// unsuccessful search in a binary tree of m keys,
//
//	c(m)     = 2(ln(m−1) + 0.5772…) − 2(m−1)/m,  c(2) = 1, c(1) = 0
//	score(x) = 2^(−1/T Σ_t h_t(x) / c(ψ))          in (0, 1)
//
// (Liu, Ting and Zhou, Isolation forest, ICDM 2008, equations 1 and 2.) A node draws a column among those
// that vary in it by more than 1e-7 and a threshold uniformly between the extremes; depth is limited to
// ⌈log2 ψ⌉. Subsamples are without replacement as in the paper, or with (bootstrap).
//
// With an extension level e from 1 on, a node is cut by a plane through a random point of its box instead: its normal
// has standard normal entries in e+1 random columns of those that vary in the node (Hariri, Kind and Brunner, Extended
// isolation forest, IEEE TKDE 33, 2021; there constant columns may be drawn, too, and cut nothing off).
//
// With a contamination c, what a share c of the training scores lies above is taken from all scores, so that those
// above 0 are the anomalies, as in scikit-learn, whose sign is the other; it costs a score of every training row.
//
// Fit costs Tψ log ψ steps, each scored row T log ψ, with planes e+1 times as much.
type IForest struct {
	// number of trees; 100 as in the paper
	Trees int `yaml:"trees" jsonschema:"minimum=1,maximum=100000"`
	// training rows of a tree; 256 as in the paper; all where there are fewer
	MaxSamples int `yaml:"max_samples" jsonschema:"minimum=1"`
	// share of the columns that a tree may cut, drawn anew for each; 1 is all
	MaxFeatures float64 `yaml:"max_features" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// draw a tree's rows with replacement
	Bootstrap bool `yaml:"bootstrap"`
	// e: columns that a cut looks at, less one; 0: cuts along columns; as many as there are columns less one at most
	Extension int `yaml:"extension" jsonschema:"minimum=0,maximum=65535"`
	// share of the training rows that get scores above 0; 0: scores are as in the paper
	Contamination float64 `yaml:"contamination" jsonschema:"minimum=0,maximum=0.5"`
}

const iforest = "iforest"

func init() {
	models.Register(models.Info{
		Name: iforest,
		Doc: "Isolation forest: random cuts of random subsamples; the score falls with the cuts that isolate " +
			"a row.",
		Paper:    "Liu, Ting and Zhou, Isolation forest, ICDM 2008",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &IForest{Trees: 100, MaxSamples: 256, MaxFeatures: 1} },
	})
}

// New builds an unfitted detector.
func (c *IForest) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(iforest, c); err != nil {
		return nil, err
	}
	spec := *c
	method := models.RowMethod{
		Name: iforest, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			m, err := spec.grow(ctx, env, s)
			if err != nil || spec.Contamination == 0 {
				return m, err
			}
			return withOffset(ctx, m, spec.Contamination, env, s)
		},
		Load: func(st models.State) (models.RowLearned, error) {
			m, err := spec.load(st)
			if err != nil || spec.Contamination == 0 {
				return m, err
			}
			return loadOffset(m, st)
		},
	}
	if spec.Extension > 0 { // planes belong to no column
		return method.Detector(), nil
	}
	return method.Explainer(), nil
}

// grow is a forest of either kind.
func (c IForest) grow(ctx context.Context, env models.Env, s *data.Set) (models.RowLearned, error) {
	if c.Extension > 0 {
		return fitOblique(ctx, c, env, s)
	}
	return fitIForest(ctx, c, env, s)
}

func (c IForest) load(st models.State) (models.RowLearned, error) {
	if c.Extension > 0 {
		return loadOblique(c, st)
	}
	return loadIForest(st)
}

// node is one place of a tree. The rows with x[column] ≤ cut go to the next node, the others to right.
type node struct {
	column int32 // −1: a leaf
	cut    float32
	right  int32
}

// tree is its nodes in depth-first order, and for every leaf the length of the path that it stands for.
type tree struct {
	nodes []node
	path  []float64
}

type iforestState struct {
	d     int
	psi   int // rows of a tree
	trees []tree

	once sync.Once
	mean [][]float64 // by tree and node: mean path of its training rows; made when it is first asked for
}

// treesAStep is how many trees are grown between two reports.
const treesAStep = 64

func fitIForest(ctx context.Context, c IForest, env models.Env, s *data.Set) (*iforestState, error) {
	m := &iforestState{d: s.D, psi: min(c.MaxSamples, s.N), trees: make([]tree, c.Trees)}
	steps := (c.Trees + treesAStep - 1) / treesAStep
	for step := range steps {
		first := step * treesAStep
		n := min(treesAStep, c.Trees-first)
		err := models.ParallelRows(ctx, n, 1, env.Parallel(), func() func(lo, hi int) {
			g := newGrower(s, c, m.psi)
			return func(i, _ int) { m.trees[first+i] = g.grow(env.Rand(fmt.Sprint("iforest tree ", first+i))) }
		})
		if err != nil {
			return nil, err
		}
		env.Progress(models.Epoch{N: step + 1, Of: steps, Loss: math.NaN(), ValidLoss: math.NaN(), Rate: math.NaN(),
			Samples: n * m.psi})
	}
	return m, nil
}

// grower grows trees one after the other in the same memory.
type grower struct {
	s       *data.Set
	c       IForest
	depth   int     // limit
	rows    []int32 // of the current tree, partitioned as it grows
	columns []int32 // that the current tree may cut
	r       *rand.Rand
	t       tree
}

func newGrower(s *data.Set, c IForest, psi int) *grower {
	return &grower{s: s, c: c, depth: int(math.Ceil(math.Log2(float64(max(psi, 2))))), rows: make([]int32, psi)}
}

func (g *grower) grow(r *rand.Rand) tree {
	g.r, g.t = r, tree{}
	g.drawRows()
	g.columns = g.columns[:0]
	for _, j := range r.Perm(g.s.D)[:max(1, int(g.c.MaxFeatures*float64(g.s.D)))] {
		g.columns = append(g.columns, int32(j))
	}
	g.split(g.rows, len(g.columns), 0)
	return g.t
}

// drawRows draws the tree's rows: with replacement, or by Floyd's algorithm without.
func (g *grower) drawRows() {
	n, psi := g.s.N, len(g.rows)
	if g.c.Bootstrap {
		for i := range g.rows {
			g.rows[i] = int32(g.r.IntN(n))
		}
		return
	}
	taken := make(map[int32]bool, psi)
	for i := range psi {
		top := int32(n - psi + i)
		row := g.r.Int32N(top + 1)
		if taken[row] {
			row = top
		}
		taken[row] = true
		g.rows[i] = row
	}
}

// split grows the subtree of rows. The first open columns are those not known to be constant in it; the
// others are constant in all its nodes, since they are in one of its ancestors.
func (g *grower) split(rows []int32, open, depth int) {
	at := len(g.t.nodes)
	g.t.nodes = append(g.t.nodes, node{column: -1})
	g.t.path = append(g.t.path, float64(depth)+averagePath(len(rows)))
	if len(rows) <= 1 || depth >= g.depth {
		return
	}
	for open > 0 {
		pick := g.r.IntN(open)
		j := g.columns[pick]
		low, high := g.extremes(rows, int(j))
		if float64(high) <= float64(low)+1e-7 {
			open--
			g.columns[pick], g.columns[open] = g.columns[open], j
			continue
		}
		cut := between(low, high, g.r.Float64())
		mid := g.partition(rows, int(j), cut)
		g.split(rows[:mid], open, depth+1)
		g.t.nodes[at] = node{column: j, cut: cut, right: int32(len(g.t.nodes))}
		g.split(rows[mid:], open, depth+1)
		return
	}
}

func (g *grower) extremes(rows []int32, j int) (low, high float32) {
	low = g.s.X[int(rows[0])*g.s.D+j]
	high = low
	for _, i := range rows[1:] {
		v := g.s.X[int(i)*g.s.D+j]
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// between is low + u(high−low), rounded down to float32, which divides float32 values as the exact number
// would; never high, so that something is left on its side.
func between(low, high float32, u float64) float32 {
	exact := float64(low) + float64(u*(float64(high)-float64(low)))
	cut := float32(exact)
	if float64(cut) > exact {
		cut = math.Nextafter32(cut, float32(math.Inf(-1)))
	}
	if cut < low || cut >= high {
		cut = low
	}
	return cut
}

// partition moves the rows with x[j] ≤ cut to the front and counts them.
func (g *grower) partition(rows []int32, j int, cut float32) int {
	mid := 0
	for i, row := range rows {
		if g.s.X[int(row)*g.s.D+j] <= cut {
			rows[i], rows[mid] = rows[mid], row
			mid++
		}
	}
	return mid
}

// averagePath is c(m).
func averagePath(m int) float64 {
	switch {
	case m <= 1:
		return 0
	case m == 2:
		return 1
	}
	const euler = 0.5772156649015329
	n := float64(m)
	return 2*(math.Log(n-1)+euler) - 2*(n-1)/n
}

func (m *iforestState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return isolation(ctx, s.N, workers, len(m.trees), m.psi, out, func(t, lo, hi int) {
		for i := lo; i < hi; i++ {
			out[i] += m.trees[t].walk(s.X[i*m.d : (i+1)*m.d])
		}
	})
}

// isolation is the scores 2^(−E[h]/c(ψ)) of n rows by some trees, of which add adds the paths of the rows lo to hi−1
// to out. With one row a tree, c is 0 and so are all paths; the score is then 1/2, as in scikit-learn.
func isolation(ctx context.Context, n, workers, trees, psi int, out []float64, add func(tree, lo, hi int)) error {
	scale := float64(trees) * averagePath(psi)
	return models.ParallelRows(ctx, n, 256, workers, func() func(lo, hi int) {
		return func(lo, hi int) {
			// One tree after the other: its nodes stay in the cache while it meets all rows.
			clear(out[lo:hi])
			for t := range trees {
				if ctx.Err() != nil {
					return
				}
				add(t, lo, hi)
			}
			for i := lo; i < hi; i++ {
				if scale == 0 {
					out[i] = 0.5
				} else {
					out[i] = math.Exp2(-out[i] / scale)
				}
			}
		}
	})
}

// walk is h(x).
func (t *tree) walk(x []float32) float64 {
	at := int32(0)
	for {
		n := &t.nodes[at]
		switch {
		case n.column < 0:
			return t.path[at]
		case x[n.column] <= n.cut:
			at++
		default:
			at = n.right
		}
	}
}

// iforestMeta is the JSON part of the saved state.
type iforestMeta struct {
	Rows int `json:"rows_per_tree"`
}

func (m *iforestState) RowState() (any, models.Arrays) {
	var sizes, column, right []int32
	var cut []float32
	var path []float64
	for _, t := range m.trees {
		sizes = append(sizes, int32(len(t.nodes)))
		path = append(path, t.path...)
		for _, n := range t.nodes {
			column, cut, right = append(column, n.column), append(cut, n.cut), append(right, n.right)
		}
	}
	return iforestMeta{m.psi},
		models.Arrays{"sizes": sizes, "column": column, "cut": cut, "right": right, "path": path}
}

func loadIForest(st models.State) (models.RowLearned, error) {
	var meta iforestMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	sizes, err := models.Array[int32](st.Arrays, "sizes", -1)
	if err != nil {
		return nil, err
	}
	column, err := models.Array[int32](st.Arrays, "column", -1)
	if err != nil {
		return nil, err
	}
	total := len(column)
	right, err := models.Array[int32](st.Arrays, "right", total)
	if err != nil {
		return nil, err
	}
	cut, err := models.FiniteArray[float32](st.Arrays, "cut", total)
	if err != nil {
		return nil, err
	}
	path, err := models.FiniteArray[float64](st.Arrays, "path", total)
	if err != nil {
		return nil, err
	}
	m := &iforestState{d: st.Columns, psi: meta.Rows}
	if m.d < 1 || m.psi < 1 || len(sizes) < 1 {
		return nil, fmt.Errorf("%d trees of %d rows, %d columns", len(sizes), m.psi, m.d)
	}
	for _, size := range sizes {
		if size < 1 || int(size) > len(column) {
			return nil, fmt.Errorf("a tree of %d nodes, %d left", size, len(column))
		}
		t := tree{nodes: make([]node, size), path: path[:size:size]}
		for i := range t.nodes {
			n := node{column[i], cut[i], right[i]}
			// Every way goes on to a later node, so that it ends.
			if n.column < -1 || int(n.column) >= m.d || n.column >= 0 && (n.right <= int32(i)+1 || n.right >= size) ||
				t.path[i] < 0 {
				return nil, fmt.Errorf("node %d is %+v in a tree of %d nodes", i, n, size)
			}
			t.nodes[i] = n
		}
		m.trees = append(m.trees, t)
		column, cut, right, path = column[size:], cut[size:], right[size:], path[size:]
	}
	if len(column) > 0 {
		return nil, fmt.Errorf("%d nodes too many", len(column))
	}
	return m, nil
}
