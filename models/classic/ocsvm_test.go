package classic

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/models"
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
	m := affine{modeOrMean(train, len(train)/d, d), math.Sqrt(gamma)}
	p := newDistanceBlocks(m, train, len(train)/d, d)
	sol, err := s.solve(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	sv, w := support(sol.alpha)
	f = make([]float64, len(test)/d)
	if err := weightedSums(context.Background(), len(f), rows(m, test, d), p.pick(sv), w, 1, f); err != nil {
		t.Fatal(err)
	}
	for i := range f {
		f[i] -= sol.rho
	}
	return f, sol
}

// The solver in float64 against libsvm at tolerance 1e-9, solved whole and by decomposition into working
// sets so small that every part of it is at work.
func TestOneClassFixtures(t *testing.T) {
	fx := loadFixtures(t)
	train, test := flat(fx.Train), flat(fx.Test)
	for name, want := range fx.OCSVM {
		set := fixtureGammas[name]
		gamma := gammaFor(set.gamma, train, 4)
		if math.Abs(gamma-want.Gamma) > 1e-14 {
			t.Errorf("%s: gamma %v, want %v", name, gamma, want.Gamma)
		}
		t.Run(name+"/whole", func(t *testing.T) {
			f, sol := decide(t, solver{nu: set.nu, tol: 1e-9, dense: 1000, workers: 1}, gamma, train, test, 4)
			near(t, "decision", f, want.Decision, 1e-6)
			near(t, "rho", []float64{sol.rho}, []float64{want.Rho}, 1e-6)
		})
		t.Run(name+"/decomposed", func(t *testing.T) {
			s := solver{nu: set.nu, tol: 1e-9, dense: 10, first: 6, most: 20, workers: 2}
			f, sol := decide(t, s, gamma, train, test, 4)
			near(t, "decision", f, want.Decision, 1e-6)
			near(t, "rho", []float64{sol.rho}, []float64{want.Rho}, 1e-6)
			if sol.gap > 1e-9 {
				t.Errorf("gap %v left", sol.gap)
			}
		})
		t.Run(name+"/detector", func(t *testing.T) {
			// Rows rounded to float32 move the solution by more than the tolerance.
			spec := &OCSVM{Nu: set.nu, Gamma: set.gamma, Tol: 1e-9, MemoryMB: 1, Sample: Sample{Sample: "random"}}
			got := fitScore(t, spec, models.Env{}, vectors(4, train), vectors(4, test))
			near(t, "score", got, negated(want.Decision), 1e-5)
		})
	}
}

// clouds are n rows around a few centres, some repeated, d columns.
func clouds(seed uint64, n, d int) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]float64, 0, n*d)
	for i := range n {
		if i > 10 && r.IntN(10) == 0 {
			k := r.IntN(i)
			x = append(x, x[k*d:(k+1)*d]...)
			continue
		}
		c := float64(r.IntN(3))
		for j := range d {
			x = append(x, c*float64(j%2)+r.NormFloat64())
		}
	}
	return x
}

// The properties of ν (Schölkopf et al., proposition 3) and the agreement of both ways to solve.
func TestOneClassProperties(t *testing.T) {
	const n, d = 700, 3
	x := clouds(5, n, d)
	for _, nu := range []float64{0.01, 0.1, 0.37, 0.9, 1} {
		for _, gamma := range []float64{0.05, 1, 50} {
			t.Run(fmt.Sprintf("nu=%v,gamma=%v", nu, gamma), func(t *testing.T) {
				whole, sol := decide(t, solver{nu: nu, tol: 1e-6, dense: n, workers: 1}, gamma, x, x, d)
				parts, sol2 := decide(t, solver{nu: nu, tol: 1e-6, dense: 64, first: 16, most: 300, workers: 2}, gamma,
					x, x, d)
				near(t, "decomposed", parts, whole, 1e-5)
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

// A number does not depend on where its rows stand, and survives offsets that swallow the rest.
func TestNegSquares(t *testing.T) {
	const d = 5
	r := rand.New(rand.NewPCG(9, 9))
	x := make([]float64, 300*d)
	for i := range x {
		if x[i] = r.NormFloat64(); i%d == 2 {
			x[i] += 1e6
		}
	}
	for _, f := range []affine{{make([]float64, d), 1}, {modeOrMean(x, 300, d), 2}} {
		p := newDistanceBlocks(f, x, 300, d)
		b, tile := newBlock(d), make([]float64, blockRows*panelRows)
		one, single := newBlock(d), make([]float64, blockRows*panelRows)
		fill(b, f, x, d, 100, 164)
		for k := range p.count() {
			p.negSquares(b, k, tile)
			for i := range b.m {
				fill(one, f, x, d, 100+i, 101+i)
				p.negSquares(one, k, single)
				for j := range p.size(k) {
					got := tile[i*panelRows+j]
					if got != single[j] {
						t.Fatalf("row %d alone: %v, in a block %v", i, single[j], got)
					}
					var want float64
					for c := range d {
						diff := f.scale * (x[(100+i)*d+c] - x[(k*panelRows+j)*d+c])
						want -= diff * diff
					}
					if math.Abs(got-want) > 1e-7 {
						t.Fatalf("−‖x−y‖² is %v, want %v", got, want)
					}
				}
			}
		}
	}
}

func TestResting(t *testing.T) {
	got := modeOrMean([]float32{1, 5, 0, 2, 5, 7, 3, 6, 7, 4, 5, 7}, 4, 3)
	if want := []float64{2.5, 5, 7}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestGammaDecode(t *testing.T) {
	for text, want := range map[string]string{
		"gamma: scale_std": "", "gamma: 0.25": "", "gamma: auto": "",
		"gamma: scal": `did you mean "scale"`, "gamma: -1": "out of range", "gamma: 0": "out of range",
		"gamma: [1]": "want text", "nu: 0": "more than 0", "nu: 1.1": "at most 1", "max_rows: -1": "at least 0",
		"sample: last": "not one of", "kernel: rbf": "unknown key",
	} {
		doc, err := settings.Parse("f.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = models.Decode("ocsvm", doc)
		if want == "" && err != nil || want != "" &&
			(err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.yaml:1:")) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
