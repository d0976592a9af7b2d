package classic

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Reference: math.Exp, itself within one unit in the last place.
func TestExpInPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := []float64{0, math.Copysign(0, -1), -1e-300, -1e-17, -math.Ln2, -math.Ln2 / 128, -707.999, -708.5, -1e300,
		math.Inf(-1)}
	for range 200_000 {
		x = append(x, -r.ExpFloat64()*20, -r.Float64()*708, -math.Exp(-40*r.Float64()))
	}
	got := append([]float64(nil), x...)
	expInPlace(got)
	var worst float64
	for i, v := range x {
		want := math.Exp(v)
		if v < -708 {
			want = 0
		}
		e := math.Abs(got[i] - want)
		if want > 0 {
			e /= want
		}
		if e > worst {
			worst = e
		}
		if e > 6e-16 {
			t.Fatalf("exp(%v) = %v, want %v (relative error %g)", v, got[i], want, e)
		}
	}
	t.Logf("largest relative error %.2g", worst)
}

func BenchmarkExpInPlace(b *testing.B) {
	x := make([]float64, 128)
	for b.Loop() {
		for i := range x {
			x[i] = -float64(i) / 11
		}
		expInPlace(x)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/128*1e9, "ns/value")
}
