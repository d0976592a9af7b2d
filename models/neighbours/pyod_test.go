package neighbours

import (
	"context"
	"math"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/numeric/neighbour"
)

var all = models.Sample{Sample: "first"}

// within scores training rows by the others, as PyOD does with the rows to be scored.
func within(t *testing.T, fit func(s *data.Set) (judge, error), s *data.Set) []float64 {
	t.Helper()
	j, err := fit(s)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := learned{j, 2}.scores(context.Background(), s.X, 0)
	if err != nil {
		t.Fatal(err)
	}
	return scores
}

// TestCOFBesidePyOD: the chains of rows among themselves, of all of a table and of the odd ones.
func TestCOFBesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		for protocol, s := range map[string]*data.Set{"all": p.All, "odd": p.Odd} {
			scores := within(t, func(s *data.Set) (judge, error) {
				return fitCOF(context.Background(), COF{K: 20, Sample: all}, models.Env{}, s)
			}, s)
			tol := 1e-6
			switch p.Name { // Equal distances of whole numbers are not quite equal as float32 z-scores.
			case "adbench-WBC":
				tol = 2e-2
			case "letter", "ionosphere":
				tol = 5e-4
			}
			p.SameScores(t, "COF", protocol, scores, s.Attack, tol)
		}
	}
}

// TestSODBesidePyOD: PyOD's reference sets with the rule that the earlier of equals comes first. On adbench-WBC, which
// is of whole numbers, the lists of 20 neighbours tie themselves.
func TestSODBesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		if p.Name == "adbench-WBC" {
			continue
		}
		for protocol, s := range map[string]*data.Set{"all": p.All, "odd": p.Odd} {
			scores := within(t, func(s *data.Set) (judge, error) {
				return fitSOD(context.Background(), SOD{K: 20, Reference: 10, Alpha: 0.8, Sample: all}, models.Env{}, s)
			}, s)
			p.SameScores(t, "SOD_ties_low_index", protocol, scores, s.Attack, 1e-6)
		}
	}
}

// TestABODBesidePyOD: the odd rows by their neighbours among the even ones, of which PyOD keeps all. On adbench-WBC
// lists of neighbours tie.
func TestABODBesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		tol := 1e-6
		switch p.Name {
		case "adbench-WBC":
			tol = 2e-3
		case "cardio": // its largest scores are of rows so near to others that float32 rounds the distances
			tol = 5e-6
		}
		j := &abodState{10, neighbour.New(p.Even.X, p.Even.N, p.Even.D)}
		scores, err := learned{j, 2}.scores(context.Background(), p.Odd.X, -1)
		if err != nil {
			t.Fatal(err)
		}
		p.SameScores(t, "ABOD", "odd", scores, p.Odd.Attack, tol)
	}
}

// TestABODCopies: a pile of copies is one row, a row on the pile sees the others, and one far off sees all under nearly
// one angle.
func TestABODCopies(t *testing.T) {
	set := func(x ...float32) *data.Set { return &data.Set{Kind: data.Vectors, N: len(x) / 2, D: 2, X: x} }
	corners := []float32{0, 0, 2, 0, 0, 2, 2, 2}
	pile := append([]float32(nil), corners...)
	for range 20 {
		pile = append(pile, 0, 0)
	}
	rows := set(0, 0, 1, 1, 40, 40)
	env := models.Env{}
	want := modeltest.FitScore(t, &ABOD{K: 10, Sample: all}, env, set(corners...), rows)
	got := modeltest.FitScore(t, &ABOD{K: 10, Sample: all}, env, set(pile...), rows)
	if !slices.Equal(got, want) {
		t.Errorf("with copies %v, without %v", got, want)
	}
	// From (1,1) the corners are at (±1,±1): products −2 twice and 0 four times, over 2·2; so −½ twice and 0.
	if v := want[1]; math.Abs(v+1.0/18) > 1e-12 {
		t.Errorf("the middle of a square: %v, want −1/18", v)
	}
	if want[2] < -1e-9 || want[2] >= 0 || want[0] > want[2] {
		t.Errorf("scores %v", want)
	}
	// Fewer than three others: no variance.
	if v := modeltest.FitScore(t, &ABOD{K: 10, Sample: all}, env, set(0, 0, 2, 0), rows); slices.Max(v) != 0 ||
		slices.Min(v) != 0 {
		t.Errorf("two training rows: %v", v)
	}
}

func TestINNEBesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		p.SameOverSeeds(t, "INNE", &INNE{Samples: 200, MaxSamples: 8, Radius: "squared"})
	}
}

func TestKNNBesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		for detector, distance := range map[string]string{"KNN_largest": "largest", "KNN_mean": "mean",
			"KNN_median": "median"} {
			spec := &KNN{K: 5, Distance: distance, Sample: all}
			p.SameScores(t, detector, "odd", modeltest.FitScore(t, spec, models.Env{}, p.Even, p.Odd), p.Odd.Attack, 1e-6)
		}
	}
}

func TestLOFBesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		tol := 1e-6
		if p.Name == "adbench-WBC" || p.Name == "letter" {
			tol = 5e-3 // rows with ties at the k-th distance: which of them is taken is up to a tree
		}
		scores := modeltest.FitScore(t, &LOF{K: 20, Sample: all}, models.Env{}, p.Even, p.Odd)
		p.SameScores(t, "LOF", "odd", scores, p.Odd.Attack, tol)
	}
}
