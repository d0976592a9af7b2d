package similarity

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/numeric/kernel"
)

// set is n rows of d numbers, some repeated, each column around offset and about spread wide.
func set(n, d int, offset, spread float64, seed uint64) (x []float32, wide [][]float64) {
	r := rand.New(rand.NewPCG(seed, 5))
	x = make([]float32, n*d)
	for i := range n {
		row := make([]float64, d)
		for j := range row {
			x[i*d+j] = float32(offset*float64(j%2) + spread*r.NormFloat64())
		}
		if i%6 == 5 {
			copy(x[i*d:(i+1)*d], x[r.IntN(i)*d:])
		}
		for j := range row {
			row[j] = float64(x[i*d+j])
		}
		wide = append(wide, row)
	}
	return x, wide
}

// cases are kernels on data that they suit, and the way that each should take.
var cases = []struct {
	name           string
	f              Function
	offset, spread float64
	single, long   bool
	tol            float64
}{
	{"rbf, float32", Function{Kind: RBF, Gamma: 0.2}, 3, 1, true, false, 3e-5},
	{"rbf, float64", Function{Kind: RBF, Gamma: 0.2}, 3, 1, false, false, 1e-12},
	{"rbf, narrow", Function{Kind: RBF, Gamma: 400}, 0, 2, false, false, 1e-10},
	{"rbf, long rows", Function{Kind: RBF, Gamma: 1e6}, 0, 2, false, true, 1e-9},
	{"linear", Function{Kind: Linear}, 1, 1, false, false, 1e-12},
	{"poly", Function{Kind: Poly, Gamma: 0.3, Offset: 1, Degree: 3}, 1, 1, false, false, 1e-12},
	{"sigmoid", Function{Kind: Sigmoid, Gamma: 0.1, Offset: -0.5}, 1, 1, false, false, 1e-12},
}

// TestSums: every way to add up kernel values, against the definition.
func TestSums(t *testing.T) {
	const n, m, d = 310, 130, 7
	ctx := context.Background()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			x, wide := set(n, d, c.offset, c.spread, 1)
			q, wideQ := set(m, d, c.offset, c.spread, 2)
			copy(q, x[:20*d]) // some that are points themselves
			copy(wideQ, wide[:20])
			var shift []float64
			if c.f.Kind == RBF {
				shift = kernel.Middles(x, n, d)
			}
			p := New(c.f, x, n, d, shift, c.single)
			if p.Single() != c.single || !c.single && p.double.long != c.long {
				t.Fatalf("takes the wrong way")
			}
			idx, w := []int{}, []float64{}
			for i := 3; i < n; i += 2 {
				idx, w = append(idx, i), append(w, 1/float64(i))
			}
			some := p.Pick(idx)
			want := func(x []float64) (sum float64) {
				for k, i := range idx {
					sum += w[k] * c.f.Value(wide[i], x)
				}
				return sum
			}
			check := func(name string, got []float64, rows [][]float64) {
				t.Helper()
				for i, v := range got {
					if e := want(rows[i]); math.Abs(v-e) > c.tol*max(1, math.Abs(e)) {
						t.Fatalf("%s: sum of row %d is %v, want %v", name, i, v, e)
					}
				}
			}
			out := make([]float64, n)
			if err := p.Sums(ctx, some, w, 2, out); err != nil {
				t.Fatal(err)
			}
			check("points", out, wide)
			at := make([]float64, m)
			if err := some.SumsAt(ctx, q, w, 2, at); err != nil {
				t.Fatal(err)
			}
			check("other rows", at, wideQ)
			alone := make([]float64, 1)
			for _, i := range []int{0, 77, m - 1} {
				if err := some.SumsAt(ctx, q[i*d:(i+1)*d], w, 1, alone); err != nil || alone[0] != at[i] {
					t.Errorf("row %d: %v alone, %v among others, %v", i, alone[0], at[i], err)
				}
			}
			each := make([]float64, m*len(idx))
			if err := some.ValuesAt(ctx, q, m, 2, each); err != nil {
				t.Fatal(err)
			}
			for i := range m {
				sum := 0.0
				for j := range idx {
					sum += w[j] * each[i*len(idx)+j]
				}
				at[i] = sum
			}
			check("values", at, wideQ)
			gram, err := some.Gram(ctx, 3, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range idx {
				for j, b := range idx {
					got, e := gram[i*len(idx)+j], c.f.Value(wide[a], wide[b])
					if math.Abs(got-e) > c.tol*max(1, math.Abs(e)) || c.f.Kind == RBF && i == j && got != 1 {
						t.Fatalf("kernel of rows %d and %d is %v, want %v", a, b, got, e)
					}
				}
			}
		})
	}
}

// TestLogSums: near and far, on both ways.
func TestLogSums(t *testing.T) {
	const n, m, d = 100, 300, 4
	for _, gamma := range []float64{0.1, 10, 1e7} {
		x, wide := set(n, d, 2, 1, 3)
		q, wideQ := set(m, d, 2, 30, 4)
		copy(q, x[:20*d])
		copy(wideQ, wide[:20])
		p := New(Function{Kind: RBF, Gamma: gamma}, x, n, d, kernel.Middles(x, n, d), false)
		if p.double.long != (gamma == 1e7) {
			t.Fatalf("gamma %v takes the wrong way", gamma)
		}
		out := make([]float64, m)
		if err := p.LogSumsAt(context.Background(), q, 2, out); err != nil {
			t.Fatal(err)
		}
		for i, got := range out {
			top := math.Inf(-1)
			terms := make([]float64, n)
			for j := range terms {
				for k, v := range wide[j] {
					terms[j] -= gamma * (v - wideQ[i][k]) * (v - wideQ[i][k])
				}
				top = max(top, terms[j])
			}
			sum := 0.0
			for _, v := range terms {
				sum += math.Exp(v - top)
			}
			if want := top + math.Log(sum); math.Abs(got-want) > 1e-8*max(1, math.Abs(want)) {
				t.Fatalf("gamma %v: row %d: %v, want %v", gamma, i, got, want)
			}
		}
	}
}

// TestLargeOffset: rows far from the origin whose differences are small keep them.
func TestLargeOffset(t *testing.T) {
	const n, d = 60, 3
	x, wide := set(n, d, 1e6, 0.5, 6)
	for _, shift := range [][]float64{kernel.Middles(x, n, d), make([]float64, d)} {
		f := Function{Kind: RBF, Gamma: 0.7}
		gram, err := New(f, x, n, d, shift, true).Gram(context.Background(), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for j := range n {
				if want := f.Value(wide[i], wide[j]); math.Abs(gram[i*n+j]-want) > 1e-5 {
					t.Fatalf("shift %v: kernel of rows %d and %d is %v, want %v", shift, i, j, gram[i*n+j], want)
				}
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x, _ := set(50, 2, 0, 1, 1)
	p := New(Function{Kind: RBF, Gamma: 1}, x, 50, 2, nil, false)
	w, out := make([]float64, 50), make([]float64, 50)
	_, gramErr := p.Gram(ctx, 1, nil)
	for i, err := range []error{p.Sums(ctx, p, w, 1, out), p.SumsAt(ctx, x, w, 2, out),
		p.LogSumsAt(ctx, x, 1, out), gramErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%d: %v", i, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a shift under a linear kernel is accepted")
		}
	}()
	New(Function{Kind: Linear}, x, 50, 2, make([]float64, 2), false)
}
