package stat

import (
	"math"

	"plumbline/numeric/elementary"
)

// Softmax fills p with exp(f_c) / Σ exp(f), for values f of any size; p may be f.
func Softmax(f, p []float64) {
	top := math.Inf(-1)
	for _, v := range f {
		top = max(top, v)
	}
	sum := 0.0
	for c, v := range f {
		p[c] = elementary.Exp(v - top)
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
}

// Logistic is 1 / (1 + exp(−f)), for f of any size.
func Logistic(f float64) float64 {
	if f >= 0 {
		return 1 / (1 + elementary.Exp(-f))
	}
	e := elementary.Exp(f)
	return e / (1 + e)
}
