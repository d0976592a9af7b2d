// Package minimise finds minima of smooth functions of many variables. Every sum has one order and no product is fused
// with a sum: all processors take the same steps.
package minimise

import (
	"errors"
	"math"
)

// ErrUndefined says that the function is undefined where the search began.
var ErrUndefined = errors.New("the function has no finite value where the search begins")

// Settings say when a search ends and what it keeps.
type Settings struct {
	Memory     int     // pairs of steps and differences of gradients that stand for the curvature
	Iterations int     // at most
	Gradient   float64 // the search ends when no element of the gradient is larger
	Relative   float64 // or when Stall iterations each lower the value by no more than this share of it
	Stall      int
	Observe    func(iteration int, value float64) // nil: nobody is told
}

// Wolfe's conditions: the share of the descent that the slope promises which a step has to reach, and the share of the
// slope that may be left after it.
const (
	sufficient = 1e-4
	curvature  = 0.9
)

// trials bounds the steps tried in one line search.
const trials = 40

// LBFGS moves x to where f has a local minimum, by limited-memory BFGS (Nocedal and Wright, Numerical Optimization, 2nd
// edition, algorithms 7.4 and 7.5) with a line search for the strong Wolfe conditions (3.5 and 3.6). f fills grad with
// the gradient at x and returns the value; a value or an element that is not finite makes a step too long. The search
// ends too where no step along the direction lowers the value: there x is as good as float64 gives. It returns the
// value at x.
func LBFGS(x []float64, s Settings, f func(x, grad []float64) float64) (float64, error) {
	n := len(x)
	l := &search{f: f, x: make([]float64, n), grad: make([]float64, n)}
	grad, direction := make([]float64, n), make([]float64, n)
	value := f(x, grad)
	if !finite(value, grad) {
		return value, ErrUndefined
	}
	var pairs []pair
	for iteration, stalled := 1, 0; iteration <= s.Iterations && largest(grad) > s.Gradient; iteration++ {
		descend(direction, grad, pairs)
		slope := dot(direction, grad)
		if !(slope < 0) { // rounding has spoilt the curvature: begin with the gradient again
			pairs = nil
			descend(direction, grad, nil)
			slope = dot(direction, grad)
		}
		step := 1.0
		if pairs == nil {
			step = min(1, 1/norm(grad))
		}
		next, ok := l.wolfe(x, direction, value, slope, step)
		if !ok {
			if pairs == nil {
				break
			}
			pairs = nil // try once more, along the gradient
			continue
		}
		p := pair{s: make([]float64, n), y: make([]float64, n)}
		for i := range x {
			p.s[i], p.y[i] = l.x[i]-x[i], l.grad[i]-grad[i]
		}
		if p.sy = dot(p.s, p.y); p.sy > 0 {
			if p.yy = dot(p.y, p.y); len(pairs) == s.Memory {
				pairs = pairs[1:]
			}
			pairs = append(pairs, p)
		}
		gain := value - next
		copy(x, l.x)
		copy(grad, l.grad)
		value = next
		if s.Observe != nil {
			s.Observe(iteration, value)
		}
		if gain > s.Relative*math.Abs(value) {
			stalled = 0
		} else if stalled++; stalled >= s.Stall {
			break
		}
	}
	return value, nil
}

// pair is one step, the difference of the gradients at its ends, and their products.
type pair struct {
	s, y   []float64
	sy, yy float64
}

// descend fills direction with −H grad, H being the inverse of the curvature as the pairs tell.
func descend(direction, grad []float64, pairs []pair) {
	for i, g := range grad {
		direction[i] = -g
	}
	if len(pairs) == 0 {
		return
	}
	alphas := make([]float64, len(pairs))
	for k := len(pairs) - 1; k >= 0; k-- {
		p := &pairs[k]
		alphas[k] = dot(p.s, direction) / p.sy
		add(direction, -alphas[k], p.y)
	}
	last := &pairs[len(pairs)-1]
	scale := last.sy / last.yy
	for i := range direction {
		direction[i] *= scale
	}
	for k := range pairs {
		p := &pairs[k]
		add(direction, alphas[k]-dot(p.y, direction)/p.sy, p.s)
	}
}

// search is a line search with what it finds: the point and the gradient there.
type search struct {
	f       func(x, grad []float64) float64
	x, grad []float64
}

// point is a step with the value and the slope along the direction there.
type point struct{ step, value, slope float64 }

// try goes a step from x.
func (l *search) try(x, direction []float64, step float64) point {
	for i, v := range x {
		l.x[i] = v + float64(step*direction[i])
	}
	value := l.f(l.x, l.grad)
	if !finite(value, l.grad) {
		return point{step, math.Inf(1), math.Inf(1)}
	}
	return point{step, value, dot(l.grad, direction)}
}

// wolfe looks for a step that fulfils the strong Wolfe conditions, else for one that lowers the value at all. l.x and
// l.grad are then where it leads; ok is false where there is none.
func (l *search) wolfe(x, direction []float64, value, slope, step float64) (next float64, ok bool) {
	good := func(p point) bool { return p.value <= value+float64(sufficient*p.step*slope) }
	low := point{0, value, slope} // the lowest that fulfils the first condition
	high := point{step: math.Inf(1)}
	var last point
	for range trials {
		last = l.try(x, direction, step)
		switch {
		case !good(last) || last.value >= low.value && low.step > 0:
			high = last
		case math.Abs(last.slope) <= -curvature*slope:
			return last.value, true
		default:
			if last.slope*(high.step-low.step) >= 0 && !math.IsInf(high.step, 1) || math.IsInf(high.step, 1) &&
				last.slope >= 0 {
				high = low
			}
			low = last
		}
		if math.IsInf(high.step, 1) {
			step = 2 * last.step
			continue
		}
		step = between(low, high)
		if step == low.step || step == high.step || math.Abs(high.step-low.step) <= 1e-14*max(high.step, low.step) {
			break
		}
	}
	if low.step == 0 || !(low.value < value) {
		return value, false
	}
	if last.step != low.step {
		last = l.try(x, direction, low.step)
	}
	return last.value, true
}

// between is where a cubic through two points with their slopes has its minimum, kept off the ends; the middle where
// there is none.
func between(a, b point) float64 {
	middle := a.step + float64((b.step-a.step)/2)
	if math.IsInf(b.value, 0) {
		return middle
	}
	d1 := a.slope + b.slope - float64(3*(a.value-b.value)/(a.step-b.step))
	root := float64(d1*d1) - float64(a.slope*b.slope)
	if !(root >= 0) {
		return middle
	}
	d2 := math.Copysign(math.Sqrt(root), b.step-a.step)
	at := b.step - float64((b.step-a.step)*((b.slope+d2-d1)/(b.slope-a.slope+float64(2*d2))))
	lo, hi := min(a.step, b.step), max(a.step, b.step)
	margin := float64(0.1 * (hi - lo))
	if !(at >= lo+margin && at <= hi-margin) {
		return middle
	}
	return at
}

func finite(value float64, grad []float64) bool {
	sum := value - value
	for _, g := range grad {
		sum += g - g
	}
	return sum == 0
}

func largest(v []float64) (out float64) {
	for _, x := range v {
		out = max(out, math.Abs(x))
	}
	return out
}

func norm(v []float64) float64 { return math.Sqrt(dot(v, v)) }

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

// add is v ← v + f·w.
func add(v []float64, f float64, w []float64) {
	for i, x := range w {
		v[i] += float64(f * x)
	}
}
