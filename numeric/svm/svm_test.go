package svm

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/numeric/kernel"
	"plumbline/numeric/similarity"
)

// clouds is n points of two overlapping clouds in the plane, with bounds [0, c] and [−c, 0].
func clouds(n int, c float64, seed uint64) (*Problem, []float32) {
	r := rand.New(rand.NewPCG(seed, 9))
	p := &Problem{}
	var x []float32
	for i := range n {
		side := float64(i%2)*2 - 1
		x = append(x, float32(side+r.NormFloat64()), float32(r.NormFloat64()))
		p.Linear = append(p.Linear, -side)
		p.Low, p.High = append(p.Low, min(0, c*side)), append(p.High, max(0, c*side))
	}
	f := similarity.Function{Kind: similarity.RBF, Gamma: 0.7}
	p.Points = similarity.New(f, x, n, 2, kernel.Middles(x, n, 2), false)
	return p, x
}

// gradient is Kβ + Linear from the definition.
func gradient(p *Problem, x []float32, beta []float64) []float64 {
	g := slices.Clone(p.Linear)
	row := func(i int) []float64 { return []float64{float64(x[2*i]), float64(x[2*i+1])} }
	for i := range g {
		for j, b := range beta {
			if b != 0 {
				g[i] += b * p.Points.F.Value(row(i), row(j))
			}
		}
	}
	return g
}

var settings = Options{Tol: 1e-5, Dense: 300, First: 40, Most: 160, Workers: 2}

// TestOptimal: what is found keeps its bounds and its sum, and by the gradient from the definition no pair of
// multipliers could be moved to gain more than the tolerance: whole, decomposed, and with repeated points.
func TestOptimal(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		c    float64
		same bool
	}{
		{"whole", 200, 1, false}, {"decomposed", 900, 1, false}, {"wide bounds", 700, 100, false},
		{"repeated", 640, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, x := clouds(c.n, c.c, 3)
			if c.same {
				for i := range c.n {
					copy(x[2*i:2*i+2], x[2*(i%32):])
				}
				p.Points = similarity.New(p.Points.F, x, c.n, 2, kernel.Middles(x, c.n, 2), false)
			}
			s, err := p.Solve(context.Background(), settings)
			if err != nil {
				t.Fatal(err)
			}
			sum, g := 0.0, gradient(p, x, s.Beta)
			low, high := math.Inf(1), math.Inf(-1)
			for i, b := range s.Beta {
				if sum += b; b < p.Low[i] || b > p.High[i] {
					t.Fatalf("β of point %d is %v, of [%v, %v]", i, b, p.Low[i], p.High[i])
				}
				if b < p.High[i] {
					low = min(low, g[i])
				}
				if b > p.Low[i] {
					high = max(high, g[i])
				}
			}
			if math.Abs(sum) > 1e-9*c.c || high-low > 2*settings.Tol || s.Gap > settings.Tol {
				t.Errorf("the sum is %v, the largest violation %v, said to be %v", sum, high-low, s.Gap)
			}
			if s.Offset < low-settings.Tol || s.Offset > high+settings.Tol {
				t.Errorf("the offset %v is not between %v and %v", s.Offset, low, high)
			}
		})
	}
}

// TestByHand: two points at distance 1 with K = e^−γ between them: β = ±1/(1−K) where the bounds allow it, else at the
// bounds, and the offset is 0 by symmetry.
func TestByHand(t *testing.T) {
	f := similarity.Function{Kind: similarity.RBF, Gamma: 0.5}
	k := math.Exp(-0.5)
	for _, c := range []float64{0.3, 10} {
		x := []float32{0, 1}
		p := &Problem{Points: similarity.New(f, x, 2, 1, []float64{0.5}, false), Linear: []float64{1, -1},
			Low: []float64{-c, 0}, High: []float64{0, c}}
		s, err := p.Solve(context.Background(), settings)
		if err != nil {
			t.Fatal(err)
		}
		want := min(c, 1/(1-k))
		if math.Abs(s.Beta[0]+want) > 1e-12 || math.Abs(s.Beta[1]-want) > 1e-12 || math.Abs(s.Offset) > 1e-12 {
			t.Errorf("C = %v: β %v and offset %v, want ±%v", c, s.Beta, s.Offset, want)
		}
	}
}

// TestWorkers: the number of workers changes no bit.
func TestWorkers(t *testing.T) {
	var want []float64
	for workers := 1; workers <= 3; workers++ {
		p, _ := clouds(800, 1, 5)
		o := settings
		o.Workers = workers
		s, err := p.Solve(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = s.Beta
		}
		if !slices.Equal(s.Beta, want) {
			t.Errorf("%d workers give another solution", workers)
		}
	}
}

func TestRefusesAndEnds(t *testing.T) {
	p, _ := clouds(500, 1, 7)
	bad := settings
	bad.Tol = math.NaN()
	if _, err := p.Solve(context.Background(), bad); err == nil {
		t.Error("a tolerance of NaN is taken")
	}
	q := *p
	q.Low = q.Low[1:]
	if _, err := q.Solve(context.Background(), settings); err == nil {
		t.Error("a bound too few is taken")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Solve(ctx, settings); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
