package elementary

import "math"

// π/2 in three numbers, of which the first two have enough zeros at their end that n times them is exact for n below
// 2²⁰.
const (
	halfPiHigh   = 1.57079632673412561417e+00
	halfPiMiddle = 6.07710050630396597660e-11
	halfPiLow    = 2.02226624879595063154e-21
	reducible    = 1e6
)

// Cos is the cosine of x radians. Above a million it is the standard library's, whose last bits differ.
func Cos(x float64) float64 {
	if !(math.Abs(x) < reducible) {
		return math.Cos(x)
	}
	quarter, r, c := reduced(math.Abs(x))
	return turned(quarter+1, r, c)
}

// Sin is the sine of x radians, as Cos.
func Sin(x float64) float64 {
	if !(math.Abs(x) < reducible) {
		return math.Sin(x)
	}
	quarter, r, c := reduced(math.Abs(x))
	if v := turned(quarter, r, c); x >= 0 {
		return v
	} else {
		return -v
	}
}

// reduced is x ≥ 0 less the nearest multiple of π/2, in two numbers, and which multiple.
func reduced(x float64) (quarter int, r, c float64) {
	n := math.Round(float64(x * (2 / math.Pi)))
	a := x - float64(n*halfPiHigh) // exact
	b := float64(n * halfPiMiddle)
	high := a - b
	lost := (a - high) - b // exact: a is 0 or far above b's rounding
	low := float64(n*halfPiLow) - lost
	r = high - low
	return int(n), r, (high - r) - low
}

// turned is the sine of r + c + quarter·π/2, |r| at most about π/4, by Taylor's series.
func turned(quarter int, r, c float64) float64 {
	z := float64(r * r)
	var v float64
	if quarter%2 == 0 {
		p := -1./1307674368000 + float64(z*(1./355687428096000))
		for _, k := range [...]float64{1. / 6227020800, -1. / 39916800, 1. / 362880, -1. / 5040, 1. / 120, -1. / 6} {
			p = k + float64(z*p)
		}
		v = r + (c + float64(float64(z*r)*p))
	} else {
		p := 1./20922789888000 - float64(z*(1./6402373705728000))
		for _, k := range [...]float64{-1. / 87178291200, 1. / 479001600, -1. / 3628800, 1. / 40320, -1. / 720, 1. / 24} {
			p = k + float64(z*p)
		}
		half := 0.5 * z
		w := 1 - half
		v = w + (((1 - w) - half) + (float64(float64(z*z)*p) - float64(r*c)))
	}
	if quarter%4 >= 2 {
		return -v
	}
	return v
}
