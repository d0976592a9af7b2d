package supervised

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
)

// TestBoostingTakesMissingValuesAndCategories: the probabilities of scikit-learn 1.2.1's HistGradientBoostingClassifier
// on rows of two numbers and two categories that lack values (testdata/boosting.py), to what its float32 gradients
// allow. Training without missing values is scored with them, and test rows have a category that training does not.
func TestBoostingTakesMissingValuesAndCategories(t *testing.T) {
	var r struct {
		Train, Test               []*float32
		Y                         []uint32
		Numbers, Categories, Full []float64
		Bins                      []float64
		Classes                   [][]float64
	}
	read(t, "boosting.json", &r)
	matrix := func(x []*float32, codes bool) *data.Set {
		s := &data.Set{Kind: data.Vectors, N: len(x) / 4, D: 4, Features: data.Quantities("a", "b", "c", "d")}
		for _, v := range x {
			if v == nil {
				s.X = append(s.X, float32(math.NaN()))
			} else {
				s.X = append(s.X, *v)
			}
		}
		if codes {
			s.Features[2].Kind, s.Features[3].Kind = data.Code, data.Code
		}
		return s
	}
	labelled := func(s *data.Set) *data.Set {
		s.Class, s.Classes = r.Y, []string{"benign", "a", "b"}
		for _, y := range r.Y {
			s.Attack = append(s.Attack, y > 0)
		}
		return s
	}
	numbers, train := labelled(matrix(r.Train, false)), labelled(matrix(r.Train, true))
	var full []int
	for i := range train.N {
		if !slices.ContainsFunc(train.Row(i), func(v float32) bool { return v != v }) {
			full = append(full, i)
		}
	}
	spec := Boosting{Common: defaultCommon(), Rounds: 15, Rate: 0.2, Leaves: 8, MinLeaf: 8, Bins: 255, Support: 10,
		Validation: 0.1}
	twenty, classes := spec, spec
	twenty.Bins, classes.Target = 20, "class"
	for _, c := range []struct {
		name  string
		spec  Boosting
		train *data.Set
		codes bool
		want  []float64
	}{
		{"numbers", spec, numbers, false, r.Numbers},
		{"categories", spec, train, true, r.Categories},
		{"training without missing values", spec, train.Subset(full), true, r.Full},
		{"20 bins", twenty, train, true, r.Bins},
		{"classes", classes, train, true, slices.Concat(r.Classes...)},
	} {
		det := fit(t, &c.spec, c.train)
		test := matrix(r.Test, c.codes)
		got := probabilities(t, det, test)
		var file bytes.Buffer
		if err := det.Save(&file); err != nil {
			t.Fatal(err)
		}
		again, err := c.spec.New(models.Env{})
		if err == nil {
			err = again.Load(&file)
		}
		if err != nil || !slices.Equal(probabilities(t, again, test), got) {
			t.Errorf("%s: other probabilities after it was saved, %v", c.name, err)
		}
		if c.spec.Target == "attack" {
			if got, err = det.Score(context.Background(), test); err != nil {
				t.Fatal(err)
			}
		}
		near(t, c.name, got, c.want, 2e-6)
	}
}
