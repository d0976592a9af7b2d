package classic

import (
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestCOPODBesidePyOD: PyOD's scores of rows that are passed to it one at a time, since its scores depend on the
// others of a call. Inputs are float32 here.
func TestCOPODBesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		scores := modeltest.FitScore(t, &COPOD{Tails: "columns"}, models.Env{}, p.Even, p.Odd)
		p.SameScores(t, "COPOD", "each_alone", scores, p.Odd.Attack, 1e-6)
	}
}

// TestLODABesidePyOD: with the bin that a value falls into, which PyOD misses.
func TestLODABesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		p.SameOverSeeds(t, "LODA_right_bin", &LODA{Projections: 100, Bins: 10})
	}
}
