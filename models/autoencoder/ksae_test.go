package autoencoder

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/numeric/cluster"
)

// TestCentresByHand: 0, 1 | 10, 12 have the centres ½ and 11, whichever rows they are begun with.
func TestCentresByHand(t *testing.T) {
	x := [][]float32{{0}, {10}, {1}, {12}}
	for seed := range uint64(20) {
		got, err := centresOf(context.Background(), x, 2, rand.New(rand.NewPCG(seed, 1)))
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b []float32) int { return int(a[0] - b[0]) })
		if len(got) != 2 || got[0][0] != 0.5 || got[1][0] != 11 {
			t.Errorf("seed %d: centres %v", seed, got)
		}
	}
	if got, err := centresOf(context.Background(), [][]float32{{3}, {3}, {3}}, 2,
		rand.New(rand.NewPCG(1, 1))); err != nil || len(got) != 1 {
		t.Errorf("equal rows: %v, %v", got, err)
	}
	if cluster.Nearest([][]float32{{0}, {2}}, []float32{1}) != 0 {
		t.Error("a tie does not go to the first")
	}
}
