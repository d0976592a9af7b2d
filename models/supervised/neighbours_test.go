package supervised

import (
	"context"
	"slices"
	"testing"
)

// TestNeighboursScikitLearn: probabilities of KNeighborsClassifier of scikit-learn 1.2.1 for three classes, by plain
// and by weighted votes; three rows are training rows themselves: testdata/neighbours.py.
func TestNeighboursScikitLearn(t *testing.T) {
	var f fixtures
	var r reference
	var want struct{ Uniform, Distance [][]float64 }
	read(t, "fixtures.json", &f)
	read(t, "reference.json", &r)
	read(t, "neighbours.json", &want)
	train, test := rows(f.Train, r.Y3), rows(slices.Concat(f.Test, f.Train[:3]), nil)
	common := Common{Target: "class", Weights: "none", Calibration: "none"}
	for how, p := range map[string][][]float64{"uniform": want.Uniform, "distance": want.Distance} {
		got := probabilities(t, fit(t, &Neighbours{common, 7, how}, train), test)
		near(t, how, got, slices.Concat(p...), 1e-9)
	}
}

// TestNeighboursByHand: of rows 0 and 4 (benign) and 1 (attack) in the first column, a row at 1.5 has the nearest
// attack at ½ and the nearest benign row at 1½; with k = 3 all vote, and balanced weights make the attack count twice.
func TestNeighboursByHand(t *testing.T) {
	train := rows([][]float64{{0, 9}, {4, 9}, {1, 9}}, []uint32{0, 0, 1})
	test := rows([][]float64{{1.5, 9}}, nil)
	for weights, want := range map[string]float64{"none": 1.0 / 3, "balanced": 0.5} {
		d := fit(t, &Neighbours{Common{"attack", weights, "none"}, 100, "uniform"}, train)
		got, err := d.Score(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		near(t, weights, got, []float64{want}, 1e-12)
		_, why, err := d.(explained).Explain(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "contributions", why[0], []float64{1.5*1.5 - 0.5*0.5, 0}, 1e-12)
	}
}
