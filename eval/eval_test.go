package eval

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > tol {
		t.Errorf("%s = %v, want %v ± %g", what, got, want, tol)
	}
}

// TestAgainstScikitLearn: values of scikit-learn 1.2.1 on 24 scores with ties.
func TestAgainstScikitLearn(t *testing.T) {
	raw, err := os.ReadFile("testdata/sklearn_metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Score     []float64
		Y         []int
		ROC       float64 `json:"roc_auc"`
		AP        float64 `json:"average_precision"`
		Trapezoid float64 `json:"pr_auc_trapezoid"`
		F1        float64 `json:"f1_at_0_5"`
		MCC       float64 `json:"mcc_at_0_5"`
		Balanced  float64 `json:"balanced_acc_at_0_5"`
		Confusion [][]int `json:"confusion_at_0_5"`
		FPR95     float64 `json:"fpr_at_95tpr"`
		Brier     float64
		LogLoss   float64 `json:"logloss"`
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	attack := make([]bool, len(want.Y))
	for i, y := range want.Y {
		attack[i] = y == 1
	}
	m, err := Summarise(want.Score, Truth{Attack: attack}, 0.5, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	const tol = 1e-12
	near(t, "AUROC", m.Value("auroc"), want.ROC, tol)
	near(t, "average precision", m.Value("auprc"), want.AP, tol)
	near(t, "trapezoid PR area", m.Value("prauc_trapezoid"), want.Trapezoid, tol)
	near(t, "F1", m.Value("f1"), want.F1, tol)
	near(t, "MCC", m.Value("mcc"), want.MCC, tol)
	near(t, "balanced accuracy", m.Value("balanced_accuracy"), want.Balanced, tol)
	near(t, "FPR at 95 % TPR", m.Value("fpr_at_95tpr"), want.FPR95, tol)
	brier, err := Brier(want.Score, attack)
	near(t, "Brier", brier, want.Brier, tol)
	if err != nil {
		t.Error(err)
	}
	clipped := make([]float64, len(want.Score)) // the reference value is of probabilities in [.001,.999]
	for i, p := range want.Score {
		clipped[i] = min(max(p, 0.001), 0.999)
	}
	logloss, err := LogLoss(clipped, attack)
	near(t, "log loss", logloss, want.LogLoss, tol)
	if err != nil {
		t.Error(err)
	}
	w := want.Confusion
	if m.Confusion != (Confusion{TN: w[0][0], FP: w[0][1], FN: w[1][0], TP: w[1][1]}) {
		t.Errorf("confusion %+v, want %v", m.Confusion, w)
	}
}

func random(r *rand.Rand, n, levels int) (scores []float64, attack []bool) {
	for range n {
		scores = append(scores, float64(r.IntN(levels)))
		attack = append(attack, r.IntN(3) == 0)
	}
	return scores, attack
}

func TestROCAUCIsMannWhitney(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		scores, attack := random(r, 2+r.IntN(60), 1+r.IntN(20))
		var wins, pairs float64
		for i := range scores {
			for j := range scores {
				if attack[i] && !attack[j] {
					pairs++
					if scores[i] > scores[j] {
						wins++
					} else if scores[i] == scores[j] {
						wins += 0.5
					}
				}
			}
		}
		k, err := Rank(scores, attack)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "AUROC", k.ROCAUC(), wins/pairs, 1e-12)
	}
}

func TestRankingIgnoresMonotoneMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	scores, attack := random(r, 200, 40)
	mapped := make([]float64, len(scores))
	for i, s := range scores {
		mapped[i] = math.Exp(s/3) - 7
	}
	a, _ := Rank(scores, attack)
	b, _ := Rank(mapped, attack)
	for name, f := range map[string]func(*Ranking) float64{
		"AUROC": (*Ranking).ROCAUC, "AP": (*Ranking).AveragePrecision,
		"FPR95":   func(r *Ranking) float64 { return r.FPRAtTPR(0.95) },
		"TPR1":    func(r *Ranking) float64 { return r.TPRAtFPR(0.01) },
		"partial": func(r *Ranking) float64 { return r.PartialROCAUC(0.1) },
	} {
		if f(a) != f(b) {
			t.Errorf("%s changes: %v and %v", name, f(a), f(b))
		}
	}
}

func TestByHand(t *testing.T) {
	// descending: 5+ 4- 3+ 3- 2- 1+ ; attacks 3, benign 3
	scores := []float64{5, 4, 3, 3, 2, 1}
	attack := []bool{true, false, true, false, false, true}
	r, err := Rank(scores, attack)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "AUROC", r.ROCAUC(), (3+1.5+0)/9.0, 1e-12)
	near(t, "AP", r.AveragePrecision(), (1+2.0/4+3.0/6)/3, 1e-12)
	near(t, "TPR at 1 % FPR", r.TPRAtFPR(0.01), 1.0/3, 1e-12)
	near(t, "TPR at 40 % FPR", r.TPRAtFPR(0.4), 1.0/3, 1e-12)
	near(t, "TPR at 70 % FPR", r.TPRAtFPR(0.7), 2.0/3, 1e-12)
	near(t, "FPR at 60 % TPR", r.FPRAtTPR(0.6), 2.0/3, 1e-12)
	near(t, "partial to 1", r.PartialROCAUC(1), r.ROCAUC(), 1e-12)
	near(t, "partial to 1/3", r.PartialROCAUC(1.0/3), 1.0/3, 1e-12)
	f1, at := r.OracleF1()
	near(t, "oracle F1", f1, 2.0*3/(6+3), 1e-12)
	if c := r.At(at); c.F1() != f1 || at >= 1 || at < math.Nextafter(1, 0) {
		t.Errorf("threshold %v of the best F1 %v gives %v", at, f1, c.F1())
	}
}

func TestUndefined(t *testing.T) {
	for _, c := range []struct {
		name   string
		attack []bool
		warn   string
	}{
		{"benign only", []bool{false, false, false}, "no attack"},
		{"attacks only", []bool{true, true, true}, "no benign"},
		{"nothing", nil, "no test samples"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Summarise(make([]float64, len(c.attack)), Truth{Attack: c.attack}, math.NaN(), 100, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"auroc", "fpr_at_95tpr", "tpr_at_1fpr", "f1"} {
				near(t, name, m.Value(name), math.NaN(), 0)
			}
			near(t, "low", m.Interval("auroc").Low, math.NaN(), 0)
			if !strings.Contains(strings.Join(m.Warnings, "\n"), c.warn) {
				t.Errorf("warnings %q lack %q", m.Warnings, c.warn)
			}
		})
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		_, err := Summarise([]float64{1, bad}, Truth{Attack: []bool{true, false}}, 0, 0, 1)
		if !errors.Is(err, ErrScores) || !strings.Contains(err.Error(), "sample 1") {
			t.Errorf("score %v: error %v", bad, err)
		}
	}
}

// TestFixedThreshold does not look at the scores, also when there are none.
func TestFixedThreshold(t *testing.T) {
	r := ThresholdRule{Rule: "fixed", Value: 9}
	for _, scores := range [][]float64{nil, {1, 2, 300}} {
		if got, warnings, err := r.Fit(scores); got != 9 || warnings != nil || err != nil {
			t.Errorf("of %v: %v, %v, %v", scores, got, warnings, err)
		}
	}
	if _, _, err := r.Fit([]float64{math.NaN()}); err == nil {
		t.Error("a score that is no number is taken")
	}
	if (ThresholdRule{Rule: "fixed", Value: math.Inf(1)}).Check() == nil {
		t.Error("infinity is taken for a threshold")
	}
}

func TestThresholdRules(t *testing.T) {
	ten := []float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}
	for _, c := range []struct {
		rule  string
		value float64
		want  float64
	}{
		{"fpr", 0.2, 8}, {"fpr", 0.25, 8}, {"fpr", 0, 10}, {"fpr", 0.05, 10},
		{"quantile", 0.5, 5.5}, {"quantile", 0.95, 9.55}, {"quantile", 1, 10},
		{"mean_sd", 2, 5.5 + 2*3.0276503540974917}, // sample sd of 1…10
		{"mad", 3, 5.5 + 3*1.4826*2.5},
	} {
		got, _, err := ThresholdRule{c.rule, c.value}.Fit(ten)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.rule, got, c.want, 1e-12)
	}
	if _, _, err := (ThresholdRule{"fpr", 0.01}).Fit(nil); !errors.Is(err, ErrNoScores) {
		t.Errorf("no scores: %v", err)
	}
	if _, _, err := (ThresholdRule{"quantile", 2}).Fit(ten); err == nil {
		t.Error("a quantile of 2 is accepted")
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 { // never more false positives on the fitted scores than asked for
		scores, _ := random(r, 1+r.IntN(50), 1+r.IntN(30))
		rate := r.Float64()
		at, _, err := ThresholdRule{"fpr", rate}.Fit(scores)
		if err != nil {
			t.Fatal(err)
		}
		above := 0
		for _, s := range scores {
			if s > at {
				above++
			}
		}
		if float64(above) > rate*float64(len(scores)) {
			t.Fatalf("%d of %d above, rate %v", above, len(scores), rate)
		}
	}
}

func TestClasses(t *testing.T) {
	scores := []float64{1, 2, 3, 4, 5, 6}
	truth := Truth{
		Attack: []bool{false, false, true, true, true, true}, Class: []uint32{0, 0, 2, 2, 1, 1},
		Names: []string{"benign", "scan", "flood"},
	}
	m, err := Summarise(scores, truth, 3.5, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []ClassMetrics{{"flood", 2, 0.5, 1, true}, {"scan", 2, 1, 1, true}}
	if !slices.Equal(m.Classes, want) {
		t.Errorf("classes %+v, want %+v", m.Classes, want)
	}
}

func TestBootstrap(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var scores []float64
	var attack []bool
	for i := range 600 {
		a := i%3 == 0
		s := r.NormFloat64()
		if a {
			s++
		}
		scores, attack = append(scores, s), append(attack, a)
	}
	k, _ := Rank(scores, attack)
	one, ap := k.Bootstrap(500, 1)
	again, _ := k.Bootstrap(500, 1)
	if one != again {
		t.Error("the same seed gives another interval")
	}
	auc := k.ROCAUC()
	// Hanley and McNeil 1982: standard error of an AUROC
	q1, q2, na, nb := auc/(2-auc), 2*auc*auc/(1+auc), 200.0, 400.0
	se := math.Sqrt((auc*(1-auc) + (na-1)*(q1-auc*auc) + (nb-1)*(q2-auc*auc)) / na / nb)
	near(t, "half width", (one.High-one.Low)/2, 1.96*se, 0.2*1.96*se)
	if !(one.Low < auc && auc < one.High) || !(ap.Low < k.AveragePrecision() && k.AveragePrecision() < ap.High) {
		t.Errorf("intervals %v %v do not hold the values", one, ap)
	}
}

func TestRepeat(t *testing.T) {
	r := Repeat([]float64{1, 2, 3, 4, math.NaN()}, Anything)
	// t(3, 0.975) = 3.182446305284263 (tables)
	half := 3.182446305284263 * math.Sqrt(5.0/3) / 2
	near(t, "mean", r.Mean, 2.5, 1e-12)
	near(t, "sd", r.SD, math.Sqrt(5.0/3), 1e-12)
	near(t, "low", r.Interval.Low, 2.5-half, 1e-9)
	if r.N != 4 || r.Missing != 1 || len(r.Warnings) != 2 {
		t.Errorf("%+v", r)
	}
	if one := Repeat([]float64{3}, Anything); !math.IsNaN(one.SD) || !math.IsNaN(one.Interval.Low) || one.Mean != 3 {
		t.Errorf("%+v", one)
	}
}

func FuzzRank(f *testing.F) {
	f.Add([]byte{1, 2, 3, 130, 2})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var scores []float64
		var attack []bool
		for _, b := range raw {
			scores, attack = append(scores, float64(b&15)), append(attack, b >= 128)
		}
		m, err := Summarise(scores, Truth{Attack: attack}, 7, 20, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"auroc", "auprc", "fpr_at_95tpr", "tpr_at_1fpr", "oracle_f1"} {
			if v := m.Value(name); v < 0 || v > 1+1e-12 {
				t.Errorf("%s = %v", name, v)
			}
		}
	})
}

func BenchmarkSummarise(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 1))
	scores := make([]float64, 1_000_000)
	attack := make([]bool, len(scores))
	for i := range scores {
		scores[i], attack[i] = r.Float64(), r.IntN(2) == 0
	}
	for b.Loop() {
		if _, err := Summarise(scores, Truth{Attack: attack}, 0.5, 0, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// TestPrecisionAtPrevalence: 90 of 100 attacks and 50 of 1000 benign samples are flagged; of a million units with 1 %
// attacks 9,000 of 10,000 and 49,500 of 990,000 would be.
func TestPrecisionAtPrevalence(t *testing.T) {
	c := Confusion{TP: 90, FN: 10, FP: 50, TN: 950}
	if got, want := c.PrecisionAt(0.01), 9000.0/58500; math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := c.PrecisionAt(100.0/1100), c.Precision(); math.Abs(got-want) > 1e-12 {
		t.Errorf("at the sample's own prevalence %v, want %v", got, want)
	}
	for _, c := range []Confusion{{TN: 5, FN: 5}, {TP: 5, FN: 1}, {FP: 3, TN: 2}} {
		if got := c.PrecisionAt(0.01); !math.IsNaN(got) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
