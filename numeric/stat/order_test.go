package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRadix sorts long slices as comparison does: both signs, equal values, zeros of both signs, and subnormal ones.
func TestRadix(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 4))
	x := make([]float64, radixAbove+3000)
	for i := range x {
		switch r.IntN(5) {
		case 0:
			x[i] = float64(r.IntN(7)) - 3
		case 1:
			x[i] = math.Copysign(0, float64(r.IntN(2))-0.5)
		case 2:
			x[i] = float64(r.IntN(5)-2) * math.SmallestNonzeroFloat64
		default:
			x[i] = r.NormFloat64() * math.Exp(40*r.NormFloat64())
		}
	}
	want := make([]int32, len(x))
	for i := range want {
		want[i] = int32(i)
	}
	slices.SortStableFunc(want, func(i, j int32) int {
		switch {
		case x[i] > x[j]:
			return -1
		case x[i] < x[j]:
			return 1
		}
		return 0
	})
	if got := Descending(x); !slices.Equal(got, want) {
		t.Error("the order differs from that of comparisons")
	}
}
