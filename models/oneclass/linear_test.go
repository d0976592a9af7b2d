package oneclass

import (
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// correlation of two lists of numbers (Pearson).
func correlation(a, b []float64) float64 {
	n := float64(len(a))
	var sa, sb, aa, bb, ab float64
	for i := range a {
		sa, sb = sa+a[i], sb+b[i]
		aa, bb, ab = aa+a[i]*a[i], bb+b[i]*b[i], ab+a[i]*b[i]
	}
	return (ab - sa*sb/n) / math.Sqrt((aa-sa*sa/n)*(bb-sb*sb/n))
}

// TestLinearOneClass: the scores are those of the exact one-class SVM with the kernel that the features stand for,
// divided by νn, and a share ν of the training rows lies outside.
func TestLinearOneClass(t *testing.T) {
	if testing.Short() {
		t.Skip("values of several fits")
	}
	const n, d, nu = 800, 4, 0.2
	train, test := modeltest.Vectors(d, modeltest.Clouds(1, n, d)), modeltest.Vectors(d, modeltest.Clouds(2, 500, d))
	r := rand.New(rand.NewPCG(3, 3))
	positive, others := make([]float64, n*d), make([]float64, 500*d)
	for _, x := range [][]float64{positive, others} {
		for i := range x {
			x[i] = math.Exp(0.5 * r.NormFloat64())
		}
	}
	exact := func(kernel string) *OCSVM {
		return &OCSVM{Nu: nu, Kernel: kernel, Degree: 3, Gamma: "0.1", Tol: 1e-3, MemoryMB: 200,
			Sample: models.Sample{Sample: "first"}}
	}
	steps := OneClassSteps{Nu: nu, Epochs: 25}
	rbf := modeltest.FitScore(t, exact("rbf"), models.Env{}, train, test)
	linear := modeltest.FitScore(t, exact("linear"), models.Env{}, modeltest.Vectors(d, positive),
		modeltest.Vectors(d, others))
	for _, c := range []struct {
		name  string
		spec  models.Spec
		exact []float64
		least float64
		scale bool // the scale is that of the exact machine
	}{
		{"rff", &OCSVMRFF{Gamma: "0.1", Features: 512, OneClassSteps: steps}, rbf, 0.98, true},
		{"nystrom", &OCSVMNystrom{Gamma: "0.1", Landmarks: 200, OneClassSteps: steps}, rbf, 0.98, true},
		{"sgd", &OCSVMSGD{steps}, linear, 0.98, false},
	} {
		own, rows := train, test
		if c.name == "sgd" {
			own, rows = modeltest.Vectors(d, positive), modeltest.Vectors(d, others)
		}
		for seed := range uint64(2) {
			got := modeltest.FitScore(t, c.spec, models.Env{Seed: seed}, own, rows)
			if v := correlation(got, c.exact); v < c.least {
				t.Errorf("%s: scores correlate by %v with the exact ones", c.name, v)
			} else {
				t.Logf("%s: correlation %.4f", c.name, v)
			}
			worst := 0.0
			for i, v := range got {
				worst = max(worst, math.Abs(v-c.exact[i]/(nu*n)))
			}
			if c.scale && worst > 0.1 {
				t.Errorf("%s: a score is %v off", c.name, worst)
			}
			outside := 0
			for _, v := range modeltest.FitScore(t, c.spec, models.Env{Seed: seed}, own, own) {
				if v > 0 {
					outside++
				}
			}
			if share := float64(outside) / n; math.Abs(share-nu) > 0.006 {
				t.Errorf("%s: a share %v of the training rows lies outside, want %v", c.name, share, nu)
			}
		}
	}
}
