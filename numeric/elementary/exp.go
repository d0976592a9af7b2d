package elementary

import "math"

const (
	log2e = 1.44269504088896338700e+00
	// ln 2 in two numbers, the first with enough zeros at its end that n times it is exact
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
	// what ln 2 has beyond math.Ln2 as a float64
	ln2Rest = 2.3190468138462996e-17
)

// Exp is eˣ: +Inf above 709.78, 0 below −745.13.
func Exp(x float64) float64 {
	switch {
	case x != x || x > 709.782712893384:
		return x * math.Inf(1) // not a number stays so
	case x < -745.1332191019412:
		return 0
	}
	n := math.Round(float64(x * log2e))
	high := x - float64(n*ln2High)
	low := float64(n * ln2Low)
	r := high - low
	return scaled(r, (high-r)-low, int(n))
}

// Exp2 is 2ˣ, of whole numbers exactly.
func Exp2(x float64) float64 {
	switch {
	case x != x || x >= 1024:
		return x * math.Inf(1)
	case x < -1075:
		return 0
	}
	n := math.Round(x)
	t := x - n // exact
	r := float64(t * math.Ln2)
	return scaled(r, math.FMA(t, math.Ln2, -r)+float64(t*ln2Rest), int(n))
}

// scaled is e^(r+c)·2ⁿ with |r| at most about ln 2 / 2 and c far below its rounding: 1 + (r + (c + r²·p)), where p is
// Taylor's (e^r − 1 − r)/r², whose first missing term is below 2e-18 of the sum. Its terms are added in pairs, pairs of
// pairs and so on (Estrin's scheme), which wait less for each other than Horner's.
func scaled(r, c float64, n int) float64 {
	square := float64(r * r)
	fourth := float64(square * square)
	a := 1./2 + float64(r*(1./6))
	b := 1./24 + float64(r*(1./120))
	d := 1./720 + float64(r*(1./5040))
	e := 1./40320 + float64(r*(1./362880))
	f := 1./3628800 + float64(r*(1./39916800))
	g := 1./479001600 + float64(r*(1./6227020800))
	a += float64(b * square)
	d += float64(e * square)
	f += float64(g * square)
	p := a + float64(fourth*(d+float64(fourth*f)))
	y := 1 + (r + (c + float64(square*p)))
	// In two steps, of which only the last rounds, and only where the result is no normal number.
	if n < -1000 {
		return y * pow2(n+1000) * pow2(-1000)
	}
	if n > 1000 {
		return y * pow2(n-1000) * pow2(1000)
	}
	return y * pow2(n)
}

// pow2 is 2ⁿ with n from −1022 to 1023.
func pow2(n int) float64 { return math.Float64frombits(uint64(n+1023) << 52) }

// Expm1 is eˣ − 1, also near 0 (Kahan's way: the rounding of eˣ is undone by its own logarithm).
func Expm1(x float64) float64 {
	u := Exp(x)
	switch {
	case u == 1 || x != x:
		return x
	case u-1 == -1 || math.IsInf(u, 1):
		return u - 1
	}
	return (u - 1) * (x / Log(u))
}

// Tanh is the hyperbolic tangent.
func Tanh(x float64) float64 {
	if math.Abs(x) > 22 {
		return math.Copysign(1, x)
	}
	if math.Abs(x) > 0.35 { // 1 − 2/(…) loses no more than a bit
		return math.Copysign(1-2/(Exp(2*math.Abs(x))+1), x)
	}
	t := Expm1(2 * math.Abs(x))
	return math.Copysign(t/(t+2), x)
}

// Pow is xʸ for x ≥ 0: of whole y by multiplications, else e^(y·log x), which is off by about |y·log x| roundings.
func Pow(x, y float64) float64 {
	if y == math.Trunc(y) {
		return math.Pow(x, y)
	}
	return Exp(float64(y * Log(x)))
}
