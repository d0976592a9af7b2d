package stat

import (
	"math"
	"slices"
	"testing"
)

// FuzzQuantile: the quantile lies between the values' ends, selection gives the same bits, and infinities and odd p
// do no harm.
func FuzzQuantile(f *testing.F) {
	f.Add([]byte{1, 2, 3}, 0.5)
	f.Add([]byte{0, 255, 128, 7}, 0.999)
	f.Add([]byte{9}, math.NaN())
	f.Fuzz(func(t *testing.T, raw []byte, p float64) {
		v := make([]float64, len(raw))
		for i, b := range raw {
			v[i] = math.Ldexp(float64(int8(b)), 1020*int(b%3)-1020) // up to infinity
		}
		ascending := slices.Sorted(slices.Values(v))
		q := Quantile(ascending, p)
		if s := Select(v, p); s != q && !(math.IsNaN(s) && math.IsNaN(q)) {
			t.Fatalf("selected %v, sorted %v", s, q)
		}
		if len(v) == 0 || !(p >= 0 && p <= 1) {
			if !math.IsNaN(q) {
				t.Fatalf("the %v quantile of %d values is %v", p, len(v), q)
			}
			return
		}
		if math.IsNaN(q) && math.IsInf(ascending[0], -1) && math.IsInf(ascending[len(v)-1], 1) {
			return // between the two infinities
		}
		if !(q >= ascending[0] && q <= ascending[len(v)-1]) {
			t.Fatalf("the %v quantile of %v is %v", p, ascending, q)
		}
	})
}
