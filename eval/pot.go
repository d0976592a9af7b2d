package eval

import (
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/stat"
)

// potLevel is the quantile above which scores are taken for the tail (Siffer et al. 2017, §4.3).
const potLevel = 0.98

// overThreshold is the value that a share q of the scores is above, by the peaks-over-threshold method: the
// m excesses y over the level t, the potLevel quantile of the n ascending scores, are fitted by a generalised Pareto
// distribution with shape γ and scale σ, whose quantile is
//
//	z = t + σ/γ · ((q·n/m)^−γ − 1)        γ = 0: t − σ ln(q·n/m)
//
// (Siffer, Fouque, Termier and Largouët, Anomaly Detection in Streams with Extreme Value Theory, KDD 2017,
// equation 1). Where q is no rarer than the tail itself, the ordinary quantile serves.
func overThreshold(s []float64, q float64) (float64, []string) {
	n := len(s)
	t, y := tail(s)
	m := len(y)
	switch {
	case m == 0:
		return t, []string{
			"no benign score is above the 98 % quantile: there is no tail to fit, the threshold is that quantile",
		}
	case q*float64(n) >= float64(m):
		return stat.Quantile(s, 1-q), []string{fmt.Sprintf(
			"pot with a share of %g does not reach into the tail: the threshold is the ordinary quantile", q)}
	}
	var warnings []string
	if m < FewRows {
		warnings = append(warnings, fmt.Sprintf("pot fits a tail to %d scores: take more benign validation samples", m))
	}
	threshold, _ := paretoQuantile(t, y, q, n, 0)
	return threshold, warnings
}

// tail is the level that scores of any order have their tail above, and the excesses over it.
func tail(scores []float64) (level float64, y []float64) {
	s := slices.Sorted(slices.Values(scores))
	level = stat.Quantile(s, potLevel)
	for i := len(s) - 1; i >= 0 && s[i] > level; i-- {
		y = append(y, s[i]-level)
	}
	return level, y
}

// paretoQuantile is the value that a share q of n scores is above, of which the excesses y are above the level t. near
// is as fitPareto has it; tau is where the fit came to lie.
func paretoQuantile(t float64, y []float64, q float64, n int, near float64) (value, tau float64) {
	shape, scale := fitPareto(y, near)
	r := q * float64(n) / float64(len(y))
	if shape == 0 {
		return t - float64(scale*math.Log(r)), 0
	}
	return t + float64(scale/shape*math.Expm1(-shape*math.Log(r))), shape / scale
}

// fitPareto is the maximum-likelihood shape γ in [−½, 5] and scale σ of a generalised Pareto distribution for
// positive excesses y. With τ = γ/σ the likelihood has one free parameter (Grimshaw, Computing maximum likelihood
// estimates for the generalized Pareto distribution, Technometrics 1993):
//
//	γ(τ) = mean ln(1 + τ y),  −ℓ(τ)/m = ln(γ(τ)/τ) + γ(τ) + 1        at τ = 0: ln(mean y) + 1
//
// Below γ = −½ the likelihood has no proper maximum, so the search keeps above. It covers all that is possible where
// near is 0, else what is about the τ of a fit to nearly the same excesses.
func fitPareto(y []float64, near float64) (shape, scale float64) {
	mean, largest := 0.0, 0.0
	for _, v := range y {
		mean += v / float64(len(y))
		largest = max(largest, v)
	}
	gamma := func(tau float64) float64 {
		sum := 0.0
		for _, v := range y {
			sum += math.Log1p(tau * v)
		}
		return sum / float64(len(y))
	}
	cost := func(tau float64) float64 {
		g := gamma(tau)
		if g < -0.5 || g > 5 || math.IsNaN(g) {
			return math.Inf(1)
		}
		if math.Abs(tau*largest) < 1e-9 {
			return math.Log(mean)
		}
		return math.Log(g/tau) + g
	}
	// A grid that is fine near both ends of what is possible, in units of 1/largest, then golden sections
	// around its best point.
	grid := []float64{0}
	for k := range 60 {
		e := math.Pow(10, -6+float64(k)/6) // 1e-6 … 4600
		if near != 0 {
			break
		}
		if e < 1 {
			grid = append(grid, -e, e-1)
		}
		grid = append(grid, e)
	}
	for _, times := range []float64{0.5, 0.7, 0.85, 0.95, 1.05, 1.2, 1.5, 2} {
		if near != 0 && near*times*largest > -1 {
			grid = append(grid, near*times*largest)
		}
	}
	best, least := 0.0, cost(0)
	for _, u := range grid {
		if c := cost(u / largest); c < least {
			best, least = u/largest, c
		}
	}
	lo, hi := best-float64(0.5*math.Abs(best))-1e-6/largest, best+float64(0.5*math.Abs(best))+1e-6/largest
	lo = max(lo, (-1+1e-9)/largest)
	const phi = 0.6180339887498949
	a, b := hi-float64(phi*(hi-lo)), lo+float64(phi*(hi-lo))
	atA, atB := cost(a), cost(b)
	for range 45 { // closer than rounding lets two costs be told apart
		if atA < atB {
			hi, b, atB = b, a, atA
			a = hi - float64(phi*(hi-lo))
			atA = cost(a)
		} else {
			lo, a, atA = a, b, atB
			b = lo + float64(phi*(hi-lo))
			atB = cost(b)
		}
	}
	if mid := (lo + hi) / 2; cost(mid) <= least {
		best = mid
	}
	if math.Abs(best*largest) < 1e-9 {
		return 0, mean
	}
	shape = gamma(best)
	return shape, shape / best
}
