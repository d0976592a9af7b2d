package oneclass

import (
	"context"
	"math"
	"testing"
	"time"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestNSLKDD checks the machine against libsvm on real data: decision values within 1e-3·max(1, |f|), which is what two
// solutions to libsvm's stopping rule may differ by.
func TestNSLKDD(t *testing.T) { modeltest.OnNSLKDD(t, besideLibSVM) }

func TestSameBits(t *testing.T) { modeltest.SameBits(t) }

func besideLibSVM(t *testing.T, ref modeltest.NSLKDDReference, train, test *data.Set) {
	for _, c := range []struct {
		name   string
		nu     float64
		rho    float64
		first5 []float64
	}{{"ocsvm", .1, ref.Rho, ref.First5}, {"ocsvm01", .01, ref.Rho01, ref.First5Of01}} {
		spec := &OCSVM{Nu: c.nu, Kernel: "rbf", Degree: 3, Gamma: "scale", Tol: 1e-3, MemoryMB: 200,
			Sample: models.Sample{Sample: "random"}}
		m := modeltest.Build(t, spec, models.Env{})
		start := time.Now()
		modeltest.Check(t, m.Fit(context.Background(), train))
		fitted := time.Now()
		scores, err := m.Score(context.Background(), test)
		modeltest.Check(t, err)
		fit, err := m.(*models.Fitted[models.RowScorer]).Learned()
		modeltest.Check(t, err)
		state := fit.RowLearned.(*ocsvmState)
		t.Logf("%s: fit %.2f s, score %.2f s; rho %.6f, %d support vectors", c.name, fitted.Sub(start).Seconds(),
			time.Since(fitted).Seconds(), state.rho, len(state.alpha))
		modeltest.Near(t, c.name+" decision", modeltest.Negated(scores[:5]), c.first5, 1e-3)
		for i, f := range c.first5 {
			t.Logf("f %.8f, libsvm %.8f", -scores[i], f)
		}
		modeltest.Near(t, c.name+" rho", []float64{state.rho}, []float64{c.rho}, 1e-3)
		if c.name == "ocsvm" {
			// gamma depends on the variance of entries that are float32 here.
			modeltest.Near(t, "gamma", []float64{state.f.Gamma}, []float64{ref.Gamma}, 1e-7)
			if diff := len(state.alpha) - ref.SV; diff < -5 || diff > 5 {
				t.Errorf("%d support vectors, reference %d", len(state.alpha), ref.SV)
			}
		}
		if got := modeltest.AUROC(t, scores, test.Attack); math.Abs(got-ref.AUROC[c.name]) > 1e-4 {
			t.Errorf("%s: AUROC %.6f, reference %.6f", c.name, got, ref.AUROC[c.name])
		} else {
			t.Logf("%s: AUROC %.6f, reference %.6f", c.name, got, ref.AUROC[c.name])
		}
	}
}

// TestBesidePyOD: PyOD with libsvm's tolerance at 1e-10. Inputs are float32 here.
func TestBesidePyOD(t *testing.T) {
	spec := &OCSVM{Nu: 0.5, Kernel: "rbf", Degree: 3, Gamma: "auto", Tol: 1e-9, MemoryMB: 200,
		Sample: models.Sample{Sample: "first"}}
	for _, p := range modeltest.PyOD(t) {
		scores := modeltest.FitScore(t, spec, models.Env{}, p.Even, p.Odd)
		p.SameScores(t, "OCSVM_tol1e-10", "odd", scores, p.Odd.Attack, 1e-6)
	}
}
