package factor

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// covariance is that of n rows of d columns of very different sizes, some of them sums of others.
func covariance(r *rand.Rand, n, d, dependent int) []float64 {
	x := make([]float64, n*d)
	for i := range n {
		row := x[i*d : (i+1)*d]
		for j := range d {
			row[j] = r.NormFloat64() * math.Exp(float64(j%7)-3)
		}
		for j := range dependent {
			row[d-1-j] = row[j] + row[j+1]
		}
	}
	out := make([]float64, d*d)
	for a := range d {
		for b := range d {
			for i := range n {
				out[a*d+b] += x[i*d+a] * x[i*d+b] / float64(n)
			}
		}
	}
	return out
}

// TestEigen: values equal gonum's, vectors are orthonormal and give the matrix back, with repeated and zero eigenvalues
// too.
func TestEigen(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ones := make([]float64, 49)
	for i := range ones {
		ones[i] = 1
	}
	unit := make([]float64, 25)
	for i := range 5 {
		unit[i*6] = 3
	}
	for name, c := range map[string]struct {
		a []float64
		d int
	}{
		"1":         {[]float64{-4}, 1},
		"2":         {[]float64{2, 1, 1, 2}, 2},
		"zero":      {make([]float64, 16), 4},
		"unit":      {unit, 5},
		"ones":      {ones, 7},
		"diagonal":  {[]float64{1, 0, 0, 0, 5, 0, 0, 0, 3}, 3},
		"small":     {covariance(r, 30, 9, 2), 9},
		"dependent": {covariance(r, 100, 40, 10), 40},
		"large":     {covariance(r, 150, 120, 0), 120},
		"fewer":     {covariance(r, 20, 60, 0), 60},
		"few":       {covariance(r, 12, 150, 0), 150},
		"tiny":      {[]float64{2e-300, 1e-300, 1e-300, 2e-300}, 2},
		"huge":      {[]float64{2e300, 1e300, 1e300, 2e300}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			values, vectors, err := Eigen(c.a, c.d)
			if err != nil {
				t.Fatal(err)
			}
			want := []float64{c.a[0] / 2, c.a[0] / 2 * 3} // gonum ends in a panic on elements of such sizes
			if name != "tiny" && name != "huge" {
				var ref mat.EigenSym
				if !ref.Factorize(mat.NewSymDense(c.d, c.a), false) {
					t.Fatal("gonum does not converge")
				}
				want = ref.Values(nil)
			}
			size := max(math.Abs(want[0]), math.Abs(want[c.d-1]))
			for i, v := range values {
				if math.Abs(v-want[c.d-1-i]) > 1e-13*size*float64(c.d) {
					t.Errorf("value %d is %v, gonum has %v", i, v, want[c.d-1-i])
				}
			}
			for i := range c.d {
				for j := range c.d {
					within, back := 0.0, 0.0
					for k := range c.d {
						within += vectors[i*c.d+k] * vectors[j*c.d+k]
						back += values[k] * vectors[k*c.d+i] * vectors[k*c.d+j]
					}
					if math.Abs(within-float64(bit(i == j))) > 1e-13*float64(c.d) {
						t.Fatalf("vectors %d and %d: product %v", i, j, within)
					}
					if math.Abs(back-c.a[i*c.d+j]) > 1e-13*size*float64(c.d) {
						t.Fatalf("element %d, %d comes back as %v, is %v", i, j, back, c.a[i*c.d+j])
					}
				}
			}
		})
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		if _, _, err := Eigen([]float64{1, v, v, 1}, 2); !errors.Is(err, ErrEigen) {
			t.Errorf("%v: %v", v, err)
		}
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestInverseRoot: W is lower triangular, and W A Wᵀ is the unit matrix; what has no inverse is an error.
func TestInverseRoot(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, d := range []int{1, 2, 5, 33, blockedFrom - 1, blockedFrom, 133, 150} {
		a := covariance(r, 4*d, d, 0)
		for i := range d { // what stands above the diagonal is not read
			for j := range i {
				a[j*d+i] = math.NaN()
			}
		}
		w, err := InverseRoot(a, d)
		if err != nil {
			t.Fatal(err)
		}
		for i := range d {
			for j := range d {
				if j > i && w[i*d+j] != 0 {
					t.Fatalf("%v above the diagonal", w[i*d+j])
				}
				sum := 0.0
				for k := range i + 1 {
					for l := range j + 1 {
						sum += w[i*d+k] * a[max(k, l)*d+min(k, l)] * w[j*d+l]
					}
				}
				if math.Abs(sum-float64(bit(i == j))) > 1e-10 {
					t.Fatalf("d %d: element %d, %d of WAWᵀ is %v", d, i, j, sum)
				}
			}
		}
	}
	for _, a := range [][]float64{{1, 1, 1, 1}, {1, 2, 2, 1}, {0, 0, 0, 1}, {math.NaN(), 0, 0, 1}} {
		if _, err := InverseRoot(a, 2); !errors.Is(err, ErrSingular) {
			t.Errorf("%v: %v", a, err)
		}
	}
}

// TestBlockedInverseRoot: blocks of rows give what single rows give, also where the last block is not full, and refuse
// what has no inverse in the first block as in the last.
func TestBlockedInverseRoot(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 4))
	for _, d := range []int{1, 16, 31, 32, 33, 64, 97, 161, 300} {
		a := covariance(r, 2*d, d, 0)
		want, err := plainInverseRoot(a, d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := blockedInverseRoot(a, d)
		if err != nil {
			t.Fatal(err)
		}
		for i := range d {
			largest := 0.0
			for _, v := range want[i*d : (i+1)*d] {
				largest = max(largest, math.Abs(v))
			}
			for j := range d {
				if k := i*d + j; !(math.Abs(got[k]-want[k]) <= 1e-10*largest) || j > i && got[k] != 0 {
					t.Fatalf("d %d: element %d, %d is %v, want %v", d, i, j, got[k], want[k])
				}
			}
		}
		for _, at := range []int{0, d / 2, d - 1} {
			for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
				b := append([]float64(nil), a...)
				b[at*d+at] = bad
				if _, err := blockedInverseRoot(b, d); !errors.Is(err, ErrSingular) {
					t.Errorf("d %d, %v at %d: %v", d, bad, at, err)
				}
			}
		}
	}
}

// TestTriangle: RᵀR = BᵀB, and R is 0 below its diagonal, for a matrix with dependent and with empty columns too.
func TestTriangle(t *testing.T) {
	const d = 6
	r := rand.New(rand.NewPCG(5, 6))
	for _, kind := range []string{"full", "dependent", "empty"} {
		b := make([]float64, d*d)
		for i := range b {
			b[i] = r.NormFloat64()
		}
		for i := range d {
			switch kind {
			case "dependent":
				b[i*d+3] = b[i*d+1] - b[i*d]
			case "empty":
				b[i*d+2] = 0
			}
		}
		got := Triangle(append([]float64(nil), b...), d)
		for i := range d {
			for j := range d {
				want, have := 0.0, 0.0
				for k := range d {
					want += b[k*d+i] * b[k*d+j]
					have += got[k*d+i] * got[k*d+j]
				}
				if math.Abs(want-have) > 1e-12 || j < i && got[i*d+j] != 0 {
					t.Fatalf("%s: element %d, %d: %v, want %v (R: %v)", kind, i, j, have, want, got[i*d+j])
				}
			}
		}
	}
}

// BenchmarkInverseRoot is beside gonum's Cholesky factor and the inverse of that.
func BenchmarkInverseRoot(b *testing.B) {
	for _, d := range []int{76, 122, 200, 616} {
		a := covariance(rand.New(rand.NewPCG(7, 8)), 2*d, d, 0)
		for name, f := range map[string]func([]float64, int) ([]float64, error){
			"rows": plainInverseRoot, "blocks": blockedInverseRoot,
		} {
			b.Run(fmt.Sprintf("%s/%d", name, d), func(b *testing.B) {
				for b.Loop() {
					if _, err := f(a, d); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("gonum/%d", d), func(b *testing.B) {
			for b.Loop() {
				var c mat.Cholesky
				var l, w mat.TriDense
				if !c.Factorize(mat.NewSymDense(d, a)) {
					b.Fatal("gonum does not factorise")
				}
				c.LTo(&l)
				if err := w.InverseTri(&l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEigen is beside gonum's decomposition, which on amd64 has vector instructions.
func BenchmarkEigen(b *testing.B) {
	for _, d := range []int{40, 122, 616} {
		a := covariance(rand.New(rand.NewPCG(7, 8)), 200, d, 0)
		b.Run(fmt.Sprintf("own/%d", d), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := Eigen(a, d); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("gonum/%d", d), func(b *testing.B) {
			for b.Loop() {
				var e mat.EigenSym
				if !e.Factorize(mat.NewSymDense(d, a), true) {
					b.Fatal("gonum does not converge")
				}
			}
		})
	}
}
