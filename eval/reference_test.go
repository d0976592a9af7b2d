package eval

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
)

// References are values of other implementations on the same scores: NumPy 1.24.2, SciPy 1.10.1, scikit-learn 1.2.1,
// statsmodels 0.13.5 and R's pROC 1.18.0. testdata/reference.py says which function gave which number.
type references struct {
	Rankings []struct {
		Name      string
		Score     []float64
		Attack    []bool
		AUROC     float64
		AP        float64
		Trapezoid float64
		FPR, TPR  []float64
		RocAt     []float64 `json:"roc_at"`
		Precision []float64
		Recall    []float64
		PrAt      []float64          `json:"pr_at"`
		FPRAt95   float64            `json:"fpr_at_95tpr"`
		TPRAt     map[string]float64 `json:"tpr_at"`
		Partial   map[string]float64
		OracleF1  float64 `json:"oracle_f1"`
		Brier     float64
		LogLoss   float64 `json:"log_loss"`
		At        struct {
			At                                             float64
			Confusion                                      []int // TP, FP, TN, FN
			Accuracy, Balanced, Precision, Recall, F1, MCC float64
		} `json:"threshold"`
	}
	DeLong []struct {
		Name     string
		A, B     []float64
		Attack   []bool
		AUROC    []float64
		P        float64
		Interval []float64
		SE       []float64
	}
	Wilcoxon []struct {
		Name         string
		A, B         []float64
		Statistic, P float64
	}
	Holm     []struct{ P, Adjusted []float64 }
	Friedman []struct {
		Name          string
		Value         [][]float64
		Mean          []float64
		Chi, P, F, CD float64
		FP            float64 `json:"f_p"`
	}
	POT []struct {
		N                                   int
		Q                                   float64
		Largest                             []float64
		Level, Shape, Scale, NLL, Threshold float64
	}
	Rules struct {
		Score    []float64
		MeanSD   float64 `json:"mean_sd_2"`
		MAD      float64 `json:"mad_3"`
		IQR      float64 `json:"iqr_15"`
		Quantile float64 `json:"quantile_9"`
		Gaussian float64 `json:"gaussian_01"`
	}
	Bootstrap struct {
		Score   []float64
		Attack  []bool
		AUROC   []float64
		AP      []float64
		AUROCSE float64 `json:"auroc_se"`
		APSE    float64 `json:"ap_se"`
	}
	Groups struct {
		Score   []float64
		Attack  []bool
		Kind    []uint32
		Part    []int32
		At      float64
		Classes []struct {
			Samples       int
			Recall, AUROC float64
		}
		ROC, AP     []float64
		WeightedROC float64 `json:"weighted_roc"`
		WeightedAP  float64 `json:"weighted_ap"`
		ZeroFilled  float64 `json:"zero_filled"`
	}
	Repeats []struct {
		Value                  []float64
		Mean, SD               float64
		Plain, Share, Positive []float64
	}
}

func reference(t *testing.T) *references {
	t.Helper()
	raw, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r references
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

const tight = 1e-12

// TestRankingsAgainstScikitLearn: continuous, tied, rare, frequent, inverted and separated attacks.
func TestRankingsAgainstScikitLearn(t *testing.T) {
	for _, c := range reference(t).Rankings {
		t.Run(c.Name, func(t *testing.T) {
			r, err := Rank(c.Score, c.Attack)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "AUROC", r.ROCAUC(), c.AUROC, tight)
			near(t, "AP", r.AveragePrecision(), c.AP, tight)
			near(t, "trapezoid", r.PRAUCTrapezoid(), c.Trapezoid, tight)
			near(t, "FPR at 95 % TPR", r.FPRAtTPR(0.95), c.FPRAt95, tight)
			for at, want := range c.TPRAt {
				f, _ := strconv.ParseFloat(at, 64)
				near(t, "TPR at FPR "+at, r.TPRAtFPR(f), want, tight)
			}
			for at, want := range c.Partial {
				f, _ := strconv.ParseFloat(at, 64)
				near(t, "partial AUROC to "+at, r.PartialROCAUC(f), want, 1e-10)
			}
			f1, at := r.OracleF1()
			near(t, "oracle F1", f1, c.OracleF1, tight)
			near(t, "F1 at its threshold", r.At(at).F1(), c.OracleF1, tight)
			roc := r.ROC()
			if len(roc) != len(c.FPR)+1 || roc[0] != (Point{0, 0, math.Inf(1)}) {
				t.Fatalf("%d points of the ROC curve, want %d", len(roc), len(c.FPR)+1)
			}
			for i, p := range roc[1:] {
				near(t, "ROC x", p.X, c.FPR[i], tight)
				near(t, "ROC y", p.Y, c.TPR[i], tight)
				near(t, "ROC score", p.Score, c.RocAt[i], 0)
			}
			pr := r.PR()
			if n := len(c.Recall); len(pr) != n || pr[0] != (Point{0, 1, math.Inf(1)}) {
				t.Fatalf("%d points of the precision-recall curve, want %d", len(pr), n)
			}
			for i, p := range pr[1:] { // scikit-learn goes by falling recall
				k := len(c.Recall) - 2 - i
				near(t, "recall", p.X, c.Recall[k], tight)
				near(t, "precision", p.Y, c.Precision[k], tight)
				near(t, "score", p.Score, c.PrAt[k], 0)
			}
		})
	}
}

// TestDecisionsAgainstScikitLearn: what a threshold does, and probabilities.
func TestDecisionsAgainstScikitLearn(t *testing.T) {
	for _, c := range reference(t).Rankings {
		t.Run(c.Name, func(t *testing.T) {
			r, err := Rank(c.Score, c.Attack)
			if err != nil {
				t.Fatal(err)
			}
			w := c.At
			want := Confusion{TP: w.Confusion[0], FP: w.Confusion[1], TN: w.Confusion[2], FN: w.Confusion[3]}
			got := r.At(w.At)
			if got != want || Confuse(c.Score, c.Attack, w.At) != want {
				t.Errorf("%+v and %+v, want %+v", got, Confuse(c.Score, c.Attack, w.At), want)
			}
			near(t, "accuracy", got.Accuracy(), w.Accuracy, tight)
			near(t, "balanced accuracy", got.BalancedAccuracy(), w.Balanced, tight)
			near(t, "precision", got.Precision(), w.Precision, tight)
			near(t, "recall", got.Recall(), w.Recall, tight)
			near(t, "F1", got.F1(), w.F1, tight)
			near(t, "MCC", got.MCC(), w.MCC, tight)
			near(t, "specificity", got.Specificity(), 2*w.Balanced-w.Recall, tight)
			near(t, "FPR", got.FPR(), 1-(2*w.Balanced-w.Recall), tight)
			p := make([]float64, len(c.Score))
			for i, s := range c.Score {
				p[i] = 1 / (1 + math.Exp(-s))
			}
			brier, err := Brier(p, c.Attack)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "Brier", brier, c.Brier, tight)
			loss, err := LogLoss(p, c.Attack)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "log loss", loss, c.LogLoss, tight)
		})
	}
}

// TestGroupsAgainstScikitLearn: roc_auc_score and average_precision_score of each attack class beside all benign
// samples, and of each cluster; the last cluster holds attacks alone.
func TestGroupsAgainstScikitLearn(t *testing.T) {
	c := reference(t).Groups
	r, err := Rank(c.Score, c.Attack)
	if err != nil {
		t.Fatal(err)
	}
	classes, err := r.PerClass(Truth{c.Attack, c.Kind, []string{"benign", "a", "b", "c"}}, c.At)
	if err != nil || len(classes) != len(c.Classes) {
		t.Fatalf("%d classes, %v", len(classes), err)
	}
	for i, want := range c.Classes {
		got := classes[i]
		near(t, "AUROC of class "+got.Class, got.AUROC, want.AUROC, tight)
		near(t, "recall of class "+got.Class, got.Recall, want.Recall, tight)
		if got.Samples != want.Samples || got.Few != (want.Samples < FewRows) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	m, err := PerCluster(c.Score, c.Attack, c.Part)
	if err != nil || len(m.Clusters) != 3 {
		t.Fatalf("%+v, %v", m, err)
	}
	for i := range c.ROC {
		near(t, "AUROC of a cluster", m.Clusters[i].AUROC, c.ROC[i], tight)
		near(t, "AP of a cluster", m.Clusters[i].AUPRC, c.AP[i], tight)
	}
	near(t, "AUROC of attacks alone", m.Clusters[2].AUROC, math.NaN(), 0)
	near(t, "weighted AUROC", m.WeightedAUROC, c.WeightedROC, tight)
	near(t, "weighted AP", m.WeightedAUPRC, c.WeightedAP, tight)
	near(t, "zero-filled AUROC", m.ZeroFilledAUROC, c.ZeroFilled, tight)
}

// TestDeLongAgainstPROC: roc.test and var of R's pROC 1.18.0, paired, method DeLong.
func TestDeLongAgainstPROC(t *testing.T) {
	for _, c := range reference(t).DeLong {
		t.Run(c.Name, func(t *testing.T) {
			d, err := DeLong(c.A, c.B, c.Attack)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "A", d.A, c.AUROC[0], tight)
			near(t, "B", d.B, c.AUROC[1], tight)
			near(t, "difference", d.Diff, c.AUROC[0]-c.AUROC[1], tight)
			near(t, "P", d.P, c.P, 1e-10)
			near(t, "low", d.Interval.Low, c.Interval[0], 1e-10)
			near(t, "high", d.Interval.High, c.Interval[1], 1e-10)
			for i, scores := range [][]float64{c.A, c.B} {
				r, err := Rank(scores, c.Attack)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "standard error", r.AUROCError(), c.SE[i], 1e-12)
			}
			back, err := DeLong(c.B, c.A, c.Attack)
			if err != nil || back.P != d.P || back.Diff != -d.Diff || back.SE != d.SE {
				t.Errorf("turned round: %+v, %+v, %v", d, back, err)
			}
		})
	}
}

// TestWilcoxonAgainstSciPy: exact without ties, exact by all signs with ties, and normal.
func TestWilcoxonAgainstSciPy(t *testing.T) {
	for _, c := range reference(t).Wilcoxon {
		t.Run(c.Name, func(t *testing.T) {
			got, err := Wilcoxon(c.A, c.B)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "statistic", got.Statistic, c.Statistic, 0)
			near(t, "P", got.P, c.P, 1e-12)
			back, err := Wilcoxon(c.B, c.A)
			if err != nil || back.P != got.P || back.Statistic != got.Statistic {
				t.Errorf("turned round: %+v, %+v, %v", got, back, err)
			}
		})
	}
}

func TestHolmAgainstStatsmodels(t *testing.T) {
	for _, c := range reference(t).Holm {
		for i, p := range Holm(c.P) {
			near(t, "adjusted P", p, c.Adjusted[i], tight)
		}
	}
}

// TestFriedmanAgainstSciPy: friedmanchisquare, and F, its P and Nemenyi's critical difference by the formulas of
// Demšar (JMLR 2006) from SciPy's distributions.
func TestFriedmanAgainstSciPy(t *testing.T) {
	for _, c := range reference(t).Friedman {
		t.Run(c.Name, func(t *testing.T) {
			r, err := Friedman(c.Value)
			if err != nil {
				t.Fatal(err)
			}
			for j := range c.Mean {
				near(t, "mean rank", r.Mean[j], c.Mean[j], tight)
			}
			near(t, "chi-squared", r.ChiSquared, c.Chi, 1e-10)
			near(t, "P", r.P, c.P, 1e-12)
			near(t, "F", r.F, c.F, 1e-10)
			near(t, "P of F", r.FP, c.FP, 1e-12)
			near(t, "critical difference", r.CD, c.CD, 1e-9)
		})
	}
}

// TestPOTAgainstSciPy: genpareto.fit with the location held at 0, the best of four starts. The likelihood found
// here is at least as good.
func TestPOTAgainstSciPy(t *testing.T) {
	for _, c := range reference(t).POT {
		y := make([]float64, len(c.Largest))
		for i, s := range c.Largest {
			y[i] = s - c.Level
		}
		shape, scale := fitPareto(y, 0)
		near(t, "shape", shape, c.Shape, 2e-4)
		near(t, "scale", scale, c.Scale, 2e-4*c.Scale)
		nll := float64(len(y)) * math.Log(scale)
		for _, v := range y {
			nll += (1 + 1/shape) * math.Log1p(shape*v/scale)
		}
		if nll > c.NLL+1e-6 {
			t.Errorf("negative log likelihood %v, SciPy finds %v", nll, c.NLL)
		}
		// Below the level any scores do, as long as the quantile is where it was.
		h := 0.98 * float64(c.N-1)
		w := h - math.Floor(h)
		scores := slices.Repeat([]float64{(c.Level - w*c.Largest[0]) / (1 - w)}, c.N-len(y))
		scores = append(scores, c.Largest...)
		at, _, err := ThresholdRule{Rule: "pot", Value: c.Q}.Fit(scores)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "threshold", at, c.Threshold, 1e-4*c.Threshold)
	}
}

func TestRulesAgainstSciPy(t *testing.T) {
	c := reference(t).Rules
	for _, k := range []struct {
		rule        string
		value, want float64
	}{
		{"mean_sd", 2, c.MeanSD}, {"mad", 3, c.MAD}, {"iqr", 1.5, c.IQR}, {"quantile", 0.9, c.Quantile},
		{"gaussian", 0.01, c.Gaussian},
	} {
		got, _, err := ThresholdRule{k.rule, k.value}.Fit(c.Score)
		if err != nil {
			t.Fatal(err)
		}
		near(t, k.rule, got, k.want, 1e-11)
	}
}

// TestBootstrapAgainstNumPy: 40,000 resamples of AUROC and 8,000 of average precision, attacks and benign samples
// drawn apart with NumPy and judged by SciPy and scikit-learn; their ends are good to some .001.
func TestBootstrapAgainstNumPy(t *testing.T) {
	c := reference(t).Bootstrap
	r, err := Rank(c.Score, c.Attack)
	if err != nil {
		t.Fatal(err)
	}
	auroc, ap := r.Bootstrap(20000, 5)
	near(t, "AUROC low", auroc.Low, c.AUROC[0], 0.002)
	near(t, "AUROC high", auroc.High, c.AUROC[1], 0.002)
	near(t, "AP low", ap.Low, c.AP[0], 0.004)
	near(t, "AP high", ap.High, c.AP[1], 0.004)
	near(t, "AUROC error", r.AUROCError(), c.AUROCSE, 0.02*c.AUROCSE)
	near(t, "AP error", r.APError(), c.APSE, 0.05*c.APSE)
	// by groups
	m := r.merge()
	grouped := m.bootstrap(20000, 6, m.drawGroups, (*Ranking).ROCAUC, (*Ranking).AveragePrecision)
	near(t, "AUROC low by groups", grouped[0].Low, c.AUROC[0], 0.002)
	near(t, "AUROC high by groups", grouped[0].High, c.AUROC[1], 0.002)
	near(t, "AP low by groups", grouped[1].Low, c.AP[0], 0.004)
	near(t, "AP high by groups", grouped[1].High, c.AP[1], 0.004)
}

// TestIntervalsAgainstSciPy: t.interval on the plain, logit and logarithmic scales.
func TestIntervalsAgainstSciPy(t *testing.T) {
	for _, c := range reference(t).Repeats {
		for _, k := range []struct {
			in   Range
			want []float64
		}{{Anything, c.Plain}, {Share, c.Share}, {Positive, c.Positive}} {
			r := Repeat(c.Value, k.in)
			near(t, "mean", r.Mean, c.Mean, tight)
			near(t, "sd", r.SD, c.SD, tight)
			near(t, "low", r.Interval.Low, k.want[0], 1e-8)
			near(t, "high", r.Interval.High, k.want[1], 1e-8*max(1, k.want[1]))
		}
	}
}
