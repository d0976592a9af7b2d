package eval

import (
	"sync/atomic"
	"testing"

	"plumbline/numeric/parallel"
)

// TestPanicOfAResample: what panics on a goroutine of the bootstrap comes out where it was called, where it can be
// caught.
func TestPanicOfAResample(t *testing.T) {
	r, err := Rank([]float64{1, 2, 3, 4, 5, 6}, []bool{false, true, false, true, false, true})
	if err != nil {
		t.Fatal(err)
	}
	var drawn atomic.Int32
	p := parallel.Catch(func() {
		r.BootstrapOf(100, 1, func(*Ranking) float64 {
			if drawn.Add(1) == 50 {
				panic("a hole in a statistic")
			}
			return 0.5
		})
	})
	if p == nil || p.Value != "a hole in a statistic" || drawn.Load() < 50 {
		t.Errorf("caught %v after %d resamples", p, drawn.Load())
	}
}
