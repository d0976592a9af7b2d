package stat

import (
	"math"

	"plumbline/numeric/elementary"
)

// ChiSquaredQuantile is what a chi-squared variable with that many degrees of freedom is at most with probability p.
// NaN for p outside (0,1) and for degrees below 1. All processors give the same bits.
func ChiSquaredQuantile(p float64, dof int) float64 {
	if !(p > 0 && p < 1) || dof < 1 {
		return math.NaN()
	}
	low, high := 0.0, float64(dof)
	for chiSquaredCDF(high, dof) < p {
		high *= 2
	}
	for {
		middle := low + float64((high-low)/2)
		if middle <= low || middle >= high {
			return high
		}
		if chiSquaredCDF(middle, dof) < p {
			low = middle
		} else {
			high = middle
		}
	}
}

// chiSquaredCDF is the regularised incomplete gamma function P(dof/2, x/2), by its series where x is small and by 1
// minus its continued fraction elsewhere (Abramowitz and Stegun 6.5.29 and 6.5.31).
func chiSquaredCDF(x float64, dof int) float64 {
	if x <= 0 {
		return 0
	}
	a, z := float64(float64(dof)/2), float64(x/2)
	front := elementary.Exp(float64(a*elementary.Log(z)) - z - logGammaHalf(dof))
	if z < a+1 {
		term := 1 / a
		sum := term
		for k := 1; term > sum*1e-17; k++ {
			term = float64(term * (z / (a + float64(k))))
			sum += term
		}
		return float64(front * sum)
	}
	// 1/(z+1−a − 1(1−a)/(z+3−a − 2(2−a)/(z+5−a − …))) by Lentz's method
	const tiny = 1e-300
	b := z + 1 - a
	c, d := 1/tiny, 1/b
	fraction := d
	for k := 1; k < 100000; k++ {
		f := float64(float64(-k) * (float64(k) - a))
		b += 2
		if d = float64(f*d) + b; d == 0 {
			d = tiny
		}
		if c = b + f/c; c == 0 {
			c = tiny
		}
		d = 1 / d
		step := float64(c * d)
		fraction *= step
		if math.Abs(step-1) < 1e-16 {
			break
		}
	}
	return 1 - float64(front*fraction)
}

// logGammaHalf is log Γ(dof/2), from Γ(1) = 1 and Γ(½) = √π.
func logGammaHalf(dof int) (sum float64) {
	k := dof % 2
	if k == 1 {
		sum = elementary.Log(math.Pi) / 2
	} else {
		k = 2
	}
	for ; k < dof; k += 2 {
		sum += elementary.Log(float64(k) / 2)
	}
	return sum
}
