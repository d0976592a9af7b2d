package trees

import "math"

// Walker takes many rows through a tree. It is worth its making from some hundred rows on.
type Walker struct {
	tree *Tree
	// nodes is nil where the tree has splits by categories.
	nodes []step
}

// step is a node: a row goes left where the key of x[column] is at most at. A leaf's children are the leaf.
type step struct{ at, column, left, right int32 }

// NewWalker is the walker of a tree, which must not change any more.
func NewWalker(t *Tree) *Walker {
	w := &Walker{tree: t}
	if t.Category != nil {
		return w
	}
	w.nodes = make([]step, len(t.Column))
	for q, c := range t.Column {
		if c < 0 {
			w.nodes[q] = step{left: int32(q), right: int32(q)}
			continue
		}
		at := float32(t.At[q])
		if float64(at) > t.At[q] { // down: the same float32 are at most at
			at = math.Nextafter32(at, float32(math.Inf(-1)))
		}
		w.nodes[q] = step{key(at + 0), c, t.Left[q], t.Right[q]} // −0 + 0 is 0
	}
	return w
}

// key orders float32 as whole numbers, −0 before 0.
func key(v float32) int32 {
	b := int32(math.Float32bits(v))
	return b ^ b>>31&math.MaxInt32
}

// Rows is rows of d columns for walkers.
type Rows struct {
	x       []float32
	d       int
	keys    []int32
	missing bool // some value is NaN
}

// NewRows makes rows of a row-major matrix.
func NewRows(x []float32, d int) *Rows {
	r := &Rows{x: x, d: d, keys: make([]int32, len(x))}
	for i, v := range x {
		r.keys[i] = key(v)
		r.missing = r.missing || v != v
	}
	return r
}

// Leaves fills out with the node of a tree in which each of the first rows ends.
func (r *Rows) Leaves(t *Tree, out []int32) {
	for i := range out {
		out[i] = int32(t.Leaf(r.x[i*r.d : (i+1)*r.d]))
	}
}

// Leaves fills out with the node in which each of the first rows ends. Four rows go side by side and without branches:
// which way a row goes cannot be foreseen, and each step waits for the one before.
func (w *Walker) Leaves(rows *Rows, out []int32) {
	i, d := 0, rows.d
	if w.nodes != nil && !rows.missing {
		for ; i+4 <= len(out); i += 4 {
			w.four(rows.keys[i*d:(i+4)*d], d, (*[4]int32)(out[i:]))
		}
	}
	for ; i < len(out); i++ {
		out[i] = int32(w.tree.Leaf(rows.x[i*d : (i+1)*d]))
	}
}

func (w *Walker) four(x []int32, d int, out *[4]int32) {
	nodes := w.nodes
	a, b, c, e := x[:d], x[d:2*d], x[2*d:3*d], x[3*d:4*d]
	var p, q, r, s int32
	for {
		pn, qn := nodes[p].next(a), nodes[q].next(b)
		rn, sn := nodes[r].next(c), nodes[s].next(e)
		if (p^pn)|(q^qn)|(r^rn)|(s^sn) == 0 {
			break
		}
		p, q, r, s = pn, qn, rn, sn
	}
	*out = [4]int32{p, q, r, s}
}

func (n *step) next(x []int32) int32 {
	right := int32((int64(n.at) - int64(x[n.column])) >> 63) // all ones, or none
	return n.left ^ (n.left^n.right)&right
}
