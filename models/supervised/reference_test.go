package supervised

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/numeric/trees"
)

// fixtures are tiny inputs with answers of scikit-learn 1.2.1, and reference what testdata/reference.py adds.
type fixtures struct {
	Train, Test [][]float64
	LogReg      struct {
		Y         []int
		Coef      []float64
		Intercept float64
		Proba     []float64
	}
	Tree struct {
		MaxDepth  int `json:"max_depth"`
		Feature   []int32
		Threshold []float64
		N         []float64
		Impurity  []float64
	}
}

type reference struct {
	Y3                       []uint32
	Softmax, Bayes, AdaBoost [][]float64
	TreeEntropy              [][]float64 `json:"tree_entropy"`
	BalancedLogistic         []float64   `json:"balanced_logistic"`
	Boosting                 []float64
	Boosting3                [][]float64
	Platt, Isotonic          []float64
	IsotonicAt               []float64 `json:"isotonic_at"`
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + file)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rows is a set of some rows, with classes where there are any: 0 is benign.
func rows(x [][]float64, class []uint32) *data.Set {
	s := &data.Set{Kind: data.Vectors, N: len(x), D: len(x[0]), Class: class, Classes: []string{"benign", "a", "b"}}
	for _, row := range x {
		for _, v := range row {
			s.X = append(s.X, float32(v))
		}
	}
	for _, c := range class {
		s.Attack = append(s.Attack, c > 0)
	}
	return s
}

func fit(t *testing.T, spec models.Spec, train *data.Set) models.Detector {
	t.Helper()
	return modeltest.Fitted(t, spec, models.Env{Seed: 1}, train)
}

func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// probabilities of all classes, row after row.
func probabilities(t *testing.T, d models.Detector, s *data.Set) []float64 {
	t.Helper()
	_, p, err := d.(models.Classifier).Probabilities(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(p...)
}

func labels(y []int) []uint32 {
	out := make([]uint32, len(y))
	for i, v := range y {
		out[i] = uint32(v)
	}
	return out
}

// TestScikitLearn: coefficients, probabilities and trees of scikit-learn 1.2.1.
func TestScikitLearn(t *testing.T) {
	var f fixtures
	var r reference
	read(t, "fixtures.json", &f)
	read(t, "reference.json", &r)
	two, three, test := rows(f.Train, labels(f.LogReg.Y)), rows(f.Train, r.Y3), rows(f.Test, nil)
	multi := Common{Target: "class", Weights: "none", Calibration: "none"}

	lr := fit(t, &Logistic{defaultCommon(), 1, 1000}, two).(explained)
	j, err := lr.Learned()
	if err != nil {
		t.Fatal(err)
	}
	near(
		t,
		"logistic: coefficients",
		j.of.(*linear).w,
		append(f.LogReg.Coef, f.LogReg.Intercept),
		1e-4,
	) // there its gradient ends at 1e-4
	scores, err := lr.Score(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "logistic: probabilities", scores, f.LogReg.Proba, 5e-5)
	balanced := Common{Target: "attack", Weights: "balanced", Calibration: "none"}
	scores, err = fit(t, &Logistic{balanced, 2, 1000}, two).Score(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "balanced logistic", scores, r.BalancedLogistic, 1e-7)
	near(
		t,
		"softmax",
		probabilities(t, fit(t, &Logistic{multi, 0.7, 1000}, three), test),
		slices.Concat(r.Softmax...),
		1e-6,
	)
	near(t, "naive Bayes", probabilities(t, fit(t, &Bayes{multi, 1e-9}, three), test), slices.Concat(r.Bayes...), 1e-9)
	near(
		t,
		"AdaBoost",
		probabilities(t, fit(t, &AdaBoost{multi, 20, 0.5, 1}, three), test),
		slices.Concat(r.AdaBoost...),
		1e-9,
	)
	entropy := Growth{Criterion: "entropy", MaxDepth: 3, MinSplit: 2, MinLeaf: 3}
	near(
		t,
		"tree by entropy",
		probabilities(t, fit(t, &Tree{multi, entropy}, three), test),
		slices.Concat(r.TreeEntropy...),
		1e-9,
	)

	// float32 gradients there, float64 here
	hist := Boosting{Rounds: 12, Rate: 0.3, Leaves: 6, MinLeaf: 4, Lambda: 0.5, Bins: 255, Validation: 0.1}
	hist.Common = defaultCommon()
	scores, err = fit(t, &hist, two).Score(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "boosting", scores, r.Boosting, 1e-5)
	hist3 := hist
	hist3.Common, hist3.Rounds, hist3.MinLeaf, hist3.Lambda, hist3.Leaves = multi, 8, 9, 0, 3
	near(t, "boosting of classes", probabilities(t, fit(t, &hist3, three), test), slices.Concat(r.Boosting3...), 1e-5)

	gini := defaultGrowth()
	gini.MaxDepth = f.Tree.MaxDepth
	of, err := fit(t, &Tree{defaultCommon(), gini}, two).(explained).Learned()
	if err != nil {
		t.Fatal(err)
	}
	var depthFirst func(tr *trees.Tree, q int32)
	k := 0
	depthFirst = func(tr *trees.Tree, q int32) {
		if leaf := tr.Column[q] < 0; leaf != (f.Tree.Feature[k] < 0) || tr.Cover[q] != f.Tree.N[k] ||
			!leaf && (tr.Column[q] != f.Tree.Feature[k] || math.Abs(tr.At[q]-f.Tree.Threshold[k]) > 1e-6) {
			t.Fatalf("node %d: column %d at %v with %v rows", k, tr.Column[q], tr.At[q], tr.Cover[q])
		}
		p := tr.Value[2*q]
		near(t, "impurity", []float64{2 * p * (1 - p)}, f.Tree.Impurity[k:k+1], 1e-9)
		k++
		if tr.Column[q] >= 0 {
			depthFirst(tr, tr.Left[q])
			depthFirst(tr, tr.Right[q])
		}
	}
	depthFirst(of.of.(*votes).trees[0], 0)
	if k != len(f.Tree.N) {
		t.Errorf("%d nodes, want %d", k, len(f.Tree.N))
	}
}

// TestCalibration: Platt's and isotonic curves of scikit-learn 1.2.1 on weighted points.
func TestCalibration(t *testing.T) {
	var f fixtures
	var r reference
	read(t, "fixtures.json", &f)
	read(t, "reference.json", &r)
	n := len(f.LogReg.Y)
	score, hit, w := make([]float64, n), make([]bool, n), make([]float64, n)
	attacks := 0
	for _, y := range f.LogReg.Y {
		attacks += y
	}
	for i, y := range f.LogReg.Y {
		score[i], hit[i] = math.Pow(float64(i)/float64(n-1), 2), y == 1
		w[i] = float64(n) / (2 * float64(n-attacks))
		if y == 1 {
			w[i] = float64(n) / (2 * float64(attacks))
		}
	}
	near(t, "Platt", platt(score, hit, w).x, r.Platt, 1e-3)
	c := isotonic(score, hit, w)
	for i, at := range r.IsotonicAt {
		near(t, "isotonic", []float64{c.at(at)}, r.Isotonic[i:i+1], 1e-6)
	}
}
