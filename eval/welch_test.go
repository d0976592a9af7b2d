package eval

import (
	"errors"
	"math"
	"testing"

	"plumbline/numeric/stat"
)

func close(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1e-300, math.Abs(want))) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestWelch: scipy 1.10.1, ttest_ind with equal_var=False.
func TestWelch(t *testing.T) {
	of := func(v ...float64) Estimate {
		mean, sd := stat.MeanSD(v)
		return Estimate{mean, sd / math.Sqrt(float64(len(v))), float64(len(v) - 1)}
	}
	a, b := of(.91, .93, .90, .95, .92), of(.88, .90, .91, .87)
	close(t, "P", Welch(a, b), 0.03937141221974939, 1e-10)
	close(t, "P the other way", Welch(b, a), 0.03937141221974939, 1e-10)
	known := Estimate{0.9, 0.01, math.Inf(1)}
	close(t, "known errors", Welch(known, Estimate{0.92, 0, math.Inf(1)}), 2*stat.NormalCDF(-2), 1e-12)
	// one estimate without error has no say in the degrees of freedom
	close(t, "one error", Welch(Estimate{0, 1, 3}, Estimate{2.5, 0, 5}), 0.08770664700806555, 1e-12)
	for _, c := range [][2]Estimate{{{1, 0, 3}, {2, 0, 3}}, {{1, math.NaN(), 3}, {2, 1, 3}}, {{1, 1, 0}, {2, 1, 3}}} {
		if p := Welch(c[0], c[1]); !math.IsNaN(p) {
			t.Errorf("%v: %v", c, p)
		}
	}
}

// TestCorrectedT: by scipy 1.10.1's distribution of t, with ten folds and an overlap of 1/9.
func TestCorrectedT(t *testing.T) {
	d := []float64{.01, .03, -.005, .02, .015, .008, .011, .004, .022, .017}
	got := CorrectedT(append(d, math.NaN()), 1.0/9)
	close(t, "t", got.Statistic, 2.902711338872863, 1e-12)
	close(t, "P", got.P, 0.017517869718344077, 1e-10)
	if got.N != 10 || got.Warnings != nil {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		d       []float64
		overlap float64
	}{{d[:1], 0.1}, {d, math.NaN()}, {[]float64{1, 1, 1}, 0.1}, {nil, 0}} {
		if got := CorrectedT(c.d, c.overlap); !math.IsNaN(got.P) || len(got.Warnings) != 1 {
			t.Errorf("%v: %+v", c, got)
		}
	}
}

// TestMcNemar: statsmodels 0.13.5, mcnemar with exact=True.
func TestMcNemar(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want float64
	}{{10, 25, 0.016673847800120715}, {3, 4, 1}, {400, 470, 0.019267052848609065}} {
		var fa, fb, truth []bool
		add := func(n int, a, b, attack bool) {
			for range n {
				fa, fb, truth = append(fa, a), append(fb, b), append(truth, attack)
			}
		}
		add(c.a-1, true, false, true)
		add(1, false, true, false) // right because it is not flagged
		add(c.b, false, true, true)
		add(30, true, true, true)
		add(30, true, true, false)
		got, err := McNemar(fa, fb, truth)
		if err != nil || got.N != c.a+c.b || got.Statistic != float64(min(c.a, c.b)) {
			t.Fatalf("%+v, %v", got, err)
		}
		close(t, "P", got.P, c.want, 1e-9)
	}
	got, err := McNemar([]bool{true}, []bool{true}, []bool{false})
	if err != nil || !math.IsNaN(got.P) || len(got.Warnings) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := McNemar([]bool{true}, nil, []bool{true}); !errors.Is(err, ErrScores) {
		t.Error(err)
	}
}

// TestA12: scipy 1.10.1, the statistic of mannwhitneyu over the number of pairs.
func TestA12(t *testing.T) {
	a, b := []float64{.9, .8, .85, .9, .7}, []float64{.8, .75, .9, .6}
	close(t, "A12", A12(a, b), 0.675, 1e-12)
	close(t, "the other way", A12(b, a), 0.325, 1e-12)
	close(t, "equal", A12([]float64{1, math.NaN()}, []float64{1}), 0.5, 1e-12)
	if v := A12(nil, a); !math.IsNaN(v) {
		t.Error(v)
	}
}
