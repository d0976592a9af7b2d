package oneclass

import (
	"context"
	"math"

	"plumbline/numeric/similarity"
	"plumbline/numeric/stat"
)

// solver finds the one-class SVM of n points: the α with 0 ≤ α ≤ 1 and Σα = νn that minimises ½ αᵀKα.
//
// Small problems are solved whole by minimise. Larger ones by decomposition: from a start that comes from
// the solution for every warmStep-th row, rounds take the worst violators of the optimality conditions
// into a working set, half of them from either side, solve for those with all others fixed, and update
// the gradient of all. The working set doubles every other round up to its limit: a few hundred points
// are enough for most problems, but not where more than that are free (0 < α < 1). Where the start finds most points
// to be support vectors, pairwise goes on from it instead. The rule that ends it is libsvm's, and so is the scaling of
// α and ρ.
type solver struct {
	nu, tol float64
	dense   int // largest number of points that is solved whole
	first   int // points of the first working set
	most    int // largest number of points of a working set; its square is the memory needed
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

func (s solver) solve(ctx context.Context, p *similarity.Points) (*solution, error) {
	if p.N <= s.dense {
		return s.whole(ctx, p)
	}
	d := &decomposition{solver: s, p: p, sol: solution{alpha: make([]float64, p.N)}, grad: make([]float64, p.N)}
	if err := d.start(ctx); err != nil {
		return nil, err
	}
	if d.spread {
		return &d.sol, d.pairwise(ctx, 8*s.most*s.most)
	}
	// Every round that changes anything lowers the objective; the bound is a safeguard.
	size := s.first
	for round := 1; round <= 200+20*p.N/s.first; round++ {
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
func (s solver) whole(ctx context.Context, p *similarity.Points) (*solution, error) {
	q, err := p.Gram(ctx, s.workers, nil)
	if err != nil {
		return nil, err
	}
	order := make([]int, p.N)
	for i := range order {
		order[i] = i
	}
	sol := &solution{alpha: make([]float64, p.N)}
	fillFirst(sol.alpha, order, s.nu)
	grad := make([]float64, p.N)
	for i := range grad {
		for j, k := range q[i*p.N : (i+1)*p.N] {
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
	total := float64(nu * float64(len(alpha)))
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
	p     *similarity.Points
	sol   solution
	grad  []float64 // Kα
	delta []float64 // scratch: change of grad
	gram  []float64 // scratch: kernel values of a working set, of which two are not held at a time

	spread bool // most points are support vectors, as far as the start can tell
}

// start solves for every warmStep-th point, gives α = 1 to the points that this solution finds the most
// anomalous, and computes the gradient.
func (d *decomposition) start(ctx context.Context) error {
	var idx []int
	for i := 0; i < d.p.N; i += warmStep {
		idx = append(idx, i)
	}
	some := d.p.Pick(idx)
	inner := d.solver
	inner.report = nil
	sol, err := inner.solve(ctx, some)
	if err != nil {
		return err
	}
	d.sol.pairs = sol.pairs
	sv, w := support(sol.alpha)
	d.spread = d.p.F.Kind == similarity.RBF && float64(len(sv)) > max(0.3, 2*d.nu)*float64(some.N)
	if err := d.p.Sums(ctx, some.Pick(sv), w, d.workers, d.grad); err != nil {
		return err
	}
	order := make([]int, d.p.N)
	for i := range order {
		order[i] = i
	}
	order = stat.Lowest(order, int(d.nu*float64(d.p.N))+1, func(i int) float64 { return d.grad[i] })
	fillFirst(d.sol.alpha, order, d.nu)
	sv, w = support(d.sol.alpha)
	return d.p.Sums(ctx, d.p.Pick(sv), w, d.workers, d.grad)
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

// round improves one working set and says whether any α changed. A rough round stops at a tenth of the
// gap: precision is wasted while the gradient of the others is still far off.
func (d *decomposition) round(ctx context.Context, size int, rough bool, low, high float64) (bool, error) {
	set := d.violators(size, low, high)
	q, err := d.p.Pick(set).Gram(ctx, d.workers, d.gram)
	if err != nil {
		return false, err
	}
	d.gram = q
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

// violators are up to size points that break the optimality conditions most: half of them should get more α, by
// rising gradient, the others less, by falling gradient, alternating.
func (d *decomposition) violators(size int, low, high float64) []int {
	var up, down []int
	for i, g := range d.grad {
		if g < high && d.sol.alpha[i] < 1 {
			up = append(up, i)
		}
		if g > low && d.sol.alpha[i] > 0 {
			down = append(down, i)
		}
	}
	// A point may be in both lists, so that each must be as long as the set.
	up = stat.Lowest(up, size, func(i int) float64 { return d.grad[i] })
	down = stat.Lowest(down, size, func(i int) float64 { return -d.grad[i] })
	set := make([]int, 0, size)
	taken := make(map[int]bool, size)
	for len(set) < size && len(up)+len(down) > 0 {
		for _, list := range []*[]int{&up, &down} {
			for len(*list) > 0 && taken[(*list)[0]] {
				*list = (*list)[1:]
			}
			if len(*list) > 0 && len(set) < size {
				i := (*list)[0]
				set, taken[i], *list = append(set, i), true, (*list)[1:]
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
		d.delta = make([]float64, d.p.N)
	}
	if err := d.p.Sums(ctx, d.p.Pick(moved), by, d.workers, d.delta); err != nil {
		return false, err
	}
	for i, v := range d.delta {
		d.grad[i] += v
	}
	return true, nil
}
