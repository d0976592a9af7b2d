package autoencoder

import (
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/numeric/cluster"
)

func TestEpochFactor(t *testing.T) {
	for _, c := range []struct {
		n, rows, k int
		want       float64
	}{{50, 100, 2, 1}, {25, 100, 2, 2}, {5, 100, 2, 3}, {90, 100, 2, 1}} {
		if got := epochFactor(c.n, c.rows, c.k); got != c.want {
			t.Errorf("%d of %d rows, %d parts: %v, want %v", c.n, c.rows, c.k, got, c.want)
		}
	}
	s := defaultAE()
	s.Epochs, s.Schedule.Every = 50, 30
	longer := s.stretched(2.5).(*AESpec)
	if longer.Epochs != 125 || longer.Schedule.Every != 75 || s.Epochs != 50 {
		t.Errorf("%d epochs, falls after %d; before %d", longer.Epochs, longer.Schedule.Every, s.Epochs)
	}
}

func TestWithoutAPart(t *testing.T) {
	c, p := without([][]float32{{0}, {1}, {2}, {3}}, []int32{0, 1, 2, 1}, 1)
	if len(c) != 2 || c[0][0] != 0 || c[1][0] != 2 || !slices.Equal(p, []int32{0, 1}) {
		t.Errorf("centres %v of parts %v", c, p)
	}
}

// TestManyCentres: products of matrices find the centre that distances find, also among many that lie close
// together, far from zero, and where float32 overflows.
func TestManyCentres(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, scale := range []float64{1e-3, 1, 1e3, 1e18} {
		for _, shift := range []float64{0, 100} {
			draw := func(n int) []float32 {
				x := make([]float32, n*7)
				for i := range x {
					x[i] = float32(scale * (shift + r.NormFloat64()))
				}
				return x
			}
			var centres [][]float32
			flat := draw(300)
			for i := range 300 {
				centres = append(centres, flat[7*i:7*i+7])
			}
			centres = append(centres, centres[:40]...) // twins: the first wins
			x := append(draw(200), flat[:70]...)
			newManyCentres(centres).each(x, 0, 210, func(i, c int) {
				if want := cluster.Nearest(centres, x[7*i:7*i+7]); c != want {
					t.Errorf("scale %v, shift %v: row %d is nearest to %d, want %d", scale, shift, i, c, want)
				}
			})
		}
	}
}
