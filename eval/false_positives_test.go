package eval

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestBetaBinomialTail: with parameters 1, 1 all numbers are equally likely; with 2, 1 number k has a weight of k+1.
// The last rows are sums of exact fractions, C(m,i)·B(i+a, m−i+b)/B(a, b).
func TestBetaBinomialTail(t *testing.T) {
	for _, c := range []struct {
		m, x    int
		a, b, p float64
	}{
		{4, 3, 1, 1, 2.0 / 5},
		{4, 0, 1, 1, 1},
		{4, 5, 1, 1, 0},
		{2, 1, 2, 1, 5.0 / 6},
		{2, 2, 2, 1, 3.0 / 6},
		{3, 2, 2, 3, 13.0 / 35},         // 9/35 and 4/35
		{1, 1, 3, 229, 3.0 / 232},       // the mean
		{1000000, 1, 1, 1e6, 0.4999999}, // of none 1e6/(2e6+…) but for a millionth
	} {
		if got := betaBinomialTail(c.m, c.x, c.a, c.b); math.Abs(got-c.p) > 1e-6 {
			t.Errorf("P(X ≥ %d) of %d with %v, %v: %v, want %v", c.x, c.m, c.a, c.b, got, c.p)
		}
	}
}

// TestDoubtsAreRareWhereThresholdsHold: of thresholds that are fitted to as many scores from the same distribution, at
// most the stated share is doubted; of those where one in ten of the test's scores is an outlier all are.
func TestDoubtsAreRareWhereThresholdsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rule := ThresholdRule{Rule: "fpr", Value: 0.02}
	const runs = 2000
	doubted, found := 0, 0
	for range runs {
		n, m := 20+r.IntN(400), 20+r.IntN(2000)
		held, test := make([]float64, n), make([]float64, m)
		for i := range held {
			held[i] = r.NormFloat64()
		}
		for i := range test {
			test[i] = r.NormFloat64()
		}
		threshold, _, err := rule.Fit(held)
		if err != nil {
			t.Fatal(err)
		}
		above := 0
		for _, v := range held {
			if v > threshold {
				above++
			}
		}
		if CountFalsePositives(test, make([]bool, m), nil, threshold).Doubt(0.02, n, above) != "" {
			doubted++
		}
		for i := range test {
			if i%5 < 2 {
				test[i] = 9
			}
		}
		if strings.HasPrefix(CountFalsePositives(test, make([]bool, m), nil, threshold).Doubt(0.02, n, above), OffRate) {
			found++
		}
	}
	// 1 % at most: three standard errors above it
	if share := float64(doubted) / runs; share > 0.01+3*math.Sqrt(0.01*0.99/runs) || share == 0 {
		t.Errorf("%.4f of sound thresholds are doubted", share)
	}
	if found < runs*9/10 {
		t.Errorf("%d of %d broken thresholds are doubted", found, runs)
	}
}

func TestFalsePositivesNearAttacks(t *testing.T) {
	scores := []float64{1, 5, 5, 1, 5, 9}
	attack := []bool{false, false, false, false, false, true}
	near := []bool{false, false, true, true, true, true}
	f := CountFalsePositives(scores, attack, near, 4)
	if want := (FalsePositives{Benign: 2, Alarms: 1, NearAttack: 3, NearAlarms: 2}); f != want {
		t.Errorf("%+v, want %+v", f, want)
	}
	if f.Rate() != 0.5 || math.Abs(f.NearRate()-2.0/3) > 1e-15 {
		t.Errorf("rates %v and %v", f.Rate(), f.NearRate())
	}
	if all := CountFalsePositives(scores, attack, nil, 4); all.Benign != 5 || all.Alarms != 3 ||
		!math.IsNaN(all.NearRate()) {
		t.Errorf("without windows: %+v", all)
	}
	if none := CountFalsePositives(scores, attack, near, math.NaN()); none.Alarms != 0 || none.NearAlarms != 0 {
		t.Errorf("without a threshold: %+v", none)
	}
	if (FalsePositives{}).Doubt(0.01, 100, 1) != "" || f.Doubt(0.01, 0, 0) != "" {
		t.Error("a doubt that rests on nothing")
	}
}

func TestAskedRate(t *testing.T) {
	var got []string
	for _, r := range []string{"fpr", "quantile", "gaussian", "pot", "mean_sd", "mad", "iqr", "fixed"} {
		if rate, ok := (ThresholdRule{Rule: r, Value: 0.25}).AskedRate(); ok {
			got = append(got, r)
			if want := map[string]float64{"quantile": 0.75}[r]; want > 0 && rate != want || want == 0 && rate != 0.25 {
				t.Errorf("%s: %v", r, rate)
			}
		}
	}
	if !slices.Equal(got, []string{"fpr", "quantile", "gaussian", "pot"}) {
		t.Errorf("rules of rates: %v", got)
	}
}
