package eval

import (
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/numeric/stat"
)

// PairedBootstrap is the difference of a statistic of two detectors' rankings of the same samples, its percentile
// interval over resamples of the samples, and the P of no difference: attacks and benign samples are drawn apart, and
// each sample takes its two scores along (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, §13.3 and
// §16.4). P is twice the smaller share of resamples on either side of 0, counting the sample itself as one:
// it cannot fall below 2/(resamples+1). Resample k depends on seed and k alone. The samples are taken for independent.
// O(resamples · n).
func PairedBootstrap(
	a, b []float64, attack []bool, resamples int, seed uint64, statistic func(*Ranking) float64,
) (Difference, error) {
	ra, rb, d, err := rankedPair(a, b, attack, statistic)
	if err != nil {
		return d, err
	}
	if ra.P == 0 || ra.N == 0 || resamples < 2 {
		d.warn("%d attacks, %d benign samples and %d resamples: nothing to draw", ra.P, ra.N, resamples)
		return d, nil
	}
	var pos, neg []int32
	for i, yes := range attack {
		if yes {
			pos = append(pos, int32(i))
		} else {
			neg = append(neg, int32(i))
		}
	}
	one := Ranking{Score: ra.Score, Pos: make([]int32, len(ra.Pos)), Neg: make([]int32, len(ra.Neg)), P: ra.P, N: ra.N}
	two := Ranking{Score: rb.Score, Pos: make([]int32, len(rb.Pos)), Neg: make([]int32, len(rb.Neg)), P: rb.P, N: rb.N}
	values := make([]float64, 0, resamples)
	for k := range resamples {
		rng := rand.New(rand.NewPCG(seed, uint64(k)))
		clear(one.Pos)
		clear(one.Neg)
		clear(two.Pos)
		clear(two.Neg)
		for range pos {
			i := pos[rng.IntN(len(pos))]
			one.Pos[ra.group[i]]++
			two.Pos[rb.group[i]]++
		}
		for range neg {
			i := neg[rng.IntN(len(neg))]
			one.Neg[ra.group[i]]++
			two.Neg[rb.group[i]]++
		}
		if v := statistic(&one) - statistic(&two); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) < 2 || 20*(resamples-len(values)) > resamples {
		d.warn("the statistic is undefined in %d of %d resamples", resamples-len(values), resamples)
		return d, nil
	}
	slices.Sort(values)
	_, d.SE = stat.MeanSD(values)
	if values[0] == values[len(values)-1] {
		d.warn("the difference has no variance on these samples: its P and interval are undefined")
		return d, nil
	}
	d.Interval = Interval{stat.Quantile(values, 0.025), stat.Quantile(values, 0.975)}
	var below, above int
	for _, v := range values {
		if v <= 0 {
			below++
		}
		if v >= 0 {
			above++
		}
	}
	d.P = min(1, 2*float64(min(below, above)+1)/float64(len(values)+1))
	return d, nil
}

// Posterior is how probable it is that one detector is better than another by more than a region of practical
// equivalence (ROPE), worse by more than it, or neither.
type Posterior struct {
	Worse      float64 `json:"worse"`
	Equivalent float64 `json:"equivalent"`
	Better     float64 `json:"better"`
}

// BayesSignedRank is the Bayesian signed-rank test of differences over data sets (Benavoli, Corani, Mangili, Zaffalon
// and Ruggeri, A Bayesian Wilcoxon signed-rank test based on the Dirichlet process, ICML 2014; with the region of
// equivalence of Benavoli, Corani, Demšar and Zaffalon, Time for a Change, JMLR 2017, §4.2): the n differences and one
// of 0 with the weight of half an observation get random weights w of a Dirichlet distribution, and
//
//	θ_better = Σ_ij w_i w_j [d_i + d_j > 2 rope]      θ_worse likewise below −2 rope, a sum at the limit counting half
//
// Each probability is the share of the draws in which that region has the largest θ. Undefined differences are left
// out. O(draws · n²).
func BayesSignedRank(differences []float64, rope float64, draws int, seed uint64) Posterior {
	d := append([]float64{0}, finite(differences)...)
	if len(d) < 2 || draws < 1 || !(rope >= 0) {
		return Posterior{math.NaN(), math.NaN(), math.NaN()}
	}
	n := len(d)
	side := make([]float64, 2*n*n) // what a pair adds to better, then to worse
	for i, x := range d {
		for j, y := range d {
			side[i*n+j] = step(x+y, 2*rope)
			side[n*n+i*n+j] = step(-x-y, 2*rope)
		}
	}
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	w := make([]float64, n)
	var better, worse int
	for range draws {
		z := rng.NormFloat64()
		w[0] = z * z / 2 // a gamma variable of shape ½
		sum := w[0]
		for i := 1; i < n; i++ {
			w[i] = rng.ExpFloat64()
			sum += w[i]
		}
		var up, down float64
		for i := range n {
			var u, v float64
			for j := range n {
				u += float64(w[j] * side[i*n+j])
				v += float64(w[j] * side[n*n+i*n+j])
			}
			up += float64(w[i] * u)
			down += float64(w[i] * v)
		}
		up, down = up/(sum*sum), down/(sum*sum)
		switch rest := 1 - up - down; {
		case rope > 0 && rest >= up && rest > down:
		case up > down:
			better++
		default:
			worse++
		}
	}
	b, l := float64(better)/float64(draws), float64(worse)/float64(draws)
	return Posterior{Worse: l, Equivalent: max(0, 1-b-l), Better: b}
}

// step is 1 above a limit, ½ at it, else 0.
func step(x, limit float64) float64 {
	switch {
	case x > limit:
		return 1
	case x == limit:
		return 0.5
	}
	return 0
}
