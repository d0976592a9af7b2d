package eval

import (
	"errors"
	"math"
	"testing"
)

// TestPairedBootstrap: on fixed scores against 4,000 resamples by numpy 1.24 with scikit-learn 1.2.1's metrics, within
// the error of resampling, and against DeLong's standard error.
func TestPairedBootstrap(t *testing.T) {
	var a, b []float64
	var attack []bool
	for i := range 120 {
		x, hit := float64(i), 0.0
		if i%3 == 0 {
			hit = 1
		}
		a, b = append(a, math.Sin(1.7*x)+hit), append(b, math.Cos(2.3*x)+0.6*hit)
		attack = append(attack, hit > 0)
	}
	for _, c := range []struct {
		name                   string
		of                     func(*Ranking) float64
		diff, low, high, se, p float64
	}{
		{"AUROC", (*Ranking).ROCAUC, 0.0909375, -0.04219531, 0.22438281, 0.06765214489420367, 0.1835},
		{"AP", (*Ranking).AveragePrecision, 0.0987232521558643, -0.05096019, 0.25475109, 0.07685854431082105, 0.195},
	} {
		d, err := PairedBootstrap(a, b, attack, 4000, 3, c.of)
		if err != nil || math.Abs(d.Diff-c.diff) > 1e-12 || math.Abs(d.Interval.Low-c.low) > 0.01 ||
			math.Abs(d.Interval.High-c.high) > 0.01 || math.Abs(d.SE-c.se) > 0.003 || math.Abs(d.P-c.p) > 0.03 {
			t.Errorf("%s: %+v, %v", c.name, d, err)
		}
		again, _ := PairedBootstrap(a, b, attack, 4000, 3, c.of)
		if again.P != d.P || again.Interval != d.Interval {
			t.Errorf("%s: the same seed, %+v and %+v", c.name, d, again)
		}
	}
	d, err := DeLong(a, b, attack)
	if err != nil || math.Abs(d.SE-0.0677) > 0.003 {
		t.Errorf("DeLong: %+v", d)
	}
	same, err := PairedBootstrap(a, a, attack, 100, 1, (*Ranking).ROCAUC)
	if err != nil || !math.IsNaN(same.P) || len(same.Warnings) != 1 {
		t.Errorf("%+v, %v", same, err)
	}
	if _, err := PairedBootstrap(a, b[1:], attack, 100, 1, (*Ranking).ROCAUC); !errors.Is(err, ErrScores) {
		t.Error(err)
	}
	none, err := PairedBootstrap(a, b, make([]bool, 120), 100, 1, (*Ranking).ROCAUC)
	if err != nil || !math.IsNaN(none.P) || len(none.Warnings) != 1 {
		t.Errorf("%+v, %v", none, err)
	}
}

// TestBayesSignedRank: against 200,000 draws as baycomp (commit 0ce309b) makes them, by numpy 1.24.
func TestBayesSignedRank(t *testing.T) {
	d := []float64{.02, .015, -.004, .03, .008, .012, -.001, .02}
	minus := make([]float64, len(d))
	for i, v := range d {
		minus[i] = -v
	}
	small := []float64{.001, -.002, .003, .0, .001, math.NaN()}
	for _, c := range []struct {
		d    []float64
		rope float64
		want Posterior
	}{
		{d, 0.01, Posterior{0, 0.378175, 0.621825}},
		{d, 0, Posterior{0.004645, 0, 0.995355}},
		{minus, 0.005, Posterior{0.96611, 0.03389, 0}},
		{small, 0.01, Posterior{0, 1, 0}},
		{small, 0, Posterior{0.17225, 0, 0.82775}},
	} {
		got := BayesSignedRank(c.d, c.rope, 40_000, 1)
		if math.Abs(got.Worse-c.want.Worse) > 0.01 || math.Abs(got.Equivalent-c.want.Equivalent) > 0.01 ||
			math.Abs(got.Better-c.want.Better) > 0.01 {
			t.Errorf("rope %g: %+v, want %+v", c.rope, got, c.want)
		}
		if again := BayesSignedRank(c.d, c.rope, 40_000, 1); again != got {
			t.Errorf("the same seed: %+v", again)
		}
	}
	if got := BayesSignedRank(nil, 0.01, 100, 1); !math.IsNaN(got.Better) {
		t.Errorf("%+v", got)
	}
}
