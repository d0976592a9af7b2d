//go:build cgo

package golearn

import (
	"errors"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestNeighbours: the class of most of the k nearest rows, by a search of every pair.
func TestNeighbours(t *testing.T) {
	train, test := square(200, 21), square(60, 22)
	const k = 5
	scores := modeltest.FitScore(t, &NeighboursSpec{K: k, Rows: 1000}, models.Env{Workers: 2}, train, test.Unlabelled())
	for i := range test.N {
		attacks, taken := 0, map[int]bool{}
		for range k {
			best, at := float32(0), -1
			for r := range train.N {
				a, b := train.X[2*r]-test.X[2*i], train.X[2*r+1]-test.X[2*i+1]
				if d := a*a + b*b; !taken[r] && (at < 0 || d < best) {
					best, at = d, r
				}
			}
			taken[at] = true
			if train.Attack[at] {
				attacks++
			}
		}
		if want := map[bool]float64{true: 1}[2*attacks > k]; scores[i] != want {
			t.Errorf("row %d: score %v, %d of %d neighbours are attacks", i, scores[i], attacks, k)
		}
	}
	if _, err := (&NeighboursSpec{K: 4, Rows: 10}).New(models.Env{}); !errors.Is(err, models.ErrSpec) {
		t.Errorf("an even number of neighbours: %v", err)
	}
}
