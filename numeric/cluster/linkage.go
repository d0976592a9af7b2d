package cluster

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/parallel"
)

// Linkage is what the distance of two groups is.
type Linkage int

// The linkages. With |A| the number of rows of a group and d the Euclidean distance:
const (
	WardLinkage     Linkage = iota // √(2|A||B|/(|A|+|B|))·‖mean A − mean B‖: what joining adds to the sum of squares
	AverageLinkage                 // mean of d over all pairs
	CompleteLinkage                // largest d of a pair
	SingleLinkage                  // smallest d of a pair
)

// Merge joins two groups. Groups 0 … n−1 are the rows, group n+i is what merge i made.
type Merge struct {
	A, B   int32 // A < B
	Height float64
	Size   int32 // rows of the new group
}

// Tree is the merges of n rows by rising height, n−1 of them.
type Tree struct {
	N      int
	Merges []Merge
}

// manyPairs is the number of rows above which distances are kept in float32 to halve the memory.
const manyPairs = 8192

// AgglomerateBytes is the memory that [Agglomerate] takes for the distances of n rows.
func AgglomerateBytes(n int) float64 {
	size := 8.0
	if n > manyPairs {
		size = 4
	}
	return size * float64(n) * float64(n-1) / 2
}

// Agglomerate joins the two groups that are nearest to each other until one is left, by chains of nearest
// neighbours (Murtagh, A survey of recent advances in hierarchical clustering algorithms, Computer Journal 26,
// 1983), with the recurrences of Lance and Williams. Heights are those of SciPy's linkage. Equal distances go to
// the row that comes first.
//
// O(n²) time, and memory for n(n−1)/2 distances: 8 bytes each, 4 above 8,192 rows, where heights are exact to
// about six digits. 20,000 rows take 800 MB.
func Agglomerate[T Number](ctx context.Context, m Matrix[T], by Linkage, workers int) (*Tree, error) {
	if err := m.check(1); err != nil {
		return nil, err
	}
	if m.N > manyPairs {
		return agglomerate[float32](ctx, m, by, workers)
	}
	return agglomerate[float64](ctx, m, by, workers)
}

// pairs are the distances of n groups, row i holding those to j > i.
type pairs[S Number] struct {
	n int
	d []S
}

func (p pairs[S]) at(i, j int) int {
	if i > j {
		i, j = j, i
	}
	return p.start(i) + j
}

// start is where row i would hold the distance to group 0.
func (p pairs[S]) start(i int) int { return i*(2*p.n-i-1)/2 - i - 1 }

func agglomerate[S, T Number](ctx context.Context, m Matrix[T], by Linkage, workers int) (*Tree, error) {
	n := m.N
	p := pairs[S]{n, make([]S, n*(n-1)/2)}
	err := parallel.Blocks(ctx, workers, n, 16, func(from, to int) {
		for i := from; i < to && ctx.Err() == nil; i++ {
			at := p.start(i)
			for j := i + 1; j < n; j++ {
				d := SquaredDistance(m.Row(i), m.Row(j))
				if by != WardLinkage { // whose recurrence is about squares
					d = math.Sqrt(d)
				}
				p.d[at+j] = S(d)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	c := chain[S]{pairs: p, by: by, size: make([]float64, n), alive: make([]int, n)}
	for i := range n {
		c.size[i], c.alive[i] = 1, i
	}
	joins, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	t := newTree(n, joins)
	for i := range t.Merges {
		if by == WardLinkage {
			t.Merges[i].Height = math.Sqrt(t.Merges[i].Height)
		}
	}
	return t, nil
}

// chain is an agglomeration under way. A group is named after its first row.
type chain[S Number] struct {
	pairs[S]
	by    Linkage
	size  []float64
	alive []int // ascending
	links []int // each the nearest neighbour of the one before
}

// run is the merges in the order they were found, with the groups named after rows.
func (c *chain[S]) run(ctx context.Context) ([]Merge, error) {
	joins := make([]Merge, 0, c.n)
	for len(joins) < c.n-1 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(c.links) == 0 {
			c.links = append(c.links, c.alive[0])
		}
		last, before := c.links[len(c.links)-1], -1
		if len(c.links) > 1 {
			before = c.links[len(c.links)-2]
		}
		best, least := c.nearest(last, before)
		if best != before {
			c.links = append(c.links, best)
			continue
		}
		c.links = c.links[:len(c.links)-2]
		a, b := min(last, best), max(last, best)
		c.join(a, b, least)
		joins = append(joins, Merge{A: int32(a), B: int32(b), Height: least})
	}
	return joins, nil
}

// nearest is the group nearest to i; before wins ties, so that the chain ends, then the first.
func (c *chain[S]) nearest(i, before int) (best int, least float64) {
	best, low := before, S(math.Inf(1))
	if before >= 0 {
		low = c.d[c.at(i, before)]
	}
	cut, _ := slices.BinarySearch(c.alive, i)
	for _, j := range c.alive[:cut] {
		if d := c.d[c.start(j)+i]; d < low || best < 0 {
			best, low = j, d
		}
	}
	row := c.start(i)
	for _, j := range c.alive[min(cut+1, len(c.alive)):] {
		if d := c.d[row+j]; d < low || best < 0 {
			best, low = j, d
		}
	}
	return best, float64(low)
}

// join makes a of a and b, which are apart.
func (c *chain[S]) join(a, b int, apart float64) {
	na, nb := c.size[a], c.size[b]
	at, _ := slices.BinarySearch(c.alive, b)
	c.alive = slices.Delete(c.alive, at, at+1)
	for _, j := range c.alive {
		if j == a {
			continue
		}
		to := c.at(a, j)
		da, db := float64(c.d[to]), float64(c.d[c.at(b, j)])
		switch nj := c.size[j]; c.by {
		case WardLinkage:
			c.d[to] = S((float64((na+nj)*da) + float64((nb+nj)*db) - float64(nj*apart)) / (na + nb + nj))
		case AverageLinkage:
			c.d[to] = S((float64(na*da) + float64(nb*db)) / (na + nb))
		case CompleteLinkage:
			c.d[to] = S(max(da, db))
		case SingleLinkage:
			c.d[to] = S(min(da, db))
		}
	}
	c.size[a] += nb
}

// newTree sorts joins of groups named after rows by height and gives the groups their numbers.
func newTree(n int, joins []Merge) *Tree {
	slices.SortStableFunc(joins, func(p, q Merge) int { return cmp.Compare(p.Height, q.Height) })
	groups := newDisjoint(n)
	name, size := make([]int32, n), make([]int32, n)
	for i := range n {
		name[i], size[i] = int32(i), 1
	}
	t := &Tree{N: n}
	for i, j := range joins {
		a, b := groups.root(j.A), groups.root(j.B)
		groups.join(a, b)
		to := groups.root(a)
		rows := size[a] + size[b]
		t.Merges = append(t.Merges, Merge{min(name[a], name[b]), max(name[a], name[b]), j.Height, rows})
		name[to], size[to] = int32(n+i), rows
	}
	return t
}

// Cut is the grouping into k groups, or as many as there are rows: the first n−k merges. Groups are numbered in
// the order of their first rows.
func (t *Tree) Cut(k int) ([]int32, error) {
	if k < 1 {
		return nil, fmt.Errorf("cluster: a tree cannot be cut into %d groups", k)
	}
	return t.labels(max(0, t.N-k)), nil
}

func (t *Tree) labels(merges int) []int32 {
	of := make([]int32, t.N+merges) // the merge that each group goes into
	for i := range of {
		of[i] = -1
	}
	for i, m := range t.Merges[:merges] {
		of[m.A], of[m.B] = int32(t.N+i), int32(t.N+i)
	}
	for g := len(of) - 1; g >= 0; g-- { // a group's merge has a larger number
		if of[g] < 0 {
			of[g] = int32(g)
		} else {
			of[g] = of[of[g]]
		}
	}
	out := slices.Clone(of[:t.N])
	renumber(out)
	return out
}
