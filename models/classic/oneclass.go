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
// the gradient of all. The working set doubles every other round up to its limit: a few hundred points
// are enough for most problems, but not where more than that are free (0 < α < 1). The rule that ends it
// is libsvm's, and so is the scaling of α and ρ.
type solver struct {
	nu, tol float64
	dense   int // up to this many points are solved whole
	first   int // points of the first working set
	most    int // most points of a working set; their square is the memory needed
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

func (s solver) solve(ctx context.Context, p *distanceBlocks) (*solution, error) {
	if p.n <= s.dense {
		return s.whole(ctx, p)
	}
	d := &decomposition{solver: s, p: p, sol: solution{alpha: make([]float64, p.n)}, grad: make([]float64, p.n)}
	if err := d.start(ctx); err != nil {
		return nil, err
	}
	// Every round that changes anything lowers the objective; the bound is a safeguard.
	size := s.first
	for round := 1; round <= 200+20*p.n/s.first; round++ {
		if round%2 == 1 && round > 1 {
			size *= 2
		}
		size = min(size, s.most)
		low, high := bounds(d.sol.alpha, d.grad)
		if d.sol.gap = high - low; s.report != nil {
			s.report(round, objective(d.sol.alpha, d.grad), d.sol.gap)
		}
		if d.sol.gap <= s.tol {
			break
		}
		changed, err := d.round(ctx, size, round <= 3, low, high)
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
func (s solver) whole(ctx context.Context, p *distanceBlocks) (*solution, error) {
	q, err := gram(ctx, p, s.workers)
	if err != nil {
		return nil, err
	}
	order := make([]int, p.n)
	for i := range order {
		order[i] = i
	}
	sol := &solution{alpha: make([]float64, p.n)}
	fillFirst(sol.alpha, order, s.nu)
	grad := make([]float64, p.n)
	for i := range grad {
		for j, k := range q[i*p.n : (i+1)*p.n] {
			grad[i] += float64(sol.alpha[j] * k)
		}
	}
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
	p     *distanceBlocks
	sol   solution
	grad  []float64 // Kα
	delta []float64 // scratch: change of grad
	order []int     // points by rising gradient
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
	sv, w := support(sol.alpha)
	if err := d.sums(ctx, part.pick(sv), w, d.grad); err != nil {
		return err
	}
	d.order = make([]int, d.p.n)
	for i := range d.order {
		d.order[i] = i
	}
	d.sort()
	fillFirst(d.sol.alpha, d.order, d.nu)
	sv, w = support(d.sol.alpha)
	return d.sums(ctx, d.p.pick(sv), w, d.grad)
}

// sums fills out[i] = Σ_j w_j K(p_i, y_j) over the points y of q.
func (d *decomposition) sums(ctx context.Context, q *distanceBlocks, w, out []float64) error {
	return weightedSums(ctx, d.p.n, d.p.own(), q, w, d.workers, out)
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

// round improves one working set and says whether any α changed. A rough round stops at a tenth of the
// gap: precision is wasted while the gradient of the others is still far off.
func (d *decomposition) round(ctx context.Context, size int, rough bool, low, high float64) (bool, error) {
	set := d.violators(size, low, high)
	q, err := gram(ctx, d.p.pick(set), d.workers)
	if err != nil {
		return false, err
	}
	g, a := make([]float64, len(set)), make([]float64, len(set))
	for r, i := range set {
		g[r], a[r] = d.grad[i], d.sol.alpha[i]
	}
	tol := d.tol / 2
	if rough {
		tol = max(tol, (high-low)/10)
	}
	pairs, err := minimise(ctx, q, g, a, tol, maxPairs)
	if err != nil {
		return false, err
	}
	d.sol.pairs += pairs
	return d.update(ctx, set, a)
}

// violators are up to size points that break the optimality conditions most: those that should get more
// α, by rising gradient, and those that should get less, by falling gradient, alternating.
func (d *decomposition) violators(size int, low, high float64) []int {
	d.sort()
	var set []int
	taken := map[int]bool{}
	for up, down := 0, len(d.order)-1; len(set) < size && (up < len(d.order) || down >= 0); {
		for found := false; !found && up < len(d.order); up++ {
			i := d.order[up]
			if found = d.grad[i] < high && d.sol.alpha[i] < 1 && !taken[i]; found {
				set, taken[i] = append(set, i), true
			}
		}
		for found := false; !found && down >= 0; down-- {
			i := d.order[down]
			if found = d.grad[i] > low && d.sol.alpha[i] > 0 && !taken[i]; found {
				set, taken[i] = append(set, i), true
			}
		}
	}
	return set
}

// update moves the working set to its new α and the gradient of all points with it.
func (d *decomposition) update(ctx context.Context, set []int, a []float64) (changed bool, err error) {
	var moved []int
	var by []float64
	for r, i := range set {
		if diff := a[r] - d.sol.alpha[i]; diff != 0 {
			moved, by = append(moved, i), append(by, diff)
			d.sol.alpha[i] = a[r]
		}
	}
	if len(moved) == 0 {
		return false, nil
	}
	if d.delta == nil {
		d.delta = make([]float64, d.p.n)
	}
	if err := d.sums(ctx, d.p.pick(moved), by, d.delta); err != nil {
		return false, err
	}
	for i, v := range d.delta {
		d.grad[i] += v
	}
	return true, nil
}
