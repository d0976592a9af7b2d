package prep

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
)

func weighted(w ...float64) Scorer {
	return func(_ context.Context, s *data.Set) ([]float64, error) {
		out := make([]float64, s.N)
		for i := range out {
			for j, v := range s.Row(i)[:len(w)] {
				out[i] += w[j] * float64(v)
			}
		}
		return out, nil
	}
}

// TestPermutationImportance: scikit-learn 1.2.1, inspection.permutation_importance(scoring="roc_auc", n_repeats=20000)
// of the same linear score on the same rows; its standard errors are below 0.0005, ours three times that.
func TestPermutationImportance(t *testing.T) {
	const n = 60
	s := &data.Set{Kind: data.Vectors, N: n, D: 4, Attack: make([]bool, n)}
	for i := range n {
		a, b := i*7%60, i*i%37
		flag := float32(0)
		if i%5 == 0 {
			flag = 1
		}
		s.X = append(s.X, float32(float64(a)/10), float32(float64(b)/5), float32(float64(i*11%23)/3), flag)
		s.Attack[i] = float64(a)+float64(b)/2+float64(i*13%29)/2 > 50
	}
	before := slices.Clone(s.X)
	_, got, _, err := Importances(context.Background(), weighted(1, 0.5, -0.25), s, [][]int{{3}, {2}, {1}, {0}}, 2000,
		rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0, 0.03084931, 0.06779187, 0.39175544} {
		if math.Abs(got[i]-want) > []float64{1e-12, .0015, .003, .007}[i] {
			t.Errorf("column %d: %v, want %v", 3-i, got[i], want)
		}
	}
	if !slices.Equal(s.X, before) {
		t.Error("the rows are not what they were")
	}
}

// TestSelectByPermutation: the model learns from two thirds of the training rows, the others judge it, attacks on both
// sides; a column that the model does not use is worth nothing.
func TestSelectByPermutation(t *testing.T) {
	all := Rows{Benign: []int32{0, 1, 2, 3, 4, 5, 6}, All: []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	var trained *data.Set
	all.Learn = func(_ context.Context, model string, train *data.Set) (Scorer, error) {
		if trained = train; model != "logistic" {
			t.Errorf("model %s", model)
		}
		return weighted(0, 0, 1), nil
	}
	text := "[{step: select_features, by: permutation, keep: 1, model: logistic}]"
	tb := rankTable()
	tb.Columns[2].Num = slices.Clone(rankA)
	p, err := fitted(t, tb, text, all)
	if err != nil {
		t.Fatal(err)
	}
	attacks := 0
	for _, attack := range trained.Attack {
		if attack {
			attacks++
		}
	}
	if trained.N != 9 || trained.D != 3 || attacks != 4 { // 7 − 2 benign rows, 5 − 1 attacks
		t.Errorf("the model learns from %d×%d, %d attacks", trained.N, trained.D, attacks)
	}
	if got := strings.Join(p.Columns(), " "); got != "c" || !strings.Contains(strings.Join(p.Notes, ""),
		"1 of 3 columns are kept by permutation for logistic, which looked at the labels") {
		t.Errorf("kept %s, notes %q", got, p.Notes)
	}
	// a sample of the rows
	if _, err = fitted(t, tb, strings.Replace(text, "keep: 1", "keep: 1, rows: 10", 1), all); err != nil || trained.N > 8 {
		t.Errorf("%d rows, %v", trained.N, err)
	}
	missing := rankTable()
	missing.Columns[0].Num[0], missing.Columns[0].Num[1] = math.NaN(), math.NaN()
	for want, r := range map[string]Rows{
		"models, which are not at hand": {Benign: all.Benign, All: all.All},
		"two benign rows and two attacks, and has 1 attacks": {
			Benign: all.Benign, All: all.All[:8], Learn: all.Learn},
	} {
		if _, err := fitted(t, rankTable(), text, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := fitted(t, missing, text, all); err == nil || !strings.Contains(err.Error(), "add impute before") {
		t.Errorf("missing values: %v", err)
	}
}
