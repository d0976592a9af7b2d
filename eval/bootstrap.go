package eval

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"

	"plumbline/numeric/parallel"
	"plumbline/numeric/stat"
)

// Bootstrap is the percentile intervals of AUROC and average precision over resamples of the test
// samples, as [Ranking.BootstrapOf].
func (r *Ranking) Bootstrap(resamples int, seed uint64) (auroc, ap Interval) {
	i := r.BootstrapOf(resamples, seed, (*Ranking).ROCAUC, (*Ranking).AveragePrecision)
	return i[0], i[1]
}

// BootstrapOf is the percentile interval of each statistic over resamples of the test samples, attacks and
// benign samples drawn apart so that the prevalence stays (Efron and Tibshirani, An Introduction to the
// Bootstrap, 1993, §13.3). It says how much the value owes to the choice of test samples, nothing of what
// another training seed would give. Samples are taken as independent: for correlated flows it is too narrow.
//
// A statistic is called from several goroutines with rankings in which some groups may be empty. Resample k
// depends on seed and k alone, so neither the number of processors nor the other statistics change a bit.
// Undefined values of a statistic are left out; with more than one in twenty, or with a class absent, there
// is no interval. O(resamples · n), the scores are sorted once.
func (r *Ranking) BootstrapOf(resamples int, seed uint64, stats ...func(*Ranking) float64) []Interval {
	if resamples < 2 || r.P == 0 || r.N == 0 {
		return slices.Repeat([]Interval{noInterval}, len(stats))
	}
	pos, neg := members(r.Pos, r.P), members(r.Neg, r.N)
	return r.bootstrap(resamples, seed, func(rng *rand.PCG, to *Ranking) {
		drawSamples(rng, to.Pos, pos)
		drawSamples(rng, to.Neg, neg)
	}, stats...)
}

// bootstrap is BootstrapOf for a ranking with attacks and benign samples. draw replaces the counts of a ranking with
// those of a resample.
func (r *Ranking) bootstrap(
	resamples int, seed uint64, draw func(rng *rand.PCG, to *Ranking), stats ...func(*Ranking) float64,
) []Interval {
	out := slices.Repeat([]Interval{noInterval}, len(stats))
	values := make([][]float64, len(stats))
	for s := range values {
		values[s] = make([]float64, resamples)
	}
	var next atomic.Int64
	var wg parallel.Group
	for range min(resamples, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			b := Ranking{Score: r.Score, Pos: make([]int32, len(r.Pos)), Neg: make([]int32, len(r.Neg)), P: r.P, N: r.N}
			for k := int(next.Add(1)) - 1; k < resamples; k = int(next.Add(1)) - 1 {
				rng := rand.NewPCG(seed, uint64(k))
				draw(rng, &b)
				for s, of := range stats {
					values[s][k] = of(&b)
				}
			}
		})
	}
	wg.Wait()
	for s := range stats {
		v := slices.DeleteFunc(values[s], math.IsNaN)
		if len(v) >= 2 && 20*(resamples-len(v)) <= resamples {
			slices.Sort(v)
			out[s] = Interval{stat.Quantile(v, 0.025), stat.Quantile(v, 0.975)}
		}
	}
	return out
}

// members is the group of each of n samples, given the size of each group.
func members(size []int32, n int) []int32 {
	out := make([]int32, 0, n)
	for g, k := range size {
		for range k {
			out = append(out, int32(g))
		}
	}
	return out
}

// drawSamples takes len(of) samples with replacement and counts them by group.
func drawSamples(rng *rand.PCG, count []int32, of []int32) {
	clear(count)
	n := uint64(len(of))
	// Two indices from each 64 random bits: the high half of a product of 32-bit numbers (Lemire, Fast
	// random integer generation in an interval, 2019) without its rejection, whose bias of n/2³² in an
	// index's probability is far below the resampling error.
	for k := len(of); k > 0; k -= 2 {
		bits := rng.Uint64()
		count[of[bits>>32*n>>32]]++
		if k > 1 {
			count[of[bits&math.MaxUint32*n>>32]]++
		}
	}
}
