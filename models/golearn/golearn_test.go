package golearn

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/naive"
	"github.com/sjwhitworth/golearn/trees"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// square is rows of two columns; attacks are those with x > ½ and y > ½, which no single cut separates.
func square(n int, seed uint64) *data.Set {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &data.Set{Kind: data.Vectors, N: n, D: 2, Features: data.Quantities("x", "y"), Classes: []string{"ok", "bad"}}
	for range n {
		x, y := r.Float32(), r.Float32()
		s.X = append(s.X, x, y)
		a := x > 0.5 && y > 0.5
		s.Attack = append(s.Attack, a)
		s.Class = append(s.Class, map[bool]uint32{true: 1}[a])
	}
	return s
}

func TestBaggingLearnsACorner(t *testing.T) {
	spec := &BaggingSpec{Trees: 15, Rows: 200, Depth: 6, Criterion: "gini"}
	d, err := spec.New(models.Env{Seed: 1, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(context.Background(), square(600, 1)); err != nil {
		t.Fatal(err)
	}
	test := square(400, 2)
	scores, err := d.Score(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, s := range scores {
		if s < 0 || s > 1 {
			t.Fatalf("score %v", s)
		}
		if s > 0.5 == test.Attack[i] {
			right++
		}
	}
	if right < 380 {
		t.Errorf("%d of 400 rows are on the right side", right)
	}
	_, p, err := d.(models.Classifier).Probabilities(context.Background(), test)
	if err != nil || p[0][1] != scores[0] || p[0][0]+p[0][1] != 1 {
		t.Errorf("probabilities %v, %v", p[0], err)
	}
}

// TestBaggingOnOneKind: where every row is of one kind, every tree votes for it.
func TestBaggingOnOneKind(t *testing.T) {
	for _, attack := range []bool{false, true} {
		train := square(50, 3)
		for i := range train.Attack {
			train.Attack[i] = attack
		}
		spec := &BaggingSpec{Trees: 3, Rows: 20, Depth: 4, Criterion: "entropy"}
		scores := modeltest.FitScore(t, spec, models.Env{}, train, train)
		if want := map[bool]float64{true: 1}[attack]; scores[0] != want {
			t.Errorf("attack %v: score %v", attack, scores[0])
		}
	}
}

func TestBaggingNeedsLabels(t *testing.T) {
	d, err := (&BaggingSpec{Trees: 3, Rows: 20, Depth: 4, Criterion: "gini"}).New(models.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(context.Background(), square(50, 4).Unlabelled()); !errors.Is(err, models.ErrInput) ||
		!strings.Contains(err.Error(), "0 labels for 50 samples") {
		t.Errorf("error %v", err)
	}
}

// specs are those of the models that every build has.
func specs() map[string]models.Spec {
	return map[string]models.Spec{
		"bagging":       &BaggingSpec{Trees: 5, Rows: 100, Depth: 5, Criterion: "gini"},
		"tree":          &TreeSpec{Rows: 200, Depth: 6, Criterion: "entropy"},
		"random forest": &ForestSpec{Trees: 15, Rows: 300, Columns: 2},
		"naive Bayes":   &BayesSpec{},
	}
}

// TestLabelIsNoFeature: where columns tell nothing of labels, no model tells attacks from benign rows, as it would if
// it were shown the label as a column; where they do, each does.
func TestLabelIsNoFeature(t *testing.T) {
	auroc := func(spec models.Spec, train, test *data.Set) float64 {
		scores := modeltest.FitScore(t, spec, models.Env{Seed: 1}, train, test.Unlabelled())
		r, err := eval.Rank(scores, test.Attack)
		if err != nil {
			t.Fatal(err)
		}
		return r.ROCAUC()
	}
	blind, test := square(500, 5), square(500, 6)
	r := rand.New(rand.NewPCG(7, 7))
	for _, s := range []*data.Set{blind, test} {
		for i := range s.X {
			s.X[i] = r.Float32()
		}
	}
	for name, spec := range specs() {
		if v := auroc(spec, blind, test); v < 0.4 || v > 0.6 {
			t.Errorf("%s: AUROC %.3f where columns tell nothing", name, v)
		}
		if v := auroc(spec, square(500, 8), square(500, 9)); v < 0.8 {
			t.Errorf("%s: AUROC %.3f", name, v)
		}
	}
}

// TestCopiesSayWhatGolearnSays: the trees, copied out of golearn, and the probabilities made of its counts name the
// class that golearn names.
func TestCopiesSayWhatGolearnSays(t *testing.T) {
	train, test := square(300, 11), square(200, 12)
	rows, all := every(train.N), every(test.N)
	predict := func(v, w view, of base.Classifier) []bool {
		grid, err := v.instances()
		if err == nil {
			err = of.Fit(grid)
		}
		if err != nil {
			t.Fatal(err)
		}
		if grid, err = w.instances(); err != nil {
			t.Fatal(err)
		}
		named, err := of.Predict(grid)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]bool, test.N)
		for i := range out {
			out[i] = base.GetClass(named, i) == classes[1]
		}
		return out
	}
	blind := test.Unlabelled()
	nodes, err := growID3(train, rows, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	m := &votingTrees{roots: []int32{0}, nodes: nodes}
	for i, want := range predict(view{train: train, rows: rows}, view{train: blind, rows: all},
		trees.NewID3DecisionTree(0)) {
		if got := m.vote(0, test.Row(i)) == attack; got != want {
			t.Errorf("row %d: the tree says %v, golearn %v", i, got, want)
		}
	}
	nb, err := fitBernoulli(models.Env{}, train)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := nb.Score(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	naiveBayes := naive.NewBernoulliNBClassifier()
	for i, want := range predict(view{train: train, rows: rows, limits: nb.limit},
		view{train: blind, rows: all, limits: nb.limit}, naiveBayes) {
		if scores[i] > 0.5 != want {
			t.Errorf("row %d: probability %v, golearn says %v", i, scores[i], want)
		}
	}
}
