package isolation

import "math"

// Walkers take rows through trees. Of each tree the places stand level by level, the root at 1 and the children of
// place i at 2i and 2i+1, and a leaf above the last level fills all that is below it: every way has as many steps as
// the deepest tree, so that four go side by side and without branches, of which nobody could foresee the way.
type Walkers struct {
	trees  []Tree
	depth  int
	places [][]place   // by tree 2^depth; nil: the trees are too deep
	path   [][]float64 // by tree 2^depth, below the last places
}

// place is a cut: the rows with x[column] ≤ cut go to the left.
type place struct {
	cut    float32
	column uint32
}

// walkersDepth is up to how many levels places are laid out, of which one takes as much memory as all before.
const walkersDepth = 10

// NewWalkers are those of trees, whose cuts are finite, and which must not change any more.
func NewWalkers(trees []Tree) *Walkers {
	w := &Walkers{trees: trees}
	for t := range trees {
		w.depth = max(w.depth, trees[t].depth(0))
	}
	if w.depth > walkersDepth || w.depth == 0 {
		return w
	}
	for t := range trees {
		w.places = append(w.places, make([]place, 1<<w.depth))
		w.path = append(w.path, make([]float64, 1<<w.depth))
		w.lay(t, 0, 1, 0)
	}
	return w
}

// depth is the number of cuts on the longest way from a node.
func (t *Tree) depth(at int32) int {
	n := &t.Nodes[at]
	if n.Column < 0 {
		return 0
	}
	return 1 + max(t.depth(at+1), t.depth(n.Right))
}

// lay puts the subtree of a node at a place of some level.
func (w *Walkers) lay(t int, node int32, at, level int) {
	tree := &w.trees[t]
	n := &tree.Nodes[node]
	if n.Column >= 0 {
		w.places[t][at] = place{n.Cut, uint32(n.Column)}
		w.lay(t, node+1, 2*at, level+1)
		w.lay(t, n.Right, 2*at+1, level+1)
		return
	}
	below := w.depth - level
	first := at<<below - 1<<w.depth
	for i := range 1 << below {
		w.path[t][first+i] = tree.Path[node]
	}
}

// Sums fills each of sums with the sum of the paths of a row, as [Tree.Walk] has them, in all trees, added in their
// order; x is as many rows of d columns, row-major. room is memory that is used again, or nil; it is given back.
func (w *Walkers) Sums(x []float32, d int, sums []float64, room []Four) []Four {
	clear(sums)
	i := 0
	if w.places != nil && len(sums) >= len(Four{}) {
		i = len(sums) / len(Four{}) * len(Four{})
		room = fours(x[:i*d], d, room)
		for from := 0; from < i; from += chunk {
			to := min(from+chunk, i)
			for t, places := range w.places { // one after the other: they stay in the cache while they meet some rows
				path := w.path[t]
				for k := from; k < to; k += len(Four{}) {
					at := k / len(Four{}) * d
					p, q, r, s := way(places, room[at:at+d], w.depth)
					of := (*[len(Four{})]float64)(sums[k:])
					of[0] += path[p-len(path)]
					of[1] += path[q-len(path)]
					of[2] += path[r-len(path)]
					of[3] += path[s-len(path)]
				}
			}
		}
	}
	for ; i < len(sums); i++ {
		sums[i] = w.sum(x[i*d : (i+1)*d])
	}
	return room
}

// chunk is how many rows meet a tree before the next: those of a hundred columns fit the first cache.
const chunk = 32

// Four is the values of a column in four rows.
type Four [4]float32

// fours is rows by four, with infinity for what is missing, which goes to the right like it.
func fours(x []float32, d int, room []Four) []Four {
	n := len(x) / len(Four{})
	if cap(room) < n {
		room = make([]Four, n)
	}
	room = room[:n]
	inf := float32(math.Inf(1))
	for from := 0; from < n; from += d {
		to, rows := room[from:from+d], x[from*len(Four{}):]
		for k := range len(Four{}) {
			for j, v := range rows[k*d : (k+1)*d] {
				if v != v {
					v = inf
				}
				to[j][k] = v
			}
		}
	}
	return room
}

// way is where four rows end. It is a function of its own, since the compiler has registers for little more.
//
//go:noinline
func way(places []place, rows []Four, depth int) (p, q, r, s int) {
	p, q, r, s = 1, 1, 1, 1
	for range depth {
		p = 2*p + right(&places[p], rows, 0)
		q = 2*q + right(&places[q], rows, 1)
		r = 2*r + right(&places[r], rows, 2)
		s = 2*s + right(&places[s], rows, 3)
	}
	return p, q, r, s
}

// right is 1 where row k of four goes to the right, else 0.
func right(n *place, rows []Four, k int) (is int) {
	if rows[n.column][k] > n.cut {
		is = 1
	}
	return is
}

// sum is the sum of the paths of one row, in four trees at a time.
func (w *Walkers) sum(x []float32) (sum float64) {
	t := 0
	if w.places != nil {
		for ; t+4 <= len(w.trees); t += 4 {
			a, b, c, e := w.places[t], w.places[t+1], w.places[t+2], w.places[t+3]
			p, q, r, s := 1, 1, 1, 1
			for range w.depth {
				p, q = 2*p+a[p].side(x), 2*q+b[q].side(x)
				r, s = 2*r+c[r].side(x), 2*s+e[s].side(x)
			}
			n := len(a)
			sum += w.path[t][p-n]
			sum += w.path[t+1][q-n]
			sum += w.path[t+2][r-n]
			sum += w.path[t+3][s-n]
		}
	}
	for ; t < len(w.trees); t++ {
		sum += w.trees[t].Walk(x)
	}
	return sum
}

// side is 0 where a row goes to the left and 1 where it goes to the right, as a missing value does.
func (n *place) side(x []float32) int {
	right := 1
	if x[n.column] <= n.cut {
		right = 0
	}
	return right
}
