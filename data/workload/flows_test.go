package workload

import (
	"math"
	"testing"
)

// TestFlows: the sums of the table that other programs make.
func TestFlows(t *testing.T) {
	for stream, want := range map[uint64]struct {
		n   int
		sum float64
	}{1: {40340, 2.288895e12}, 2: {20781, 1.190912e12}} {
		sum := 0.0
		x := Flows(want.n, stream, Benign)
		for _, v := range x {
			sum += v
		}
		if len(x) != want.n*Columns || math.Abs(sum/want.sum-1) > 1e-6 {
			t.Errorf("stream %d: %d numbers that add up to %.7g, want %.7g", stream, len(x), sum, want.sum)
		}
	}
}
