// Package isolation has the trees of isolation forests: random cuts of random subsamples, and how soon a row is alone
// among them. What is made of paths, and of which rows, is the models'.
package isolation

import (
	"math"
	"math/rand/v2"

	"plumbline/numeric/elementary"
)

// Settings say how a tree is grown.
type Settings struct {
	Rows        int     // ψ: drawn for a tree, from 1 to as many as there are
	MaxFeatures float64 // share of the columns that a tree may cut; at least one
	Bootstrap   bool    // rows are drawn with replacement
}

// Node is one place of a tree. The rows with x[Column] ≤ Cut go to the next node, the others to Right.
type Node struct {
	Column int32 // −1: a leaf
	Cut    float32
	Right  int32
}

// Tree is its nodes in depth-first order, and for every leaf the length of the path that it stands for.
type Tree struct {
	Nodes []Node
	Path  []float64
}

// Grower grows trees on the rows of a row-major n×d matrix, one after the other in the same memory.
type Grower struct {
	Depth   int // limit: ⌈log2 ψ⌉
	x       []float32
	n, d    int
	s       Settings
	rows    []int32 // of the current tree, partitioned as it grows
	columns []int32 // that the current tree may cut
	r       *rand.Rand
	t       Tree
}

// NewGrower is a grower on n rows.
func NewGrower(x []float32, n int, s Settings) *Grower {
	return &Grower{x: x, n: n, d: len(x) / n, s: s, rows: make([]int32, s.Rows),
		Depth: int(math.Ceil(elementary.Log2(float64(max(s.Rows, 2)))))}
}

// Grow is a tree by a random stream: of the columns that vary in a node by more than 1e-7 one is drawn, and a cut
// uniformly between its extremes (Liu, Ting and Zhou 2008, algorithm 2).
func (g *Grower) Grow(r *rand.Rand) Tree {
	rows := g.Draw(r)
	g.t = Tree{}
	g.columns = g.columns[:0]
	for _, j := range g.Columns() {
		g.columns = append(g.columns, int32(j))
	}
	g.split(rows, len(g.columns), 0)
	return g.t
}

// Draw begins a tree: it takes the random stream over and draws the tree's rows, with replacement or by Floyd's
// algorithm without. They are the grower's own memory.
func (g *Grower) Draw(r *rand.Rand) []int32 {
	g.r = r
	psi := len(g.rows)
	if g.s.Bootstrap {
		for i := range g.rows {
			g.rows[i] = int32(g.r.IntN(g.n))
		}
		return g.rows
	}
	taken := make(map[int32]bool, psi)
	for i := range psi {
		top := int32(g.n - psi + i)
		row := g.r.Int32N(top + 1)
		if taken[row] {
			row = top
		}
		taken[row] = true
		g.rows[i] = row
	}
	return g.rows
}

// Columns draws those that the tree may cut.
func (g *Grower) Columns() []int {
	return g.r.Perm(g.d)[:max(1, int(g.s.MaxFeatures*float64(g.d)))]
}

// split grows the subtree of rows. The first open columns are those not known to be constant in it; the
// others are constant in all its nodes, since they are in one of its ancestors.
func (g *Grower) split(rows []int32, open, depth int) {
	at := len(g.t.Nodes)
	g.t.Nodes = append(g.t.Nodes, Node{Column: -1})
	g.t.Path = append(g.t.Path, float64(depth)+AveragePath(len(rows)))
	if len(rows) <= 1 || depth >= g.Depth {
		return
	}
	for open > 0 {
		pick := g.r.IntN(open)
		j := g.columns[pick]
		low, high := g.Extremes(rows, int(j))
		if float64(high) <= float64(low)+1e-7 {
			open--
			g.columns[pick], g.columns[open] = g.columns[open], j
			continue
		}
		cut := between(low, high, g.r.Float64())
		mid := g.partition(rows, int(j), cut)
		g.split(rows[:mid], open, depth+1)
		g.t.Nodes[at] = Node{Column: j, Cut: cut, Right: int32(len(g.t.Nodes))}
		g.split(rows[mid:], open, depth+1)
		return
	}
}

// Extremes are the least and the largest value of column j among rows, of which there are some.
func (g *Grower) Extremes(rows []int32, j int) (low, high float32) {
	low = g.x[int(rows[0])*g.d+j]
	high = low
	for _, i := range rows[1:] {
		v := g.x[int(i)*g.d+j]
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
func (g *Grower) partition(rows []int32, j int, cut float32) int {
	mid := 0
	for i, row := range rows {
		if g.x[int(row)*g.d+j] <= cut {
			rows[i], rows[mid] = rows[mid], row
			mid++
		}
	}
	return mid
}

// AveragePath is c(m), the mean path length of an unsuccessful search in a binary tree of m keys (equation 1).
func AveragePath(m int) float64 {
	switch {
	case m <= 1:
		return 0
	case m == 2:
		return 1
	}
	const euler = 0.5772156649015329
	n := float64(m)
	return 2*(elementary.Log(n-1)+euler) - 2*(n-1)/n
}

// Walk is h(x): the cuts on the way of a row and what its leaf stands for.
func (t *Tree) Walk(x []float32) float64 {
	at := int32(0)
	for {
		n := &t.Nodes[at]
		switch {
		case n.Column < 0:
			return t.Path[at]
		case x[n.Column] <= n.Cut:
			at++
		default:
			at = n.Right
		}
	}
}

// Deviation is h(x) and the mean distance |x_j − cut| from the cuts on the way; 0 where there is none.
func (t *Tree) Deviation(x []float32) (path, distance float64) {
	at, cuts := int32(0), 0.0
	for {
		n := &t.Nodes[at]
		if n.Column < 0 {
			return t.Path[at], distance / max(cuts, 1)
		}
		cuts++
		distance += math.Abs(float64(x[n.Column]) - float64(n.Cut))
		if x[n.Column] <= n.Cut {
			at++
		} else {
			at = n.Right
		}
	}
}
