package autoencoder

import "testing"

func TestEpochFactor(t *testing.T) {
	for _, c := range []struct {
		n, rows, k int
		want       float64
	}{{50, 100, 2, 1}, {25, 100, 2, 2}, {5, 100, 2, 3}, {90, 100, 2, 1}} {
		if got := epochFactor(c.n, c.rows, c.k); got != c.want {
			t.Errorf("%d of %d rows, %d clusters: %v, want %v", c.n, c.rows, c.k, got, c.want)
		}
	}
	s := defaultAE()
	s.Epochs, s.Schedule.Every = 50, 30
	longer := s.Rescaled(2.5).(*AESpec)
	if longer.Epochs != 125 || longer.Schedule.Every != 75 || s.Epochs != 50 {
		t.Errorf("%d epochs, falls after %d; before %d", longer.Epochs, longer.Schedule.Every, s.Epochs)
	}
}
