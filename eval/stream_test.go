package eval

import (
	"errors"
	"math"
	"testing"
)

// TestAlong: seven units in three segments, by hand; a threshold flags what is above it.
func TestAlong(t *testing.T) {
	scores := []float64{1, 3, 2, 5, 4, 9, 0}
	attack := []bool{false, true, false, false, false, true, true}
	got, err := Along(scores, attack, 2.5, 3)
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	want := []Segment{{0, 3, 1, 1, 0, 1}, {3, 3, 1, 1, 1, 1}, {6, 1, 1, math.NaN(), math.NaN(), 0}}
	for i, w := range want {
		g := got[i]
		if g.First != w.First || g.Samples != w.Samples || g.Attacks != w.Attacks {
			t.Errorf("segment %d: %+v", i, g)
		}
		near(t, "AUROC", g.AUROC, w.AUROC, 0)
		near(t, "FPR", g.FPR, w.FPR, 0)
		near(t, "recall", g.Recall, w.Recall, 0)
	}
	if got, err = Along(scores, attack, math.NaN(), 1); err != nil || len(got) != 1 || !math.IsNaN(got[0].FPR) {
		t.Errorf("without a threshold: %+v, %v", got, err)
	}
	near(t, "AUROC of all", got[0].AUROC, 6.0/12, 1e-12)
	if _, err = Along(scores, attack[1:], 0, 2); !errors.Is(err, ErrScores) {
		t.Error("a label too few is taken")
	}
	if got, err = Along(nil, nil, 0, 2); err != nil || got != nil {
		t.Errorf("no scores: %+v, %v", got, err)
	}
}
