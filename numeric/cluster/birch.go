package cluster

import (
	"context"
	"math"
	"slices"
)

// feature is a clustering feature: number, sum and sum of squared norms of rows.
type feature struct {
	n      float64
	sum    []float64
	square float64
	child  *cfNode // nil in a leaf
}

func (f *feature) add(o *feature) {
	f.n += o.n
	f.square += o.square
	for j, v := range o.sum {
		f.sum[j] += v
	}
}

// squaredRadius is the mean squared distance of the rows of f, and of o where there is one, from their mean.
func (f *feature) squaredRadius(o *feature) float64 {
	n, square, mean := f.n+o.n, f.square+o.square, 0.0
	for j, v := range f.sum {
		m := (v + o.sum[j]) / n
		mean += float64(m * m)
	}
	return max(0, square/n-mean)
}

// apart is the squared distance of two means.
func (f *feature) apart(o *feature) float64 {
	d := 0.0
	for j, v := range f.sum {
		e := v/f.n - o.sum[j]/o.n
		d += float64(e * e)
	}
	return d
}

func rowFeature(x []float32) *feature {
	f := &feature{n: 1, sum: make([]float64, len(x))}
	for j, v := range x {
		f.sum[j] = float64(v)
		f.square += float64(f.sum[j] * f.sum[j])
	}
	return f
}

// cfNode is a node of a CF-tree.
type cfNode struct {
	leaf    bool
	entries []*feature
}

// cfTree is a CF-tree (Zhang, Ramakrishnan and Livny 1996).
type cfTree struct {
	Threshold float64
	branching int
	root      *cfNode
	leaves    int // entries of leaves
}

// Birch puts rows into a tree with no more than so many subclusters.
func Birch(ctx context.Context, x [][]float32, threshold float64, branching, most int) (*cfTree, error) {
	t := &cfTree{Threshold: threshold, branching: branching, root: &cfNode{leaf: true}}
	for i, row := range x {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t.insert(rowFeature(row))
		for t.leaves > most {
			t = t.rebuilt()
		}
	}
	return t, nil
}

// rebuilt is the tree of the subclusters with a larger radius: half as large again, or that of the two that are
// nearest to each other within a leaf, whichever is more.
func (t *cfTree) rebuilt() *cfTree {
	least := math.Inf(1)
	t.each(t.root, func(leaf *cfNode) {
		for i, f := range leaf.entries {
			for _, o := range leaf.entries[:i] {
				least = min(least, f.squaredRadius(o))
			}
		}
	})
	up := 1.5 * t.Threshold
	if r := math.Sqrt(least) * (1 + 1e-9); !math.IsInf(r, 0) {
		up = max(up, r)
	}
	if up == 0 {
		up = 1e-6
	}
	next := &cfTree{Threshold: up, branching: t.branching, root: &cfNode{leaf: true}}
	t.each(t.root, func(leaf *cfNode) {
		for _, f := range leaf.entries {
			next.insert(f)
		}
	})
	return next
}

// each visits the leaves from left to right.
func (t *cfTree) each(n *cfNode, visit func(leaf *cfNode)) {
	if n.leaf {
		visit(n)
		return
	}
	for _, f := range n.entries {
		t.each(f.child, visit)
	}
}

// Means are those of the subclusters.
func (t *cfTree) Means() (out [][]float32) {
	t.each(t.root, func(leaf *cfNode) {
		for _, f := range leaf.entries {
			m := make([]float32, len(f.sum))
			for j, v := range f.sum {
				m[j] = float32(v / f.n)
			}
			out = append(out, m)
		}
	})
	return out
}

func (t *cfTree) insert(f *feature) {
	if a, b := t.put(t.root, f); b != nil {
		t.root = &cfNode{entries: []*feature{a, b}}
	}
}

// put adds f below a node. If that had to be split, the two halves come back as entries for the one above.
func (t *cfTree) put(n *cfNode, f *feature) (a, b *feature) {
	if len(n.entries) == 0 {
		n.entries, t.leaves = []*feature{f}, t.leaves+1
		return nil, nil
	}
	best, least := 0, math.Inf(1)
	for i, e := range n.entries {
		if d := e.apart(f); d < least {
			best, least = i, d
		}
	}
	near := n.entries[best]
	switch {
	case !n.leaf:
		left, right := t.put(near.child, f)
		if right == nil {
			near.add(f)
			return nil, nil
		}
		n.entries[best] = left
		n.entries = append(n.entries, right)
	case near.squaredRadius(f) <= t.Threshold*t.Threshold:
		near.add(f)
		return nil, nil
	default:
		n.entries, t.leaves = append(n.entries, f), t.leaves+1
	}
	if len(n.entries) <= t.branching {
		return nil, nil
	}
	return n.split()
}

// split parts a node's entries by which of the two farthest they are nearer to.
func (n *cfNode) split() (a, b *feature) {
	one, other, most := 0, 1, -1.0
	for i, f := range n.entries {
		for j, o := range n.entries[:i] {
			if d := f.apart(o); d > most {
				one, other, most = j, i, d
			}
		}
	}
	halves := [2]*cfNode{{leaf: n.leaf}, {leaf: n.leaf}}
	for i, f := range n.entries {
		k := 0
		if i == other || i != one && f.apart(n.entries[other]) < f.apart(n.entries[one]) {
			k = 1
		}
		halves[k].entries = append(halves[k].entries, f)
	}
	return halves[0].total(), halves[1].total()
}

// total is the entry for a node in the one above.
func (n *cfNode) total() *feature {
	t := &feature{sum: make([]float64, len(n.entries[0].sum)), child: n}
	for _, f := range n.entries {
		t.add(f)
	}
	return t
}

// Ward joins points into at most k groups, always the two whose union adds least to the sum of squared
// distances from the groups' means, and gives each point's group, numbered in order of first appearance. It
// follows chains of nearest neighbours (Murtagh, Computer Journal 26, 1983): O(n²) time and memory.
func Ward(ctx context.Context, x [][]float32, k int) ([]int32, error) {
	n := len(x)
	d := make([]float64, n*n) // twice the increase; Lance and Williams' recurrence
	for i := range n {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for j := range i {
			d[i*n+j] = Distance(x[i], x[j])
			d[j*n+i] = d[i*n+j]
		}
	}
	size, alive := make([]float64, n), make([]bool, n)
	for i := range n {
		size[i], alive[i] = 1, true
	}
	type join struct {
		a, b int
		at   float64
	}
	var joins []join
	var chain []int
	for len(joins) < n-1 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(chain) == 0 {
			chain = append(chain, slices.Index(alive, true))
		}
		last := chain[len(chain)-1]
		best, least := -1, math.Inf(1)
		if len(chain) > 1 { // the one before wins ties, so that the chain ends
			best = chain[len(chain)-2]
			least = d[last*n+best]
		}
		for j := range n {
			if alive[j] && j != last && d[last*n+j] < least {
				best, least = j, d[last*n+j]
			}
		}
		if len(chain) < 2 || best != chain[len(chain)-2] {
			chain = append(chain, best)
			continue
		}
		chain = chain[:len(chain)-2]
		a, b := min(last, best), max(last, best)
		joins = append(joins, join{a, b, least})
		for j := range n {
			if alive[j] && j != a && j != b {
				v := ((size[a]+size[j])*d[a*n+j] + (size[b]+size[j])*d[b*n+j] - size[j]*least) / (size[a] + size[b] + size[j])
				d[a*n+j], d[j*n+a] = v, v
			}
		}
		size[a] += size[b]
		alive[b] = false
	}
	slices.SortStableFunc(joins, func(p, q join) int {
		switch {
		case p.at < q.at:
			return -1
		case p.at > q.at:
			return 1
		}
		return 0
	})
	root := make([]int, n)
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, j := range joins[:max(0, n-k)] {
		root[find(j.b)] = find(j.a)
	}
	number := map[int]int32{}
	out := make([]int32, n)
	for i := range out {
		r := find(i)
		if _, ok := number[r]; !ok {
			number[r] = int32(len(number))
		}
		out[i] = number[r]
	}
	return out, nil
}
