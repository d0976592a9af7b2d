package streaming

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// cutTree is a robust random cut tree of up to size rows. Nodes 0 to size−1 are leaves, those from there on have two
// below them.
type cutTree struct {
	size, d int
	root    int32 // none without rows
	parent  []int32
	count   []int32 // rows below, or in a leaf
	left    []int32
	right   []int32
	column  []int32
	cut     []float64 // rows with x[column] ≤ cut are on the left

	// low and high are the corners of the smallest box around the rows below; of a leaf both are its row.
	low, high []float32

	window           []int32 // the leaf of each row, oldest first
	leaves, branches []int32 // free ones
	draws            rand.PCG
}

// none is no node.
const none = int32(-1)

func newCutTree(size, d int) *cutTree {
	n := 2*size - 1
	t := &cutTree{
		size: size, d: d, root: none, parent: make([]int32, n), count: make([]int32, n), left: make([]int32, n),
		right: make([]int32, n), column: make([]int32, n), cut: make([]float64, n),
		low: make([]float32, n*d), high: make([]float32, (n-size)*d),
	}
	for i := n - 1; i >= 0; i-- {
		if t.isLeaf(int32(i)) {
			t.leaves = append(t.leaves, int32(i))
		} else {
			t.branches = append(t.branches, int32(i))
		}
	}
	return t
}

func (t *cutTree) copied() *cutTree {
	c := *t
	for _, v := range []*[]int32{&c.parent, &c.count, &c.left, &c.right, &c.column, &c.window, &c.leaves, &c.branches} {
		*v = slices.Clone(*v)
	}
	c.cut, c.low, c.high = slices.Clone(t.cut), slices.Clone(t.low), slices.Clone(t.high)
	return &c
}

func (t *cutTree) isLeaf(n int32) bool { return int(n) < t.size }

// point is the row of a leaf.
func (t *cutTree) point(leaf int32) []float32 { return t.bottom(leaf) }

// bottom and top are the corners of a node's box.
func (t *cutTree) bottom(n int32) []float32 { return t.low[int(n)*t.d : (int(n)+1)*t.d] }

func (t *cutTree) top(n int32) []float32 {
	if t.isLeaf(n) {
		return t.bottom(n)
	}
	at := int(n) - t.size
	return t.high[at*t.d : (at+1)*t.d]
}

// below is the child of n where the row belongs.
func (t *cutTree) below(n int32, row []float32) int32 {
	if float64(row[t.column[n]]) <= t.cut[n] {
		return t.left[n]
	}
	return t.right[n]
}

// find is the leaf where the row would be.
func (t *cutTree) find(row []float32) int32 {
	n := t.root
	for !t.isLeaf(n) {
		n = t.below(n, row)
	}
	return n
}

func take(free *[]int32) int32 {
	last := len(*free) - 1
	n := (*free)[last]
	*free = (*free)[:last]
	return n
}

// insert adds a row to a tree that is not full, and gives its leaf: algorithm 2 of the paper.
func (t *cutTree) insert(row []float32) int32 {
	if t.root != none {
		if leaf := t.find(row); slices.Equal(t.point(leaf), row) {
			for n := leaf; n != none; n = t.parent[n] {
				t.count[n]++
			}
			t.window = append(t.window, leaf)
			return leaf
		}
	}
	leaf := take(&t.leaves)
	copy(t.bottom(leaf), row)
	t.count[leaf], t.parent[leaf] = 1, none
	t.window = append(t.window, leaf)
	if t.root == none {
		t.root = leaf
		return leaf
	}
	for n := t.root; ; {
		column, cut, apart := t.separate(n, row)
		if apart {
			t.branch(n, leaf, column, cut)
			return leaf
		}
		t.count[n]++
		bottom, top := t.bottom(n), t.top(n)
		for j, v := range row {
			bottom[j], top[j] = min(bottom[j], v), max(top[j], v)
		}
		n = t.below(n, row)
	}
}

// separate draws a cut of the box around node n and the row, and says whether it separates the two.
func (t *cutTree) separate(n int32, row []float32) (column int, cut float64, apart bool) {
	bottom, top := t.bottom(n), t.top(n)
	side := func(j int) float64 {
		return max(float64(top[j]), float64(row[j])) - min(float64(bottom[j]), float64(row[j]))
	}
	total := 0.0
	for j := range row {
		total += side(j)
	}
	at := float64(t.draws.Uint64()>>11) / (1 << 53) * total
	last := 0
	for j := range row {
		v := side(j)
		if v <= 0 {
			continue
		}
		last = j
		if at < v {
			break
		}
		at -= v
	}
	x, low, high := float64(row[last]), float64(bottom[last]), float64(top[last])
	cut = min(low, x) + min(at, side(last))
	switch {
	case x < low && cut < low:
		return last, cut, true
	case x > high && cut >= high:
		if cut >= x { // by rounding
			cut = high
		}
		return last, cut, true
	case t.isLeaf(n) && x < low: // by rounding
		return last, x, true
	}
	return last, cut, false
}

// branch puts a leaf beside node n, below a new node with the cut.
func (t *cutTree) branch(n, leaf int32, column int, cut float64) {
	b := take(&t.branches)
	t.column[b], t.cut[b], t.count[b] = int32(column), cut, t.count[n]+1
	t.left[b], t.right[b] = n, leaf
	if float64(t.point(leaf)[column]) <= cut {
		t.left[b], t.right[b] = leaf, n
	}
	t.replace(n, b)
	t.parent[n], t.parent[leaf] = b, b
	t.tighten(b)
}

// replace puts node other where n stands.
func (t *cutTree) replace(n, other int32) {
	p := t.parent[n]
	t.parent[other] = p
	switch {
	case p == none:
		t.root = other
	case t.left[p] == n:
		t.left[p] = other
	default:
		t.right[p] = other
	}
}

// tighten makes the box of node n that around those below it, and says whether it changed.
func (t *cutTree) tighten(n int32) bool {
	bottom, top := t.bottom(n), t.top(n)
	one, other := t.left[n], t.right[n]
	changed := false
	low, high := t.bottom(other), t.top(other)
	oneHigh := t.top(one)
	for j, v := range t.bottom(one) {
		b, h := min(v, low[j]), max(oneHigh[j], high[j])
		changed = changed || b != bottom[j] || h != top[j]
		bottom[j], top[j] = b, h
	}
	return changed
}

// forget removes the oldest row.
func (t *cutTree) forget() {
	leaf := t.window[0]
	t.window = append(t.window[:0], t.window[1:]...)
	if t.count[leaf] > 1 || t.root == leaf {
		for n := leaf; n != none; n = t.parent[n] {
			t.count[n]--
		}
		if t.count[leaf] == 0 {
			t.root = none
			t.leaves = append(t.leaves, leaf)
		}
		return
	}
	b := t.parent[leaf]
	sibling := t.left[b] + t.right[b] - leaf
	t.replace(b, sibling)
	t.leaves, t.branches = append(t.leaves, leaf), append(t.branches, b)
	loose := true
	for n := t.parent[sibling]; n != none; n = t.parent[n] {
		t.count[n]--
		loose = loose && t.tighten(n)
	}
}

// displacement is the largest ratio of a sibling's rows to a node's, on the way from the leaf to the root.
func (t *cutTree) displacement(leaf int32) float64 {
	most := 0.0
	for n := leaf; t.parent[n] != none; n = t.parent[n] {
		p := t.parent[n]
		most = max(most, float64(t.count[p]-t.count[n])/float64(t.count[n]))
	}
	return most
}

// walk visits node n and those below it, the left before the right.
func (t *cutTree) walk(n int32, visit func(n int32)) {
	visit(n)
	if !t.isLeaf(n) {
		t.walk(t.left[n], visit)
		t.walk(t.right[n], visit)
	}
}

// rebuild makes an empty tree that of the rows of a window, oldest first, by the cuts of its nodes in the order of
// walk; those of column −1 are leaves.
func (t *cutTree) rebuild(window []float32, column []int32, cut []float64) error {
	if len(column) > 2*t.size-1 {
		return fmt.Errorf("%d nodes for %d rows", len(column), t.size)
	}
	at := 0
	var grow func(parent int32) (int32, error)
	grow = func(parent int32) (int32, error) {
		if at >= len(column) {
			return none, errors.New("nodes are missing")
		}
		j, c := column[at], cut[at]
		at++
		free := &t.branches
		if j < 0 {
			free = &t.leaves
		}
		if len(*free) == 0 || int(j) >= t.d || j < -1 {
			return none, fmt.Errorf("node %d has column %d of %d", at-1, j, t.d)
		}
		n := take(free)
		t.parent[n] = parent
		if j < 0 {
			return n, nil
		}
		t.column[n], t.cut[n] = j, c
		var err error
		if t.left[n], err = grow(n); err == nil {
			t.right[n], err = grow(n)
		}
		return n, err
	}
	root, err := grow(none)
	if err != nil {
		return err
	}
	if at != len(column) {
		return fmt.Errorf("%d nodes too many", len(column)-at)
	}
	t.root = root
	for i := 0; i < len(window); i += t.d {
		row := window[i : i+t.d]
		leaf := t.find(row)
		if t.count[leaf] == 0 {
			copy(t.bottom(leaf), row)
		} else if !slices.Equal(t.point(leaf), row) {
			return fmt.Errorf("row %d of the window shares a leaf with another", i/t.d)
		}
		t.window = append(t.window, leaf)
		for n := leaf; n != none; n = t.parent[n] {
			t.count[n]++
		}
	}
	var order []int32
	t.walk(root, func(n int32) { order = append(order, n) })
	for _, n := range slices.Backward(order) {
		if t.count[n] == 0 {
			return errors.New("a node without rows")
		}
		if !t.isLeaf(n) {
			t.tighten(n)
		}
	}
	return nil
}
