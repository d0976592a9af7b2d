package hypothesis

import (
	"math"

	"plumbline/numeric/stat"
)

// MannWhitney is the two-sided test of whether a value of group 0 is as likely to be above one of group 1 as below it.
// The statistic is U of group 0: the pairs in which it is above, ties counting half. P is the normal approximation with
// corrections for ties and for continuity.
func MannWhitney(s *Sample) Result {
	a, b := s.N(0), s.N(1)
	if a == 0 || b == 0 {
		return undefined
	}
	u, below, ties := 0.0, 0.0, 0.0
	for i := range s.Values {
		x, y := s.Counts[0][i], s.Counts[1][i]
		u += float64(x * (below + y/2))
		below += y
		t := x + y
		ties += float64(t * (t - 1) * (t + 1))
	}
	n := a + b
	sd := math.Sqrt(a * b / 12 * ((n + 1) - ties/(n*(n-1))))
	if !(sd > 0) {
		return Result{Statistic: u, LogP: math.NaN()}
	}
	z := max(0, math.Abs(u-float64(a*b)/2)-0.5) / sd
	return Result{Statistic: u, LogP: stat.LogNormalTails(z)}
}

// Above is the probability that a value of group 1 is above one of group 0, ties counting half: the AUROC of the values
// as a score of group 1. The interval is that of DeLong's variance on the logit scale.
func Above(s *Sample) Effect {
	a, b := s.N(0), s.N(1)
	if a == 0 || b == 0 {
		return Effect{math.NaN(), math.NaN(), math.NaN()}
	}
	sum, below := 0.0, 0.0
	for i := range s.Values {
		sum += float64(s.Counts[1][i] * (below + s.Counts[0][i]/2))
		below += s.Counts[0][i]
	}
	p := sum / (a * b)
	// the variance over the values of each group of the share of the other that they are above or below
	var va, vb, lower0, lower1 float64
	for i := range s.Values {
		x, y := s.Counts[0][i], s.Counts[1][i]
		d := (lower0+x/2)/a - p
		vb += float64(y * d * d)
		e := (b-lower1-y/2)/b - p
		va += float64(x * e * e)
		lower0, lower1 = lower0+x, lower1+y
	}
	se := math.Sqrt(va/max(1, a-1)/a + vb/max(1, b-1)/b)
	out := Effect{Value: p, Low: p, High: p}
	if p > 0 && p < 1 {
		logit, by := math.Log(p/(1-p)), z975*se/(p*(1-p))
		out.Low, out.High = stat.Logistic(logit-by), stat.Logistic(logit+by)
	}
	return out
}

// KruskalWallis is the test of whether the groups lie at the same ranks, with the correction for ties.
func KruskalWallis(s *Sample) Result {
	n, before, ties := 0.0, 0.0, 0.0
	sums, sizes := make([]float64, len(s.Counts)), make([]float64, len(s.Counts))
	for i := range s.Values {
		t := 0.0
		for g := range s.Counts {
			t += s.Counts[g][i]
		}
		rank := before + (t+1)/2
		for g := range s.Counts {
			sums[g] += float64(s.Counts[g][i] * rank)
			sizes[g] += s.Counts[g][i]
		}
		before += t
		ties += float64(t * (t - 1) * (t + 1))
	}
	n = before
	h, k := 0.0, 0.0
	for g, size := range sizes {
		if size > 0 {
			d := sums[g]/size - (n+1)/2
			h += float64(size * d * d)
			k++
		}
	}
	h *= 12 / (n * (n + 1))
	h /= 1 - ties/(n*(n-1)*(n+1))
	if k < 2 || math.IsNaN(h) || math.IsInf(h, 0) {
		return undefined
	}
	return Result{Statistic: h, DF: k - 1, LogP: stat.LogChiSquaredSurvival(h, k-1)}
}

// KolmogorovSmirnov is the two-sided test of whether groups 0 and 1 have one distribution. The statistic is the largest
// distance of the two; P is that of as many values as n₀n₁/(n₀+n₁), rounded, against a known distribution.
func KolmogorovSmirnov(s *Sample) Result {
	a, b := s.N(0), s.N(1)
	if a == 0 || b == 0 {
		return undefined
	}
	var x, y, d float64
	for i := range s.Values {
		x += s.Counts[0][i]
		y += s.Counts[1][i]
		d = max(d, math.Abs(x/a-y/b))
	}
	n := max(1, int(math.RoundToEven(a*b/(a+b))))
	return Result{Statistic: d, LogP: stat.LogKolmogorov(n, d)}
}
