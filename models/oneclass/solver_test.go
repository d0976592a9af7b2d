package oneclass

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/numeric/kernel"
	"plumbline/numeric/similarity"
)

var fixtureGammas = map[string]struct {
	nu    float64
	gamma Gamma
}{
	"nu=0.1,gamma=scale": {0.1, "scale"},
	"nu=0.5,gamma=0.25":  {0.5, "0.25"},
	"nu=0.2,gamma=2.0":   {0.2, "2.0"},
}

// decide solves in float64 and gives the decision values of test.
func decide(t *testing.T, s solver, gamma float64, train, test []float64, d int) (f []float64, sol *solution) {
	t.Helper()
	n := len(train) / d
	k := similarity.Function{Kind: similarity.RBF, Gamma: gamma}
	shift := kernel.Middles(train, n, d)
	p := similarity.New(k, train, n, d, shift, false)
	sol, err := s.solve(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	// Decision values by the definition.
	f = make([]float64, len(test)/d)
	for i := range f {
		for j, a := range sol.alpha {
			f[i] += a * k.Value(train[j*d:(j+1)*d], test[i*d:(i+1)*d])
		}
	}
	for i := range f {
		f[i] -= sol.rho
	}
	return f, sol
}

// The solver in float64 against libsvm at tolerance 1e-9, solved whole and by decomposition into working
// sets so small that every part of it is at work.
func TestOneClassFixtures(t *testing.T) {
	fx := modeltest.LoadFixtures(t)
	train, test := modeltest.Flat(fx.Train), modeltest.Flat(fx.Test)
	for name, want := range fx.OCSVM {
		set := fixtureGammas[name]
		gamma := gammaFor(set.gamma, train, 4)
		if math.Abs(gamma-want.Gamma) > 1e-14 {
			t.Errorf("%s: gamma %v, want %v", name, gamma, want.Gamma)
		}
		t.Run(name+"/whole", func(t *testing.T) {
			f, sol := decide(t, solver{nu: set.nu, tol: 1e-9, dense: 1000, workers: 1}, gamma, train, test, 4)
			modeltest.Near(t, "decision", f, want.Decision, 1e-6)
			modeltest.Near(t, "rho", []float64{sol.rho}, []float64{want.Rho}, 1e-6)
		})
		t.Run(name+"/decomposed", func(t *testing.T) {
			s := solver{nu: set.nu, tol: 1e-9, dense: 10, first: 6, most: 20, workers: 2}
			f, sol := decide(t, s, gamma, train, test, 4)
			modeltest.Near(t, "decision", f, want.Decision, 1e-6)
			modeltest.Near(t, "rho", []float64{sol.rho}, []float64{want.Rho}, 1e-6)
			if sol.gap > 1e-9 {
				t.Errorf("gap %v left", sol.gap)
			}
		})
		t.Run(name+"/detector", func(t *testing.T) {
			// Rows rounded to float32 move the solution by more than the tolerance.
			spec := &OCSVM{Nu: set.nu, Kernel: "rbf", Degree: 3, Gamma: set.gamma, Tol: 1e-9, MemoryMB: 1,
				Sample: models.Sample{Sample: "random"}}
			got := modeltest.FitScore(t, spec, models.Env{}, modeltest.Vectors(4, train), modeltest.Vectors(4, test))
			modeltest.Near(t, "score", got, modeltest.Negated(want.Decision), 1e-5)
		})
	}
}

// TestOneClassKernels: the kernels of products, against libsvm.
func TestOneClassKernels(t *testing.T) {
	fx := modeltest.LoadFixtures(t)
	raw, err := os.ReadFile("testdata/ocsvm_kernels.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Source string
		Cases  []struct {
			Kernel, Gamma  string
			Nu, Coef0, Rho float64
			Degree         int
			Decision       []float64
		}
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	train, test := modeltest.Vectors(4, modeltest.Flat(fx.Train)), modeltest.Vectors(4, modeltest.Flat(fx.Test))
	for _, c := range want.Cases {
		spec := &OCSVM{Nu: c.Nu, Kernel: c.Kernel, Degree: c.Degree, Coef0: c.Coef0, Gamma: Gamma(c.Gamma),
			Tol: 1e-9, MemoryMB: 1, Sample: models.Sample{Sample: "first"}}
		t.Run(fmt.Sprintf("%s,nu=%v,gamma=%s", c.Kernel, c.Nu, c.Gamma), func(t *testing.T) {
			got := modeltest.FitScore(t, spec, models.Env{}, train, test)
			modeltest.Near(t, "score", got, modeltest.Negated(c.Decision), 2e-5)
		})
	}
}

// The properties of ν (Schölkopf et al., proposition 3) and the agreement of both ways to solve.
func TestOneClassProperties(t *testing.T) {
	const n, d = 700, 3
	x := modeltest.Clouds(5, n, d)
	for _, nu := range []float64{0.01, 0.1, 0.37, 0.9, 1} {
		for _, gamma := range []float64{0.05, 1, 50} {
			t.Run(fmt.Sprintf("nu=%v,gamma=%v", nu, gamma), func(t *testing.T) {
				whole, sol := decide(t, solver{nu: nu, tol: 1e-6, dense: n, workers: 1}, gamma, x, x, d)
				parts, sol2 := decide(t, solver{nu: nu, tol: 1e-6, dense: 64, first: 16, most: 300, workers: 2}, gamma,
					x, x, d)
				modeltest.Near(t, "decomposed", parts, whole, 1e-5)
				for _, s := range []*solution{sol, sol2} {
					var sum float64
					var out, sv int
					for i, a := range s.alpha {
						if a < 0 || a > 1 {
							t.Fatalf("alpha %v", a)
						}
						sum += a
						if a > 0 {
							sv++
						}
						if whole[i] < -1e-5 {
							out++
						}
					}
					if math.Abs(sum-nu*n) > 1e-8*n {
						t.Errorf("alpha sums to %v, want %v", sum, nu*n)
					}
					if float64(out) > nu*n+1e-9 || float64(sv) < nu*n-1e-9 {
						t.Errorf("%d outside and %d support vectors; nu·n is %v", out, sv, nu*n)
					}
					if !(s.gap <= 1e-6) && !math.IsInf(s.gap, -1) {
						t.Errorf("gap %v", s.gap)
					}
				}
			})
		}
	}
}

func TestGammaDecode(t *testing.T) {
	for text, want := range map[string]string{
		"gamma: scale_std": "", "gamma: 0.25": "", "gamma: auto": "",
		"gamma: scal": `did you mean "scale"`, "gamma: -1": "out of range", "gamma: 0": "out of range",
		"gamma: [1]": "want text", "nu: 0": "more than 0", "nu: 1.1": "at most 1", "max_rows: -1": "at least 0",
		"sample: last": "not one of",
		"kernel: rbf":  "", "kernel: gauss": "not one of", "degree: 0": "at least 1", "kern: rbf": "unknown key",
	} {
		doc, err := settings.Parse("f.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = models.Decode("ocsvm", doc)
		if want == "" && err != nil ||
			want != "" && (err == nil || !strings.Contains(err.Error(), want) ||
				!strings.Contains(err.Error(), "f.yaml:1:")) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestPairwise: narrow kernels, under which most points are support vectors, by rows of the matrix as they are needed,
// agree with the whole matrix, whether all rows can be kept or 48 of 900.
func TestPairwise(t *testing.T) {
	if testing.Short() {
		t.Skip("values of several fits")
	}
	const n, d, nu = 900, 3, 0.1
	x := modeltest.Clouds(9, n, d)
	for _, gamma := range []float64{20, 500} {
		want, sol := decide(t, solver{nu: nu, tol: 1e-6, dense: n, workers: 1}, gamma, x, x, d)
		if sv, _ := support(sol.alpha); len(sv) < n/3 {
			t.Fatalf("gamma %v: %d support vectors: not what is to be tried", gamma, len(sv))
		}
		for _, most := range []int{20, 600} {
			var first []float64
			for workers := 1; workers <= 3; workers += 2 {
				s := solver{nu: nu, tol: 1e-6, dense: 64, first: 16, most: most, workers: workers}
				got, sol := decide(t, s, gamma, x, x, d)
				modeltest.Near(t, fmt.Sprintf("gamma %v, %d", gamma, most), got, want, 5e-6)
				if sol.gap > 1e-6 || sol.pairs < n/10 {
					t.Errorf("gap %v after %d pairs", sol.gap, sol.pairs)
				}
				if first == nil {
					first = sol.alpha
				} else if !slices.Equal(first, sol.alpha) {
					t.Error("α depends on the number of workers")
				}
			}
		}
	}
}
