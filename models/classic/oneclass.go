package classic

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// solver finds the one-class SVM of n points: the α with 0 ≤ α ≤ 1 and Σα = νn that minimises ½ αᵀKα.
//
// Small problems are solved whole by minimise. Larger ones by decomposition: from a start that comes from
// the solution for every warmStep-th row, rounds take the worst violators of the optimality conditions
// into a working set, half of them from either side, solve for those with all others fixed, and update
// the gradient of all. The rule that ends it is libsvm's; so is the scaling of α and ρ.
type solver struct {
	nu, tol float64
	dense   int // points that are solved whole: dense² numbers of memory
	working int // points of a working set, at the most
	cache   int // bytes of kernel rows kept between rounds
	workers int
	report  func(round int, objective, gap float64) // nil: nobody asks
}

// solution of the one-class problem: f(x) = Σ α_i K(x_i, x) − ρ.
type solution struct {
	alpha []float64
	rho   float64
	gap   float64 // largest violation left
	pairs int     // steps of two multipliers
}

const (
	warmStep = 8
	maxPairs = 10_000_000 // of one dense problem
)

func (s solver) solve(ctx context.Context, p *points) (*solution, error) {
	if p.n <= s.dense {
		return s.whole(ctx, p)
	}
	d := &decomposition{solver: s, p: p, sol: solution{alpha: make([]float64, p.n)}, grad: make([]float64, p.n)}
	if err := d.start(ctx); err != nil {
		return nil, err
	}
	// Every round that changes anything lowers the objective; the bound is a safeguard.
	for round := 1; round <= 200+20*p.n/s.working; round++ {
		low, high := bounds(d.sol.alpha, d.grad)
		if d.sol.gap = high - low; s.report != nil {
			s.report(round, objective(d.sol.alpha, d.grad), d.sol.gap)
		}
		if d.sol.gap <= s.tol {
			break
		}
		changed, err := d.round(ctx, round, low, high)
		if err != nil {
			return nil, err
		}
		if !changed {
			break // rounding has the last word
		}
	}
	d.sol.rho = offset(d.sol.alpha, d.grad)
	return &d.sol, nil
}

// whole solves a small problem from libsvm's start.
func (s solver) whole(ctx context.Context, p *points) (*solution, error) {
	idx := make([]int, p.n)
	q := make([]float64, p.n*p.n)
	rows := make([][]float64, p.n)
	for i := range idx {
		idx[i], rows[i] = i, q[i*p.n:(i+1)*p.n]
	}
	if err := kernelRows(ctx, p, idx, s.workers, rows); err != nil {
		return nil, err
	}
	sol := &solution{alpha: make([]float64, p.n)}
	fillFirst(sol.alpha, idx, s.nu)
	grad := make([]float64, p.n)
	for i, row := range rows {
		row[i] = 1
		for j, a := range sol.alpha {
			grad[i] += float64(a * row[j])
		}
	}
	var err error
	if sol.pairs, err = minimise(ctx, q, grad, sol.alpha, s.tol, maxPairs); err != nil {
		return nil, err
	}
	low, high := bounds(sol.alpha, grad)
	sol.gap, sol.rho = high-low, offset(sol.alpha, grad)
	if s.report != nil {
		s.report(1, objective(sol.alpha, grad), sol.gap)
	}
	return sol, nil
}

// fillFirst gives the first ⌊νn⌋ points of order a multiplier of 1 and the next the rest of νn.
func fillFirst(alpha []float64, order []int, nu float64) {
	total := nu * float64(len(alpha))
	k := min(int(total), len(alpha))
	for _, i := range order[:k] {
		alpha[i] = 1
	}
	if k < len(alpha) {
		alpha[order[k]] = total - float64(k)
	}
}

// bounds are min {g : α < 1} and max {g : α > 0}; optimal when they meet.
func bounds(alpha, grad []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for i, g := range grad {
		if alpha[i] < 1 {
			low = min(low, g)
		}
		if alpha[i] > 0 {
			high = max(high, g)
		}
	}
	return low, high
}

// offset is ρ: the mean gradient of the free points, or, without any, the middle between the bounds that
// the others put on it (the one bound there is, where all α are 1).
func offset(alpha, grad []float64) float64 {
	lb, ub := math.Inf(-1), math.Inf(1)
	var sum float64
	free := 0
	for i, a := range alpha {
		switch {
		case a >= 1:
			lb = max(lb, grad[i])
		case a <= 0:
			ub = min(ub, grad[i])
		default:
			sum += grad[i]
			free++
		}
	}
	switch {
	case free > 0:
		return sum / float64(free)
	case math.IsInf(ub, 1):
		return lb
	case math.IsInf(lb, -1):
		return ub
	}
	return (ub + lb) / 2
}

// objective is ½ αᵀKα.
func objective(alpha, grad []float64) float64 {
	var sum float64
	for i, a := range alpha {
		sum += float64(a * grad[i])
	}
	return sum / 2
}

// decomposition is a large problem under way.
type decomposition struct {
	solver
	p     *points
	sol   solution
	grad  []float64 // Kα
	order []int     // points by rising gradient
	cache *rowCache
}

// start solves for every warmStep-th point, gives α = 1 to the points that this solution finds the most
// anomalous, and computes the gradient.
func (d *decomposition) start(ctx context.Context) error {
	var idx []int
	for i := 0; i < d.p.n; i += warmStep {
		idx = append(idx, i)
	}
	part := d.p.pick(idx)
	inner := d.solver
	inner.report = nil
	sol, err := inner.solve(ctx, part)
	if err != nil {
		return err
	}
	d.sol.pairs = sol.pairs
	if err := d.sums(ctx, part, sol.alpha); err != nil {
		return err
	}
	d.order = make([]int, d.p.n)
	for i := range d.order {
		d.order[i] = i
	}
	d.sort()
	fillFirst(d.sol.alpha, d.order, d.nu)
	d.cache = newRowCache(d.p.n, d.solver.cache, d.working)
	d.working = min(d.working, d.cache.slots)
	return d.sums(ctx, d.p, d.sol.alpha)
}

// sums fills the gradient with Σ_j α_j K(·, y_j) over the points y of p.
func (d *decomposition) sums(ctx context.Context, p *points, alpha []float64) error {
	sv, w := support(alpha)
	return weightedSums(ctx, d.p.n, d.p.own(), p.pick(sv), w, d.workers, d.grad)
}

// support lists the points with α > 0, and their α.
func support(alpha []float64) (idx []int, w []float64) {
	for i, a := range alpha {
		if a > 0 {
			idx, w = append(idx, i), append(w, a)
		}
	}
	return idx, w
}

func (d *decomposition) sort() {
	slices.SortFunc(d.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(d.grad[a], d.grad[b]), cmp.Compare(a, b))
	})
}

// round improves one working set and says whether any α changed.
func (d *decomposition) round(ctx context.Context, round int, low, high float64) (bool, error) {
	set := d.violators(low, high)
	rows, err := d.cache.fetch(ctx, d.p, set, d.workers)
	if err != nil {
		return false, err
	}
	m := len(set)
	q, g, a := make([]float64, m*m), make([]float64, m), make([]float64, m)
	for r, i := range set {
		for c, j := range set {
			q[r*m+c] = float64(rows[r][j])
		}
		q[r*m+r] = 1
		g[r], a[r] = d.grad[i], d.sol.alpha[i]
	}
	// The first rounds need no precision: the rest of the gradient is still far off.
	tol := d.tol / 2
	if round <= 3 {
		tol = max(tol, (high-low)/10)
	}
	pairs, err := minimise(ctx, q, g, a, tol, maxPairs)
	if err != nil {
		return false, err
	}
	d.sol.pairs += pairs
	return d.update(ctx, set, rows, a)
}

// violators are the points that break the optimality conditions most: those that should get more α, by
// rising gradient, and those that should get less, by falling gradient, alternating.
func (d *decomposition) violators(low, high float64) []int {
	d.sort()
	var set []int
	taken := map[int]bool{}
	up, down := 0, len(d.order)-1
	for len(set) < d.working {
		before := len(set)
		for ; up < len(d.order); up++ {
			if i := d.order[up]; d.grad[i] < high && d.sol.alpha[i] < 1 && !taken[i] {
				set, taken[i] = append(set, i), true
				break
			}
		}
		for ; down >= 0 && len(set) < d.working; down-- {
			if i := d.order[down]; d.grad[i] > low && d.sol.alpha[i] > 0 && !taken[i] {
				set, taken[i] = append(set, i), true
				break
			}
		}
		if len(set) == before {
			break
		}
	}
	return set
}

// update moves the working set to its new α and the gradient of all points with it.
func (d *decomposition) update(ctx context.Context, set []int, rows [][]float32, a []float64) (changed bool, err error) {
	var moved [][]float32
	var by []float64
	for r, i := range set {
		if delta := a[r] - d.sol.alpha[i]; delta != 0 {
			moved, by = append(moved, rows[r]), append(by, delta)
			d.sol.alpha[i] = a[r]
		}
	}
	err = spread(ctx, d.p.n, 4096, d.workers, func() func(lo, hi int) {
		return func(lo, hi int) {
			g := d.grad[lo:hi]
			for r, delta := range by {
				for j, k := range moved[r][lo:hi] {
					g[j] += float64(delta * float64(k))
				}
			}
		}
	})
	return len(by) > 0, err
}

// rowCache keeps the kernel rows used last, in float32 as libsvm does.
type rowCache struct {
	n, slots int
	rows     map[int]*cachedRow
	clock    int
}

type cachedRow struct {
	values []float32
	used   int
}

// newRowCache has room for as many rows as fit, but for a working set of 64 at the least. A working set
// is never larger than the room.
func newRowCache(n, bytes, working int) *rowCache {
	return &rowCache{n: n, slots: max(bytes/(4*n), min(working, 64)), rows: map[int]*cachedRow{}}
}

// fetch gives the kernel rows of the points idx, computing those that are not there.
func (c *rowCache) fetch(ctx context.Context, p *points, idx []int, workers int) ([][]float32, error) {
	c.clock++
	var missing []int
	for _, i := range idx {
		if r, ok := c.rows[i]; ok {
			r.used = c.clock
		} else {
			missing = append(missing, i)
		}
	}
	free := c.evict(len(c.rows) + len(missing) - c.slots)
	fresh := make([][]float32, len(missing))
	for r := range fresh {
		if len(free) > 0 {
			fresh[r], free = free[0], free[1:]
		} else {
			fresh[r] = make([]float32, c.n)
		}
	}
	if err := kernelRows(ctx, p, missing, workers, fresh); err != nil {
		return nil, err
	}
	for r, i := range missing {
		c.rows[i] = &cachedRow{fresh[r], c.clock}
	}
	out := make([][]float32, len(idx))
	for r, i := range idx {
		out[r] = c.rows[i].values
	}
	return out, nil
}

// evict takes out the n rows used longest ago, none of them in the current fetch, and hands their memory on.
func (c *rowCache) evict(n int) (free [][]float32) {
	if n <= 0 {
		return nil
	}
	var old []int
	for i, r := range c.rows {
		if r.used != c.clock {
			old = append(old, i)
		}
	}
	slices.SortFunc(old, func(a, b int) int {
		return cmp.Or(cmp.Compare(c.rows[a].used, c.rows[b].used), cmp.Compare(a, b))
	})
	for _, i := range old[:min(n, len(old))] {
		free = append(free, c.rows[i].values)
		delete(c.rows, i)
	}
	return free
}
