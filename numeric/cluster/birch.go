package cluster

import (
	"context"
	"math"
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

// CFTree is a CF-tree (Zhang, Ramakrishnan and Livny 1996).
type CFTree struct {
	Threshold float64
	branching int
	root      *cfNode
	leaves    int // entries of leaves
}

// Birch puts rows into a tree with at most a stated number of subclusters.
func Birch(ctx context.Context, x [][]float32, threshold float64, branching, most int) (*CFTree, error) {
	t := &CFTree{Threshold: threshold, branching: branching, root: &cfNode{leaf: true}}
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
func (t *CFTree) rebuilt() *CFTree {
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
	next := &CFTree{Threshold: up, branching: t.branching, root: &cfNode{leaf: true}}
	t.each(t.root, func(leaf *cfNode) {
		for _, f := range leaf.entries {
			next.insert(f)
		}
	})
	return next
}

// each visits the leaves from left to right.
func (t *CFTree) each(n *cfNode, visit func(leaf *cfNode)) {
	if n.leaf {
		visit(n)
		return
	}
	for _, f := range n.entries {
		t.each(f.child, visit)
	}
}

// Means are those of the subclusters.
func (t *CFTree) Means() (out [][]float32) {
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

// Sizes are the numbers of rows of the subclusters, in the order of Means.
func (t *CFTree) Sizes() (out []float64) {
	t.each(t.root, func(leaf *cfNode) {
		for _, f := range leaf.entries {
			out = append(out, f.n)
		}
	})
	return out
}

func (t *CFTree) insert(f *feature) {
	if a, b := t.put(t.root, f); b != nil {
		t.root = &cfNode{entries: []*feature{a, b}}
	}
}

// put adds f below a node. If that had to be split, the two halves come back as entries for the one above.
func (t *CFTree) put(n *cfNode, f *feature) (a, b *feature) {
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
