package supervised

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"plumbline/data"
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
