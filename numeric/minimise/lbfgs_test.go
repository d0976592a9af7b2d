package minimise

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/optimize/functions"
)

var usual = Settings{Memory: 10, Iterations: 2000, Gradient: 1e-9, Relative: 1e-15, Stall: 20}

// TestLBFGS: the minima of functions that others have published with their minima.
func TestLBFGS(t *testing.T) {
	for name, c := range map[string]struct {
		f interface {
			Func([]float64) float64
			Grad(grad, x []float64)
		}
		from, want []float64
	}{
		"Rosenbrock, 2":  {functions.ExtendedRosenbrock{}, []float64{-1.2, 1}, []float64{1, 1}},
		"Rosenbrock, 10": {functions.ExtendedRosenbrock{}, []float64{-1, 2, -1, 2, -1, 2, -1, 2, -1, 2}, ones(10)},
		"Beale":          {functions.Beale{}, []float64{1, 1}, []float64{3, 0.5}},
		"Wood":           {functions.Wood{}, []float64{-3, -1, -3, -1}, ones(4)},
		"PowellBadly": {functions.PowellBadlyScaled{}, []float64{0, 1},
			[]float64{1.0981593296997149e-5, 9.106146739867375}},
	} {
		t.Run(name, func(t *testing.T) {
			x, last := append([]float64(nil), c.from...), math.Inf(1)
			s := usual
			s.Observe = func(iteration int, value float64) {
				if value > last {
					t.Errorf("iteration %d: the value rises from %v to %v", iteration, last, value)
				}
				last = value
			}
			value, err := LBFGS(x, s, func(x, grad []float64) float64 { c.f.Grad(grad, x); return c.f.Func(x) })
			if err != nil || value > 1e-15 {
				t.Errorf("%v, %v at %v", value, err, x)
			}
			for i, v := range x {
				if math.Abs(v-c.want[i]) > 1e-6*max(1, math.Abs(c.want[i])) {
					t.Errorf("%v, want %v", x, c.want)
				}
			}
		})
	}
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// TestLBFGSQuadratic: ½ Σ a_i (x_i − i)² with curvatures from 1 to 10,000 (gonum takes 1,213 iterations).
func TestLBFGSQuadratic(t *testing.T) {
	const n = 50
	x, r := make([]float64, n), rand.New(rand.NewPCG(1, 1))
	for i := range x {
		x[i] = 10 * r.NormFloat64()
	}
	iterations := 0
	s := usual
	s.Observe = func(int, float64) { iterations++ }
	value, err := LBFGS(x, s, func(x, grad []float64) float64 {
		sum := 0.0
		for i, v := range x {
			a := math.Pow(10000, float64(i)/(n-1))
			grad[i] = a * (v - float64(i))
			sum += grad[i] * (v - float64(i)) / 2
		}
		return sum
	})
	if err != nil || value > 1e-15 || iterations > 1500 {
		t.Errorf("%v after %d iterations, %v", value, iterations, err)
	}
}

// TestLBFGSEnds: a start at the minimum stays, a wall of +∞ is kept away from, what is undefined at the start is an
// error, and a function without a minimum ends with the iterations.
func TestLBFGSEnds(t *testing.T) {
	x := []float64{0}
	square := func(x, grad []float64) float64 { grad[0] = 2 * x[0]; return x[0] * x[0] }
	if value, err := LBFGS(x, usual, square); value != 0 || err != nil || x[0] != 0 {
		t.Errorf("%v at %v, %v", value, x, err)
	}
	x[0] = 8 // −log x + x, whose minimum is at 1
	barrier := func(x, grad []float64) float64 { grad[0] = 1 - 1/x[0]; return x[0] - math.Log(x[0]) }
	if _, err := LBFGS(x, usual, barrier); err != nil || math.Abs(x[0]-1) > 1e-6 {
		t.Errorf("at %v, %v", x, err)
	}
	x[0] = -1
	if _, err := LBFGS(x, usual, barrier); !errors.Is(err, ErrUndefined) {
		t.Error(err)
	}
	x[0] = 0
	s := usual
	s.Iterations = 7
	calls := 0
	s.Observe = func(int, float64) { calls++ }
	if _, err := LBFGS(x, s, func(x, grad []float64) float64 { grad[0] = -1; return -x[0] }); err != nil || calls > 7 ||
		!(x[0] > 1) {
		t.Errorf("at %v after %d iterations, %v", x, calls, err)
	}
}
