package automata

import (
	"errors"
	"math"
	"testing"

	"plumbline/models"
	"plumbline/models/automata/machine"
	"plumbline/models/modeltest"
)

// TestPDFAByHand: from ab and aa over {a, b, c}. Words so few leave two states: 0, left by a twice, and 1,
// left by a and by b once each into states too rare to be in the machine, so that the replay stays there.
func TestPDFAByHand(t *testing.T) {
	train := traces(3, []int32{0, 1}, []int32{0, 0})
	test := traces(3, []int32{0, 1}, []int32{2, 0}, nil)
	ln := math.Log
	for _, c := range []struct {
		name       string
		correction float64
		final      bool
		want       []float64
	}{
		// state 0: a (2+1)/(2+1+1), unseen 1/4; state 1: a and b (1+1)/(2+2+1), unseen 1/5; no word ends in either
		{"smoothed", 1, false, []float64{-(ln(0.75) + ln(0.4)) / 2, -(ln(0.25) + ln(0.75)) / 2, 0}},
		{"with the end", 1, true, []float64{-(ln(0.75) + ln(0.4) + ln(0.2)) / 2, -(ln(0.25) + ln(0.75) + ln(0.2)) / 2,
			-ln(0.25)}},
		{"next to nothing added", 0, false, []float64{-ln(0.5) / 2, -ln(0.5e-9) / 2, 0}},
	} {
		spec := &PDFASpec{LearnSpec: machine.Likelihood(), OnMissing: "remain", Aggregate: "mean"}
		// too few words for a second state
		spec.Correction, spec.FinalProb, spec.StateCount = c.correction, c.final, 100
		modeltest.Near(t, c.name, modeltest.FitScore(t, spec, models.Env{}, train, test), c.want, 1e-8)
	}
}

// TestPDFAWithoutProbabilities: evidence of labels learns no probabilities.
func TestPDFAWithoutProbabilities(t *testing.T) {
	spec := machine.Probable()
	spec.Heuristic = "edsm"
	pdfa := &PDFASpec{LearnSpec: spec, OnMissing: "remain", Aggregate: "mean"}
	if _, err := pdfa.New(models.Env{}); !errors.Is(err, models.ErrSpec) {
		t.Errorf("pdfa with edsm: %v", err)
	}
}
