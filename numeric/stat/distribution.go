package stat

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"plumbline/numeric/elementary"
)

// NormalCDF is the probability that a standard normal variable is at most x.
func NormalCDF(x float64) float64 { return distuv.UnitNormal.CDF(x) }

// NormalQuantile is what a standard normal variable is at most with probability p: −Inf for 0, +Inf for 1, NaN
// outside [0,1].
func NormalQuantile(p float64) float64 {
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	return distuv.UnitNormal.Quantile(p)
}

// StudentQuantile is the p quantile of Student's t with that many degrees of freedom, to eight digits. NaN for p
// outside (0,1) and for dof that are not positive.
func StudentQuantile(p, dof float64) float64 {
	if !(p > 0 && p < 1 && dof > 0) {
		return math.NaN()
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: dof}.Quantile(p)
}

// ChiSquaredSurvival is the probability that a chi-squared variable with that many degrees of freedom exceeds
// x. NaN for dof that are not positive.
func ChiSquaredSurvival(x, dof float64) float64 {
	switch {
	case math.IsNaN(x) || !(dof > 0):
		return math.NaN()
	case x <= 0:
		return 1
	}
	return distuv.ChiSquared{K: dof}.Survival(x)
}

// FSurvival is the probability that a variable of the F distribution with d1 and d2 degrees of freedom exceeds x. NaN
// for degrees that are not positive.
func FSurvival(x, d1, d2 float64) float64 {
	switch {
	case math.IsNaN(x) || !(d1 > 0 && d2 > 0):
		return math.NaN()
	case x <= 0:
		return 1
	case math.IsInf(x, 1):
		return 0
	}
	// distuv.F subtracts its CDF from 1, which leaves nothing of a small tail.
	return mathext.RegIncBeta(d2/2, d1/2, d2/(d2+float64(d1*x)))
}

// RangeQuantile is the p quantile of the range of k independent standard normal variables: the studentised
// range with infinite degrees of freedom. Good to 1e-9 for p in [.001, .9999] and k up to 1000; NaN for p outside
// (0,1) and k below 2.
func RangeQuantile(p float64, k int) float64 {
	if !(p > 0 && p < 1) || k < 2 {
		return math.NaN()
	}
	// P(range ≤ q) = k ∫ φ(z) (Φ(z) − Φ(z−q))^(k−1) dz. The trapezoid rule on a smooth integrand that vanishes
	// at both ends converges faster than any power of the step.
	cdf := func(q float64) float64 {
		const step = 0.01
		sum := 0.0
		for z := -8.0; z < 8; z += step {
			sum += float64(distuv.UnitNormal.Prob(z) * elementary.Pow(NormalCDF(z)-NormalCDF(z-q), float64(k-1)))
		}
		return float64(k) * sum * step
	}
	lo, hi := 0.0, 20.0
	for range 40 {
		if mid := (lo + hi) / 2; cdf(mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// Binomial draws how many of n trials succeed, each with probability p. The bits of src decide.
func Binomial(src rand.Source, n int, p float64) int {
	switch {
	case n <= 0 || !(p > 0):
		return 0
	case p >= 1:
		return n
	}
	return int(distuv.Binomial{N: float64(n), P: p, Src: src}.Rand())
}

// StudentTails is the probability that Student's t with that many degrees of freedom is at least as far from 0 as t;
// with infinitely many that of the normal distribution. NaN for dof that are not positive.
func StudentTails(t, dof float64) float64 {
	switch {
	case math.IsNaN(t) || !(dof > 0):
		return math.NaN()
	case math.IsInf(dof, 1):
		return 2 * NormalCDF(-math.Abs(t))
	case math.IsInf(t, 0):
		return 0
	}
	return mathext.RegIncBeta(dof/2, 0.5, dof/(dof+float64(t*t)))
}

// BinomialCDF is the probability of at most k successes in n trials of probability p in (0,1). NaN for p outside.
func BinomialCDF(k, n int, p float64) float64 {
	switch {
	case !(p > 0 && p < 1) || n < 0:
		return math.NaN()
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return mathext.RegIncBeta(float64(n-k), float64(k+1), 1-p)
}
