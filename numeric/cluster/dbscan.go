package cluster

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"plumbline/numeric/neighbour"
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
// Every pair of rows is compared twice; beside the rows, packed in as much memory again, it keeps a few numbers for
// each, not their neighbours.
func DBSCAN(ctx context.Context, m Matrix[float32], eps float64, least, workers int) (*Density, error) {
	if err := m.check(0); err != nil {
		return nil, err
	}
	if !(eps > 0) || !finite(eps) || least < 1 {
		return nil, fmt.Errorf("cluster: dbscan: eps %v and at least %d rows: both must be positive", eps, least)
	}
	rows := neighbour.New(m.X, m.N, m.D)
	out := &Density{Labels: make([]int32, m.N), Core: make([]bool, m.N)}
	if err := out.findCore(ctx, rows, eps, least, workers); err != nil {
		return nil, err
	}
	groups := newDisjoint(m.N)
	err := rows.Pairs(ctx, eps, workers, func() func(i, j int) {
		return func(i, j int) {
			if out.Core[i] && out.Core[j] {
				groups.join(int32(i), int32(j))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	var border []int
	var x []float32
	for i := range out.Labels {
		if out.Labels[i] = Noise; out.Core[i] {
			out.Labels[i] = groups.root(int32(i))
		} else {
			border, x = append(border, i), append(x, m.Row(i)...)
		}
	}
	out.Clusters = renumber(out.Labels)
	return out, rows.Within(ctx, x, eps, workers, func(b, j int) {
		if to := &out.Labels[border[b]]; out.Core[j] && (*to == Noise || out.Labels[j] < *to) {
			*to = out.Labels[j]
		}
	})
}

// findCore counts the rows around each, each goroutine for itself.
func (o *Density) findCore(ctx context.Context, rows *neighbour.Reference, eps float64, least, workers int) error {
	var lock sync.Mutex
	var counts [][]int32
	err := rows.Pairs(ctx, eps, workers, func() func(i, j int) {
		around := make([]int32, rows.N)
		lock.Lock()
		counts = append(counts, around)
		lock.Unlock()
		return func(i, j int) {
			around[i]++
			around[j]++
		}
	})
	for i := range o.Core {
		n := 1 // itself
		for _, around := range counts {
			n += int(around[i])
		}
		o.Core[i] = n >= least
	}
	return err
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
		if up := d.parent[p].Load(); up != p {
			d.parent[i].CompareAndSwap(p, up) // half the way next time
		}
		i = p
	}
}

func (d *disjoint) join(a, b int32) {
	if d.parent[a].Load() == d.parent[b].Load() {
		return
	}
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
