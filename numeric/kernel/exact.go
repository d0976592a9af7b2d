package kernel

import "math"

// Multiply-adds with one rounding, as the vector instructions do them, and what is made of them. A product that a sum
// takes is converted explicitly: else the compiler may leave its rounding out on processors with scalar multiply-adds.

// fma is a·b + c rounded once.
func fma[T Real](a, b, c T) T {
	switch a := any(a).(type) {
	case float32:
		return T(fma32(a, float32(b), float32(c)))
	default:
		return T(math.FMA(float64(a.(float64)), float64(b), float64(c)))
	}
}

// lesser and greater are what MINPS and MAXPS make of a and b: b where they are equal or one is not a number.
func lesser[T Real](a, b T) T {
	if a < b {
		return a
	}
	return b
}

func greater[T Real](a, b T) T {
	if a > b {
		return a
	}
	return b
}

// tanh's numerator and denominator, from the highest power of x² down.
var (
	tanhTop = [...]float32{-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08,
		1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03}
	tanhBottom = [...]float32{1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03}
)

const tanhLimit = 7.90531110763549805

// TanhTerms is what [Tanh] computes: x·P(x²)/Q(x²) of x within ±limit, both polynomials from the highest power down,
// each step x·y + z rounded once.
func TanhTerms() (limit float32, top, bottom []float32) { return tanhLimit, tanhTop[:], tanhBottom[:] }

// tanh32 is tanh x as a rational function of degree 13/6, step for step that of the generator.
func tanh32(x float32) float32 {
	x = greater(lesser(x, tanhLimit), -tanhLimit)
	square := float32(x * x)
	p, q := tanhTop[0], tanhBottom[0]
	for _, c := range tanhTop[1:] {
		p = fma32(p, square, c)
	}
	for _, c := range tanhBottom[1:] {
		q = fma32(q, square, c)
	}
	return float32(x*p) / q
}

// sigmoid32 is 1/(1+e⁻ˣ) = (1 + tanh(x/2))/2.
func sigmoid32(x float32) float32 { return fma32(tanh32(float32(x*0.5)), 0.5, 0.5) }

// exp's polynomials, from the highest power down: of float32 minimax on [−ln 2/2, ln 2/2] (Cephes, expf), of float64
// Taylor's.
var (
	expSingle = [...]float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
		5.0000001201e-1, 1, 1}
	expDouble = [...]float64{1. / 6227020800, 1. / 479001600, 1. / 39916800, 1. / 3628800, 1. / 362880, 1. / 40320,
		1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1, 1}
)

// expNegative is eˣ for x at most 0, step for step that of the generator: below a limit it is that of the limit.
func expNegative[T Real](x T) T {
	if v, ok := any(x).(float32); ok {
		return T(expNegative32(v))
	}
	return T(expNegative64(float64(x)))
}

func expNegative32(x float32) float32 {
	const least, log2e, round, high, low = -86, 1.44269504088896340736, 3 << 22, 0.693359375, -2.12194440e-4
	x = greater(x, least)
	t := fma32(x, log2e, round) // the integer n of x = n·ln 2 + rest stands in its lowest bits
	n := t - round
	x = fma32(-high, n, x)
	x = fma32(-low, n, x)
	p := expSingle[0]
	for _, c := range expSingle[1:] {
		p = fma32(p, x, c)
	}
	return math.Float32frombits(math.Float32bits(p) + math.Float32bits(t)<<23)
}

func expNegative64(x float64) float64 {
	const least, log2e, round, high, low = -707, 1.44269504088896340736, 3 << 51,
		6.93147180369123816490e-01, 1.90821492927058770002e-10
	x = greater(x, least)
	t := math.FMA(x, log2e, round)
	n := t - round
	x = math.FMA(-high, n, x)
	x = math.FMA(-low, n, x)
	p := expDouble[0]
	for _, c := range expDouble[1:] {
		p = math.FMA(p, x, c)
	}
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(t)<<52)
}
