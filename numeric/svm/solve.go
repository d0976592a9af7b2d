package svm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/similarity"
)

// Problem is, for n points with the kernel matrix K,
//
//	min over β of ½ βᵀKβ + Σ_i Linear_i β_i   with Low ≤ β ≤ High and Σβ = 0
//
// which is the classifying machine with Linear = −y, and the bounds [0, C_i] where y = 1 and [−C_i, 0] where y = −1.
// All slices have n elements, Low ≤ 0 ≤ High.
type Problem struct {
	Points    *similarity.Points
	Linear    []float64
	Low, High []float64
}

// Options is how a problem is solved. The zero value of Workers is one.
type Options struct {
	Tol     float64 // largest violation of the optimality conditions that ends it, above 0
	Dense   int     // up to this number of points the matrix is held as a whole
	First   int     // points of the first working set
	Most    int     // points of a working set at most; their square is the memory needed, in units of 8 bytes
	Workers int
	Report  func(round int, objective, gap float64) // nil: nobody asks
}

// Solution is the multipliers, and f(x) = Σ_i β_i K(x_i, x) − Offset.
type Solution struct {
	Beta   []float64
	Offset float64
	Gap    float64 // largest violation left
	Pairs  int     // steps of two multipliers
	Rounds int     // working sets
}

const (
	warmStep = 8
	startTol = 0.5        // of the solution that a larger one is begun with; margins are ±1
	maxPairs = 10_000_000 // of one dense program
)

// Support lists the points with β ≠ 0, and their β.
func (s *Solution) Support() (idx []int, beta []float64) {
	for i, v := range s.Beta {
		if v != 0 {
			idx, beta = append(idx, i), append(beta, v)
		}
	}
	return idx, beta
}

// Solve solves the problem. A small one is solved whole by sequential minimal optimisation. A larger one is begun with
// the solution for every warmStep-th point of either sign, whose bounds are as many times as wide, so that it stands
// for as much loss: a point that this solution has on the wrong side of its margin begins at its bound. Rounds then
// take the worst violators into a working set, half of them from either side, solve for those with all others fixed,
// and update the gradient of all; the working set doubles every third round up to its limit. The stopping rule is
// libsvm's. The result does not depend on Workers.
func (p *Problem) Solve(ctx context.Context, o Options) (*Solution, error) {
	n := p.Points.N
	switch {
	case len(p.Linear) != n || len(p.Low) != n || len(p.High) != n:
		return nil, fmt.Errorf("svm: %d points, %d linear terms, %d and %d bounds", n, len(p.Linear), len(p.Low),
			len(p.High))
	case !(o.Tol > 0) || o.Dense < 1 || o.First < 2 || o.Most < o.First:
		return nil, errors.New("svm: options out of range")
	}
	w := &work{Problem: p, Options: o, sol: Solution{Beta: make([]float64, n)}, grad: slices.Clone(p.Linear)}
	if n <= o.Dense {
		return w.whole(ctx)
	}
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	return w.decompose(ctx)
}

// work is a problem under way.
type work struct {
	*Problem
	Options
	sol   Solution
	grad  []float64 // Kβ + Linear
	delta []float64 // scratch: change of Kβ
	gram  []float64 // scratch: kernel values of a working set, of which two are not held at a time
}

func (w *work) whole(ctx context.Context) (*Solution, error) {
	q, err := w.Points.Gram(ctx, w.Workers, nil)
	if err != nil {
		return nil, err
	}
	d := &dense{q: q, g: w.grad, b: w.sol.Beta, low: w.Low, high: w.High}
	if w.sol.Pairs, err = d.minimise(ctx, w.Tol, maxPairs); err != nil {
		return nil, err
	}
	low, high := w.bounds()
	w.sol.Gap, w.sol.Rounds = high-low, 1
	return w.done(1), nil
}

// done reports the last state and takes the offset from it.
func (w *work) done(round int) *Solution {
	w.report(round)
	w.sol.Offset = w.offset()
	return &w.sol
}

func (w *work) report(round int) {
	if w.Report != nil {
		w.Report(round, w.objective(), w.sol.Gap)
	}
}

func (w *work) decompose(ctx context.Context) (*Solution, error) {
	// every round that changes anything lowers the objective; the bound is a safeguard
	size, round := w.First, 1
	for ; round <= 200+20*w.Points.N/w.First; round++ {
		if round%3 == 0 {
			size = min(2*size, w.Most)
		}
		low, high := w.bounds()
		if w.sol.Gap = high - low; w.sol.Gap <= w.Tol {
			break
		}
		w.report(round)
		changed, err := w.round(ctx, size, low, high)
		if err != nil {
			return nil, err
		}
		if !changed {
			break // rounding has the last word
		}
	}
	w.sol.Rounds = round
	return w.done(round), nil
}

// bounds are min {g : β < high} and max {g : β > low}; optimal when they meet.
func (w *work) bounds() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for i, g := range w.grad {
		if w.sol.Beta[i] < w.High[i] {
			low = min(low, g)
		}
		if w.sol.Beta[i] > w.Low[i] {
			high = max(high, g)
		}
	}
	return low, high
}

// offset is the mean gradient of the free points, or without any the middle between the bounds that the others put on
// it.
func (w *work) offset() float64 {
	above, below := math.Inf(-1), math.Inf(1)
	sum, free := 0.0, 0
	for i, b := range w.sol.Beta {
		switch g := w.grad[i]; {
		case b > w.Low[i] && b < w.High[i]:
			sum += g
			free++
		case b >= w.High[i]: // it would grow further
			above = max(above, g)
		default:
			below = min(below, g)
		}
	}
	switch {
	case free > 0:
		return sum / float64(free)
	case math.IsInf(below, 1):
		return above
	case math.IsInf(above, -1):
		return below
	}
	return (above + below) / 2
}

// objective is ½ βᵀKβ + Linear·β = ½ β·(grad + Linear).
func (w *work) objective() float64 {
	sum := 0.0
	for i, b := range w.sol.Beta {
		sum += float64(b * (w.grad[i] + w.Linear[i]))
	}
	return sum / 2
}

// start solves for a share of the points and carries the solution over.
func (w *work) start(ctx context.Context) error {
	idx := w.share()
	some := &Problem{Points: w.Points.Pick(idx), Linear: make([]float64, len(idx)), Low: make([]float64, len(idx)),
		High: make([]float64, len(idx))}
	for k, i := range idx {
		some.Linear[k], some.Low[k], some.High[k] = w.Linear[i], warmStep*w.Low[i], warmStep*w.High[i]
	}
	inner := w.Options
	inner.Report, inner.Tol = nil, max(w.Tol, startTol)
	sol, err := some.Solve(ctx, inner)
	if err != nil {
		return err
	}
	w.sol.Pairs = sol.Pairs
	sv, beta := sol.Support()
	if len(sv) == 0 {
		return nil
	}
	f := make([]float64, w.Points.N)
	if err := w.Points.Sums(ctx, some.Points.Pick(sv), beta, w.Workers, f); err != nil {
		return err
	}
	w.carry(f, sol.Offset)
	if sv, beta = w.sol.Support(); len(sv) == 0 {
		return nil
	}
	if err := w.Points.Sums(ctx, w.Points.Pick(sv), beta, w.Workers, w.grad); err != nil {
		return err
	}
	for i, v := range w.Linear {
		w.grad[i] += v
	}
	return nil
}

// share is every warmStep-th point of either sign, in order.
func (w *work) share() (idx []int) {
	var seen [2]int
	for i := range w.Points.N {
		side := 0
		if w.High[i] > 0 {
			side = 1
		}
		if seen[side]%warmStep == 0 {
			idx = append(idx, i)
		}
		seen[side]++
	}
	return idx
}

// carry gives points whose gradient f + Linear − offset asks for it their bound, the worst first, as long as the sum
// stays 0.
func (w *work) carry(f []float64, offset float64) {
	var up, down []int
	for i, v := range f {
		g := v + w.Linear[i] - offset
		f[i] = g
		switch {
		case g < 0 && w.High[i] > 0:
			up = append(up, i)
		case g > 0 && w.Low[i] < 0:
			down = append(down, i)
		}
	}
	sort := func(idx []int, sign float64) {
		slices.SortFunc(idx, func(a, b int) int { return cmp.Or(cmp.Compare(sign*f[a], sign*f[b]), cmp.Compare(a, b)) })
	}
	sort(up, 1)
	sort(down, -1)
	var most, least float64
	for _, i := range up {
		most += w.High[i]
	}
	for _, i := range down {
		least -= w.Low[i]
	}
	total := min(most, least)
	fill := func(idx []int, bound []float64, sign float64) {
		left := total
		for _, i := range idx {
			step := min(sign*bound[i], left)
			w.sol.Beta[i] = sign * step
			if left -= step; left <= 0 {
				return
			}
		}
	}
	fill(up, w.High, 1)
	fill(down, w.Low, -1)
}

// round improves one working set and says whether any β changed. It stops at a third of the gap: precision is wasted
// while the gradient of the others is far off.
func (w *work) round(ctx context.Context, size int, low, high float64) (bool, error) {
	set := w.violators(size, low, high)
	q, err := w.Points.Pick(set).Gram(ctx, w.Workers, w.gram)
	if err != nil {
		return false, err
	}
	w.gram = q
	m := len(set)
	d := &dense{q: q, g: make([]float64, m), b: make([]float64, m), low: make([]float64, m), high: make([]float64, m)}
	for k, i := range set {
		d.g[k], d.b[k], d.low[k], d.high[k] = w.grad[i], w.sol.Beta[i], w.Low[i], w.High[i]
	}
	pairs, err := d.minimise(ctx, max(w.Tol/2, (high-low)/3), maxPairs)
	w.sol.Pairs += pairs
	if err != nil {
		return false, err
	}
	return w.update(ctx, set, d.b)
}

// violators are up to size points that break the optimality conditions most: half of them should have more β, by rising
// gradient, the others less, by falling gradient, alternating.
func (w *work) violators(size int, low, high float64) []int {
	var up, down []int
	for i, g := range w.grad {
		if g < high && w.sol.Beta[i] < w.High[i] {
			up = append(up, i)
		}
		if g > low && w.sol.Beta[i] > w.Low[i] {
			down = append(down, i)
		}
	}
	byGradient := func(idx []int, sign float64) {
		slices.SortFunc(idx, func(a, b int) int {
			return cmp.Or(cmp.Compare(sign*w.grad[a], sign*w.grad[b]), cmp.Compare(a, b))
		})
	}
	byGradient(up, 1)
	byGradient(down, -1)
	set, taken := make([]int, 0, size), make(map[int]bool, size)
	next := func(idx []int) []int {
		for len(idx) > 0 && taken[idx[0]] {
			idx = idx[1:]
		}
		if len(idx) > 0 && len(set) < size {
			set, taken[idx[0]] = append(set, idx[0]), true
			idx = idx[1:]
		}
		return idx
	}
	for len(set) < size && len(up)+len(down) > 0 {
		up = next(up)
		down = next(down)
	}
	return set
}

// update moves the working set to its new β and the gradient of all points with it.
func (w *work) update(ctx context.Context, set []int, b []float64) (changed bool, err error) {
	var moved []int
	var by []float64
	for k, i := range set {
		if diff := b[k] - w.sol.Beta[i]; diff != 0 {
			moved, by = append(moved, i), append(by, diff)
			w.sol.Beta[i] = b[k]
		}
	}
	if len(moved) == 0 {
		return false, nil
	}
	if w.delta == nil {
		w.delta = make([]float64, w.Points.N)
	}
	if err := w.Points.Sums(ctx, w.Points.Pick(moved), by, w.Workers, w.delta); err != nil {
		return false, err
	}
	for i, v := range w.delta {
		w.grad[i] += v
	}
	return true, nil
}
