package stat

import (
	"math"
	"testing"
)

// TestLogTails: values of mpmath 1.2 with 40 digits; those of Kolmogorov of scipy 1.10.1's kstwo.
func TestLogTails(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
		within    float64
	}{
		{"t, small", LogStudentTails(2.5, 7), -3.19437302088174, 1e-12},
		{"t, near 0", LogStudentTails(-0.3, 3), -0.243648227638251, 1e-12},
		{"t, far", LogStudentTails(40, 12), -30.8877988329761, 1e-12},
		{"t, no float64", LogStudentTails(378.516799961, 125971), -47847.9064356172, 1e-12},
		{"t, Welch", LogStudentTails(1.9616, 58870.7), -2.99946367432938, 1e-11},
		{"t, millions", LogStudentTails(12, 4.5e6), -74.71635789847, 1e-11},
		{"t, P of almost 1", LogStudentTails(0.01, 1e5), -0.00801069277589847, 1e-9},
		{"F, of a t", LogFSurvival(4.43, 1, 125971), -3.34346210668646, 1e-11},
		{"F, no float64", LogFSurvival(143274.967853, 1, 125971), -47847.9064356837, 1e-12},
		{"F, P of almost 1", LogFSurvival(0.2, 5, 9), -0.0466182551764695, 1e-11},
		{"F", LogFSurvival(3.3, 4, 30), -3.74986073421567, 1e-12},
		{"χ², two degrees", LogChiSquaredSurvival(3.2, 2), -1.6, 1e-12},
		{"χ², no float64", LogChiSquaredSurvival(93240.0321352, 69), -46346.7115136059, 1e-12},
		{"χ², P of almost 1", LogChiSquaredSurvival(0.5, 10), -6.61173241848886e-6, 1e-9},
		{"χ², middle", LogChiSquaredSurvival(30, 30), -0.764313034956511, 1e-11},
		{"χ², many degrees", LogChiSquaredSurvival(2000, 1500), -37.384381330331, 1e-11},
		{"normal, near 0", LogNormalTails(0.1), -0.083007412170328, 1e-12},
		{"normal", LogNormalTails(-1.96), -2.99581647116969, 1e-12},
		{"normal, erfc", LogNormalTails(7), math.Log(math.Erfc(7 / math.Sqrt2)), 1e-12},
		{"normal, fraction", LogNormalTails(7.2), -28.1383103397619, 1e-12},
		{"normal, denormal", LogNormalTails(38.5), -745.002123109851, 1e-12},
		{"normal, no float64", LogNormalTails(215.383765984), -23200.6815590281, 1e-12},
		{"Kolmogorov, far", LogKolmogorov(31343, 0.0830036520671), -431.90475662344136, 1e-10},
		{"Kolmogorov, few", LogKolmogorov(10, 0.6), -7.473094816363168, 1e-10},
		{"Kolmogorov, 50", LogKolmogorov(50, 0.35), -12.097483116088549, 1e-10},
		{"Kolmogorov, exact", LogKolmogorov(200, 0.12), -5.159292982714004, 1e-6},
		{"Kolmogorov, limit", LogKolmogorov(500, 0.04), -0.9409654912611478, 1e-3},
		{"Kolmogorov, limit of few", LogKolmogorov(20, 0.2), -1.0420802456910956, 1e-2},
	} {
		if !(math.Abs(c.got-c.want) <= c.within*math.Abs(c.want)) {
			t.Errorf("%s: %.15g, want %.15g", c.name, c.got, c.want)
		}
	}
	for _, v := range []float64{
		LogStudentTails(math.NaN(), 3), LogStudentTails(1, 0), LogFSurvival(1, 0, 2), LogChiSquaredSurvival(1, -1),
		LogNormalTails(math.NaN()), LogKolmogorov(0, 0.1), LogKolmogorov(3, math.NaN()),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%v, want NaN", v)
		}
	}
	for _, v := range []float64{LogStudentTails(0, 3), LogFSurvival(0, 1, 2), LogChiSquaredSurvival(0, 1),
		LogKolmogorov(9, 0),
		LogNormalTails(0)} {
		if v != 0 {
			t.Errorf("%v, want 0", v)
		}
	}
	for _, v := range []float64{LogStudentTails(math.Inf(-1), 3), LogFSurvival(math.Inf(1), 1, 2), LogKolmogorov(9, 1),
		LogChiSquaredSurvival(math.Inf(1), 1), LogNormalTails(math.Inf(1))} {
		if !math.IsInf(v, -1) {
			t.Errorf("%v, want -Inf", v)
		}
	}
	if got := LogStudentTails(1.3, math.Inf(1)); got != LogNormalTails(1.3) {
		t.Error(got)
	}
}
