package eval

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestOrderOfSamples: no number depends on the order in which samples are given, and a growing map of the scores
// changes no ranking.
func TestOrderOfSamples(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	for range 60 {
		n := 4 + r.IntN(60)
		scores, attack := scored(r, n, 0.4, float64(1+r.IntN(6)))
		other, _ := scored(r, n, 0, 2)
		attack[0], attack[1], attack[2], attack[3] = true, true, false, false
		class := make([]uint32, n)
		for i := range class {
			class[i] = uint32(r.IntN(3))
		}
		names := []string{"x", "y", "z"}
		a, err := Summarise(scores, Truth{attack, class, names}, 0.5, 30, 3)
		if err != nil {
			t.Fatal(err)
		}
		before, err := DeLong(scores, other, attack)
		if err != nil {
			t.Fatal(err)
		}
		order := r.Perm(n)
		s, o, y, c := make([]float64, n), make([]float64, n), make([]bool, n), make([]uint32, n)
		for to, from := range order {
			s[to], o[to], y[to], c[to] = scores[from], other[from], attack[from], class[from]
		}
		b, err := Summarise(s, Truth{y, c, names}, 0.5, 30, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range MetricNames() {
			near(t, name+" in another order", b.Value(name), a.Value(name), 0)
		}
		if a.Interval("auroc") != b.Interval("auroc") || a.Interval("auprc") != b.Interval("auprc") {
			t.Error("intervals depend on the order")
		}
		if !slices.Equal(a.Classes, b.Classes) {
			t.Errorf("classes %+v, in another order %+v", a.Classes, b.Classes)
		}
		after, err := DeLong(s, o, y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "DeLong's P in another order", after.P, before.P, 1e-12)
		for i := range s {
			s[i] = math.Exp(s[i])
			o[i] = 3*o[i] - 8
		}
		if after, err = DeLong(s, o, y); err != nil {
			t.Fatal(err)
		}
		near(t, "DeLong's P of growing maps", after.P, before.P, 1e-12)
		m, err := Summarise(s, Truth{y, c, names}, math.Exp(0.5), 30, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range MetricNames() {
			if name != "threshold" && name != "oracle_threshold" {
				near(t, name+" of a growing map", m.Value(name), a.Value(name), 0)
			}
		}
	}
}

// TestTurned: with scores and truth turned round, the same pairs are in order.
func TestTurned(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 2))
	for range 50 {
		scores, attack := scored(r, 3+r.IntN(80), 0.4, 3)
		turned, benign := make([]float64, len(scores)), make([]bool, len(scores))
		for i := range scores {
			turned[i], benign[i] = -scores[i], !attack[i]
		}
		a, err := Rank(scores, attack)
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			scores []float64
			attack []bool
			want   float64
		}{
			"both turned":   {turned, benign, a.ROCAUC()},
			"scores turned": {turned, attack, 1 - a.ROCAUC()},
			"truth turned":  {scores, benign, 1 - a.ROCAUC()},
		} {
			b, err := Rank(c.scores, c.attack)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "AUROC, "+name, b.ROCAUC(), c.want, 1e-12)
			near(t, "its error, "+name, b.AUROCError(), a.AUROCError(), 1e-12)
		}
	}
}

// TestPrecisionAt is the mean over all orders among equal scores.
func TestPrecisionAt(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 3))
	for range 30 {
		n := 1 + r.IntN(6)
		scores, attack := random(r, n, 3)
		k, err := Rank(scores, attack)
		if err != nil {
			t.Fatal(err)
		}
		sum, orders := make([]float64, n+1), 0.0
		for order := range permutations(n) {
			if !slices.IsSortedFunc(order, func(i, j int) int { return int(scores[j] - scores[i]) }) {
				continue
			}
			orders++
			hits := 0.0
			for at, i := range order {
				if attack[i] {
					hits++
				}
				sum[at+1] += hits / float64(at+1)
			}
		}
		for at := 1; at <= n; at++ {
			near(t, "precision", k.PrecisionAt(at), sum[at]/orders, 1e-12)
		}
		near(t, "precision at 0", k.PrecisionAt(0), math.NaN(), 0)
		near(t, "precision beyond", k.PrecisionAt(n+1), math.NaN(), 0)
	}
}

// permutations yields every order of n, in a slice that is used again.
func permutations(n int) func(func([]int) bool) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return func(yield func([]int) bool) {
		var from func(k int) bool
		from = func(k int) bool {
			if k == n {
				return yield(order)
			}
			for i := k; i < n; i++ {
				order[k], order[i] = order[i], order[k]
				if !from(k + 1) {
					return false
				}
				order[k], order[i] = order[i], order[k]
			}
			return true
		}
		from(0)
	}
}

// TestNoVariance: two detectors that order every pair alike, or never err, leave DeLong's test undefined.
func TestNoVariance(t *testing.T) {
	attack := []bool{false, false, true, true, true, false}
	perfect := []float64{1, 2, 5, 6, 7, 0}
	inverted := []float64{5, 6, 1, 2, 0, 7}
	constant := make([]float64, 6)
	for name, c := range map[string][2][]float64{
		"the same":             {perfect, perfect},
		"perfect and inverted": {perfect, inverted},
		"perfect and constant": {perfect, constant},
	} {
		d, err := DeLong(c[0], c[1], attack)
		if err != nil || !math.IsNaN(d.P) || d.Interval.Defined() || d.SE != 0 || len(d.Warnings) != 1 {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	d, err := DeLong(perfect[:3], inverted[:3], attack[:3])
	if err != nil || !math.IsNaN(d.P) || !math.IsNaN(d.SE) || len(d.Warnings) != 1 {
		t.Errorf("with one attack: %+v, %v", d, err)
	}
	for _, bad := range [][2][]float64{
		{perfect, {1}}, {{1, 2, 3, 4, 5, math.NaN()}, perfect}, {perfect, {1, 2, 3, 4, 5, math.Inf(1)}},
	} {
		if _, err := DeLong(bad[0], bad[1], attack); !errors.Is(err, ErrScores) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestTestsOfFew(t *testing.T) {
	nan := math.NaN()
	if _, err := Wilcoxon([]float64{1}, nil); !errors.Is(err, ErrScores) {
		t.Errorf("lengths that differ: %v", err)
	}
	w, err := Wilcoxon([]float64{1, 2, nan, math.Inf(1)}, []float64{1, 2, 3, 4})
	if err != nil || w.N != 0 || !math.IsNaN(w.P) || len(w.Warnings) != 1 {
		t.Errorf("no pair differs: %+v, %v", w, err)
	}
	w, err = Wilcoxon([]float64{3, 4, 5, 6}, []float64{1, 1, 1, 1})
	if err != nil || w.P != 0.125 || len(w.Warnings) != 1 {
		t.Errorf("four pairs: %+v, %v", w, err)
	}
	if _, err := Friedman([][]float64{{1, 2}, {1}}); !errors.Is(err, ErrScores) {
		t.Errorf("rows of different lengths: %v", err)
	}
	f, err := Friedman([][]float64{{1, 2}, {1, nan}})
	if err != nil || f.N != 1 || !math.IsNaN(f.P) || len(f.Warnings) != 2 || f.Mean[1] != 1 {
		t.Errorf("one block: %+v, %v", f, err)
	}
	if f, err = Friedman([][]float64{{1, 1}, {2, 2}}); err != nil || !math.IsNaN(f.ChiSquared) || len(f.Warnings) != 1 {
		t.Errorf("blocks of equals: %+v, %v", f, err)
	}
	if f, err = Friedman([][]float64{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}); err != nil || !math.IsInf(f.F, 1) || f.FP != 0 {
		t.Errorf("one order in every block: %+v, %v", f, err)
	}
	if f, err = Friedman(nil); err != nil || f.N != 0 {
		t.Errorf("nothing: %+v, %v", f, err)
	}
	got := Holm([]float64{0.01, nan, 0.04, 0.03})
	for i, want := range []float64{0.03, nan, 0.06, 0.06} {
		near(t, "Holm with an undefined P", got[i], want, 1e-12)
	}
}

// TestUnusable: lengths that differ and values out of range are errors that say which.
func TestUnusable(t *testing.T) {
	two := []bool{true, false}
	for name, err := range map[string]error{
		"rank":      second(Rank([]float64{1}, two)),
		"Brier":     second(Brier([]float64{0.5}, two)),
		"log loss":  second(LogLoss([]float64{0.5}, two)),
		"summary":   second(Summarise([]float64{1, 2}, Truth{two, []uint32{0, 9}, []string{"a"}}, 0, 0, 1)),
		"class":     second(Summarise([]float64{1, 2}, Truth{two, []uint32{9, 0}, []string{"a"}}, 0, 0, 1)),
		"threshold": third(ThresholdRule{"fpr", 0.1}.Fit([]float64{1, math.Inf(-1)})),
		"pot":       third(ThresholdRule{"quantile", 0.5}.Fit([]float64{math.NaN()})),
	} {
		if name == "summary" { // the class of a benign sample is not looked at
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, ErrScores) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, p := range []float64{-0.1, 1.1, math.NaN()} {
		_, err := Brier([]float64{0, p}, two)
		if !errors.Is(err, ErrScores) || !strings.Contains(err.Error(), "probability 1") {
			t.Errorf("Brier of %v: %v", p, err)
		}
		if _, err := LogLoss([]float64{0, p}, two); !errors.Is(err, ErrScores) {
			t.Errorf("log loss of %v: %v", p, err)
		}
	}
	k, err := Rank([]float64{1, 2}, two)
	if err != nil {
		t.Fatal(err)
	}
	short := Truth{Attack: two[:1], Class: []uint32{0, 0}, Names: []string{"a"}}
	if _, err := k.PerClass(short, 0); !errors.Is(err, ErrScores) {
		t.Errorf("too few labels: %v", err)
	}
	benign, err := Rank([]float64{1, 2}, []bool{false, false})
	if err != nil || benign.ROC() != nil || benign.PR() != nil {
		t.Errorf("curves without attacks: %v", err)
	}
	near(t, "partial AUROC to 2", k.PartialROCAUC(2), math.NaN(), 0)
	near(t, "trapezoid without attacks", benign.PRAUCTrapezoid(), math.NaN(), 0)
	empty := Ranking{Score: []float64{2, 1}, Pos: []int32{0, 1}, Neg: []int32{0, 1}, P: 1, N: 1}
	near(t, "trapezoid over a group that a resample left empty", empty.PRAUCTrapezoid(), 0.75, 1e-12)
}

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }

// TestRulesRefuse: a value that a rule cannot take, and an unknown rule, are named.
func TestRulesRefuse(t *testing.T) {
	for _, r := range []ThresholdRule{
		{"fpr", -0.1}, {"fpr", math.NaN()}, {"quantile", 1.1}, {"gaussian", 0}, {"gaussian", 1}, {"pot", 0}, {"pot", 1},
		{"mean_sd", -1}, {"mad", math.Inf(1)}, {"iqr", math.NaN()}, {"fixed", math.NaN()}, {"median", 1},
	} {
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), r.Rule) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// TestRulesDoubt: what is doubtful about a threshold comes with it.
func TestRulesDoubt(t *testing.T) {
	tied := []float64{1, 2, 3, 4, 5, 5, 5, 5, 5, 5}
	tail := make([]float64, 300)
	for i := range tail {
		tail[i] = float64(i)
	}
	for _, c := range []struct {
		rule   ThresholdRule
		scores []float64
		want   float64
		doubt  string
	}{
		{ThresholdRule{"mean_sd", 2}, []float64{7}, 7, "no standard deviation"},
		{ThresholdRule{"gaussian", 0.1}, []float64{7}, 7, "no standard deviation"},
		{ThresholdRule{"fpr", 0.01}, []float64{1, 2, 3}, 3, "too few"},
		{ThresholdRule{"fpr", 0.4}, tied, 5, "equal scores stand at the threshold"},
		{ThresholdRule{"fpr", 1}, []float64{1, 2}, math.Nextafter(1, 0), ""},
		{ThresholdRule{"mad", 3}, []float64{4, 4, 4}, 4, "all 3 benign scores are equal"},
		{ThresholdRule{"pot", 0.001}, []float64{4, 4, 4}, 4, "no tail to fit"},
		{ThresholdRule{"pot", 0.5}, tail, 149.5, "does not reach into the tail"},
		{ThresholdRule{"pot", 0.001}, tail, math.NaN(), "a tail to 6 scores"},
	} {
		got, warnings, err := c.rule.Fit(c.scores)
		if err != nil {
			t.Errorf("%+v: %v", c.rule, err)
		}
		if !math.IsNaN(c.want) {
			near(t, c.rule.Rule, got, c.want, 1e-12)
		}
		if text := strings.Join(warnings, "\n"); c.doubt == "" && text != "" || !strings.Contains(text, c.doubt) {
			t.Errorf("%+v of %d: warnings %q lack %q", c.rule, len(c.scores), warnings, c.doubt)
		}
	}
	if _, _, err := (ThresholdRule{"mean_sd", 1e308}).Fit([]float64{0, 1e10}); !errors.Is(err, ErrScores) {
		t.Errorf("an infinite threshold: %v", err)
	}
}

// TestDoubts: what a reader of the metrics should know.
func TestDoubts(t *testing.T) {
	scores, attack := make([]float64, 2000), make([]bool, 2000)
	for i := range scores {
		scores[i], attack[i] = float64(min(i, 1500)), i >= 1600
	}
	for _, c := range []struct {
		n         int
		threshold float64
		want      string
	}{
		{2000, 1500, "nothing is above the threshold"}, {2000, -1, "everything is above the threshold"},
		{2000, 0, "25 % of the samples share"},
		{1650, 0, ""}, {500, 0, "no attack among 500"},
	} {
		m, err := Summarise(scores[:c.n], Truth{Attack: attack[:c.n]}, c.threshold, 0, 1)
		if err != nil || !strings.Contains(strings.Join(m.Warnings, "\n"), c.want) {
			t.Errorf("%d: %q lack %q, %v", c.n, m.Warnings, c.want, err)
		}
	}
	for benign, want := range map[int]string{50: "at 1 % and 0.1 %", 500: "at 0.1 % false positives"} {
		s, a := make([]float64, benign+100), make([]bool, benign+100)
		for i := range s {
			s[i], a[i] = float64(i%5), i >= benign
		}
		m, err := Summarise(s, Truth{Attack: a}, 2, 0, 1)
		for _, part := range []string{want, "only 5 different"} {
			if err != nil || !strings.Contains(strings.Join(m.Warnings, "\n"), part) {
				t.Errorf("%d benign samples: %q lack %q, %v", benign, m.Warnings, part, err)
			}
		}
	}
}
