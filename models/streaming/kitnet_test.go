package streaming

import (
	"context"
	"fmt"
	"math"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestTiedGradient: a step goes down the gradient of the cross-entropy, by central differences.
func TestTiedGradient(t *testing.T) {
	v := []float64{0.1, 0.9, 0.4}
	entropy := func(a *tied) float64 {
		a.error(v)
		sum := 0.0
		for i, x := range v {
			sum -= x*math.Log(a.z[i]) + (1-x)*math.Log(1-a.z[i])
		}
		return sum
	}
	fresh := func() *tied {
		a := newTied(3, 0.75, models.Env{Seed: 2}.Rand("w"))
		for i := range a.c {
			a.c[i] = 0.3 * float64(i-1)
		}
		return a
	}
	stepped := fresh()
	const rate, h = 1e-3, 1e-6
	if before := stepped.learn(v, rate); math.Abs(before-fresh().error(v)) > 1e-15 {
		t.Errorf("error before the step %v, want %v", before, fresh().error(v))
	}
	parts := func(a *tied) [][]float64 { return [][]float64{a.w, a.b, a.c} }
	for p := range 3 {
		for i, now := range parts(stepped)[p] {
			up, down := fresh(), fresh()
			parts(up)[p][i] += h
			parts(down)[p][i] -= h
			want := -(entropy(up) - entropy(down)) / (2 * h)
			if got := (now - parts(fresh())[p][i]) / rate; math.Abs(got-want) > 1e-7 {
				t.Errorf("part %d, number %d: moved by %v, want %v", p, i, got, want)
			}
		}
	}
}

// TestGroupsByHand: columns 0, 2 and 4 go together, 1 and 3 do, the latter more closely; 5 is nearer to these.
func TestGroupsByHand(t *testing.T) {
	d := 6
	apart := make([]float64, d*d)
	for j := range d {
		for k := range d {
			switch {
			case j == k:
			case j%2 == 0 && k%2 == 0:
				apart[j*d+k] = 0.2
			case j%2 == 1 && k%2 == 1 && j < 5 && k < 5:
				apart[j*d+k] = 0.1
			case (j == 5 || k == 5) && (j%2 == 1 && k%2 == 1):
				apart[j*d+k] = 0.5
			default:
				apart[j*d+k] = 0.9
			}
		}
	}
	for size, want := range map[int]string{
		6: "[[0 1 2 3 4 5]]", 5: "[[0 2 4] [1 3 5]]", 3: "[[0 2 4] [1 3 5]]", 1: "[[0] [1] [2] [3] [4] [5]]",
	} {
		if got := fmt.Sprint(groupsOf(apart, d, size)); got != want {
			t.Errorf("groups of at most %d: %s, want %s", size, got, want)
		}
	}
	// Two: 5 leaves 1 and 3.
	if got := fmt.Sprint(groupsOf(apart, d, 2)); got != "[[0 2] [1 3] [4] [5]]" && got != "[[0] [1 3] [2 4] [5]]" {
		t.Errorf("groups of at most 2: %s", got)
	}
}

// TestKitNETOnTables: it tells attacks from benign rows where it has seen these alone, and more of the same does not
// undo it.
func TestKitNETOnTables(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		if p.Name != "cardio" && p.Name != "adbench-WBC" && p.Name != "ionosphere" {
			continue
		}
		var benign []int
		for i, attack := range p.Even.Attack {
			if !attack {
				benign = append(benign, i)
			}
		}
		train := p.Even.Subset(benign)
		det, err := (&KitNET{Group: 10, Hidden: 0.75, Rate: 0.1, Epochs: 1}).New(models.Env{})
		if err == nil {
			err = det.Fit(context.Background(), train)
		}
		if err != nil {
			t.Fatal(err)
		}
		auroc := func() float64 {
			scores, err := det.Score(context.Background(), p.Odd)
			if err != nil {
				t.Fatal(err)
			}
			return modeltest.AUROC(t, scores, p.Odd.Attack)
		}
		before := auroc()
		if err := det.(models.Updater).Update(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		after := auroc()
		t.Logf("%s: AUROC %.4f, after an update %.4f", p.Name, before, after)
		if before < 0.75 || after < before-0.1 {
			t.Errorf("%s: AUROC %.4f, after an update %.4f", p.Name, before, after)
		}
	}
}

// TestKitNETWorkers: the number of workers changes no bit.
func TestKitNETWorkers(t *testing.T) {
	r := models.Env{}.Rand("rows")
	s := &data.Set{Kind: data.Vectors, N: 400, D: 13}
	for range s.N * s.D {
		s.X = append(s.X, float32(r.NormFloat64()))
	}
	spec := &KitNET{Group: 4, Hidden: 0.75, Rate: 0.1, Epochs: 2}
	one := modeltest.FitScore(t, spec, models.Env{Workers: 1}, s, s)
	for i, v := range modeltest.FitScore(t, spec, models.Env{Workers: 3}, s, s) {
		if v != one[i] {
			t.Fatalf("row %d: %v with three workers, %v with one", i, v, one[i])
		}
	}
}
