package elementary

import "math"

// Log is the natural logarithm: −Inf of 0, not a number of what is below.
//
// x = m·2ᵉ with m in [√½, √2); with f = m − 1 and s = f/(2+f), log m = log (1+s)/(1−s) = 2(s + s³/3 + s⁵/5 + …), added
// to f − f²/2 in a form that keeps f exact.
func Log(x float64) float64 {
	switch {
	case x != x || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	m, n := split(x)
	f := m - 1
	s := f / (2 + f)
	z := float64(s * s)
	// 2 Σ z^k/(2k+1) from k = 1 on, |z| ≤ .0295
	w := float64(z * z)
	square := float64(w * w)
	a := 2./3 + float64(z*(2./5))
	b := 2./7 + float64(z*(2./9))
	c := 2./11 + float64(z*(2./13))
	d := 2./15 + float64(z*(2./17))
	g := 2./19 + float64(z*(2./21))
	a += float64(w * b)
	c += float64(w * d)
	r := float64(z * (a + float64(square*(c+float64(square*g)))))
	// s·(f + …) with 2s = f − s·f
	half := float64(float64(0.5*f) * f)
	return float64(n*ln2High) - ((half - (float64(s*(half+r)) + float64(n*ln2Low))) - f)
}

// Log1p is log(1+x), also near 0 (Kahan's way).
func Log1p(x float64) float64 {
	u := 1 + x
	if u == 1 || math.IsInf(x, 1) || x != x {
		return x
	}
	return Log(u) * (x / (u - 1))
}

// Log2 is the binary logarithm, of powers of two exactly.
func Log2(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return Log(x)
	}
	m, n := split(x)
	return float64(Log(m)*(1/math.Ln2)) + n
}

// split is m in [√½, √2) and n with x = m·2ⁿ, for x above 0.
func split(x float64) (m, n float64) {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		return 2 * m, float64(e - 1)
	}
	return m, float64(e)
}

// Log10 is the decimal logarithm.
func Log10(x float64) float64 { return Log2(x) * (math.Ln2 / math.Ln10) }
