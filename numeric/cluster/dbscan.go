package cluster

import (
	"context"
	"fmt"
	"sync/atomic"

	"plumbline/numeric/parallel"
)

// Noise is the label of a row in no group.
const Noise = -1

// Density is a grouping by density.
type Density struct {
	Labels   []int32 // of each row: 0 … Clusters−1 in the order of their first core rows, or Noise
	Core     []bool  // of each row: whether it has enough rows around it
	Clusters int
}

// DBSCAN groups rows that are linked by dense neighbourhoods (Ester, Kriegel, Sander and Xu, A density-based
// algorithm for discovering clusters, KDD 1996). A row is a core row when at least least rows, itself included,
// lie within eps of it in Euclidean distance; core rows within eps of each other are of one cluster; another row
// within eps of core rows belongs to that of their clusters whose first core row comes first, and the rest are
// Noise.
//
// Every pair of rows is compared twice; beside its result it needs memory for n numbers, not for the neighbours.
func DBSCAN[T Number](ctx context.Context, m Matrix[T], eps float64, least, workers int) (*Density, error) {
	if err := m.check(0); err != nil {
		return nil, err
	}
	if !(eps > 0) || !finite(eps) || least < 1 {
		return nil, fmt.Errorf("cluster: dbscan: eps %v and at least %d rows: both must be positive", eps, least)
	}
	out := &Density{Labels: make([]int32, m.N), Core: make([]bool, m.N)}
	around := make([]int32, m.N)
	err := within(ctx, m, eps, workers, func(i, _ int) { around[i]++ })
	if err != nil {
		return nil, err
	}
	for i, n := range around {
		out.Core[i] = int(n) >= least
	}
	groups := newDisjoint(m.N)
	err = within(ctx, m, eps, workers, func(i, j int) {
		if j < i && out.Core[i] && out.Core[j] {
			groups.join(int32(i), int32(j))
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range out.Labels {
		if out.Labels[i] = Noise; out.Core[i] {
			out.Labels[i] = groups.root(int32(i))
		}
	}
	out.Clusters = renumber(out.Labels)
	// Rows on the border: no core row's label changes any more.
	border := make([]int32, m.N)
	for i := range border {
		border[i] = Noise
	}
	err = within(ctx, m, eps, workers, func(i, j int) {
		if !out.Core[i] && out.Core[j] && (border[i] == Noise || out.Labels[j] < border[i]) {
			border[i] = out.Labels[j]
		}
	})
	if err != nil {
		return nil, err
	}
	for i, c := range border {
		if !out.Core[i] {
			out.Labels[i] = c
		}
	}
	return out, nil
}

// within calls visit(i, j) for all rows i and j (also i = j) at most eps apart; from several goroutines, but all
// calls of one i from one of them.
func within[T Number](ctx context.Context, m Matrix[T], eps float64, workers int, visit func(i, j int)) error {
	limit := eps * eps
	return parallel.Blocks(ctx, workers, m.N, 64, func(from, to int) {
		for i := from; i < to && ctx.Err() == nil; i++ {
			row := m.Row(i)
			for j := range m.N {
				if SquaredDistance(row, m.Row(j)) <= limit {
					visit(i, j)
				}
			}
		}
	})
}

// disjoint are sets that can be joined from several goroutines. Each is named by its smallest member, so that
// the result does not depend on their order.
type disjoint struct{ parent []atomic.Int32 }

func newDisjoint(n int) *disjoint {
	d := &disjoint{make([]atomic.Int32, n)}
	for i := range d.parent {
		d.parent[i].Store(int32(i))
	}
	return d
}

// root is the name of the set of i. Parents are never larger than their children.
func (d *disjoint) root(i int32) int32 {
	for {
		p := d.parent[i].Load()
		if p == i {
			return i
		}
		up := d.parent[p].Load()
		d.parent[i].CompareAndSwap(p, up) // half the way next time
		i = p
	}
}

func (d *disjoint) join(a, b int32) {
	for {
		a, b = d.root(a), d.root(b)
		if a == b {
			return
		}
		if a < b {
			a, b = b, a
		}
		if d.parent[a].CompareAndSwap(a, b) {
			return
		}
	}
}
