package eval

import (
	"fmt"
	"math"

	"plumbline/numeric/stat"
)

// Test is the outcome of a hypothesis test.
type Test struct {
	Statistic float64  `json:"statistic"`
	P         float64  `json:"p"` // two-sided
	N         int      `json:"n"` // pairs, or blocks, that it rests on
	Warnings  []string `json:"warnings,omitempty"`
}

// Wilcoxon is the signed-rank test of two detectors on the same data sets (or seeds): is a−b distributed around 0?
// The statistic is the smaller of the rank sums of positive and negative differences. Pairs that are equal or
// undefined are left out; equal sizes of difference share their mean rank. Up to 50 pairs P is exact, ties included;
// above, the normal approximation with correction for ties and none for continuity (as scipy.stats.wilcoxon). Both
// slices have one length, or it is ErrScores.
func Wilcoxon(a, b []float64) (Test, error) {
	if len(a) != len(b) {
		return Test{}, fmt.Errorf("%w: %d values against %d", ErrScores, len(a), len(b))
	}
	var d []float64
	for i := range a {
		if x := a[i] - b[i]; x != 0 && !math.IsNaN(x) && !math.IsInf(x, 0) {
			d = append(d, x)
		}
	}
	t := Test{N: len(d), Statistic: math.NaN(), P: math.NaN()}
	if t.N == 0 {
		t.Warnings = append(t.Warnings, "no pair differs: the signed-rank test is undefined")
		return t, nil
	}
	size := make([]float64, t.N)
	for i, x := range d {
		size[i] = math.Abs(x)
	}
	rank := stat.MidRanks(size)
	var plus, minus float64
	for i, x := range d {
		if x > 0 {
			plus += rank[i]
		} else {
			minus += rank[i]
		}
	}
	t.Statistic = min(plus, minus)
	if t.N <= 50 {
		t.P = signedRankTail(rank, t.Statistic)
	} else {
		n := float64(t.N)
		v := n*(n+1)*(2*n+1)/24 - stat.TieSum(size)/48
		t.P = min(1, 2*stat.NormalCDF((t.Statistic-n*(n+1)/4)/math.Sqrt(v)))
	}
	if least := math.Pow(2, 1-float64(t.N)); least > 0.05 {
		t.Warnings = append(t.Warnings, fmt.Sprintf("%d pairs that differ cannot give a P below %.3g", t.N, least))
	}
	return t, nil
}

// signedRankTail is the probability, over all signs of the ranks, that the smaller rank sum is at most w.
// Doubled mid-ranks are integers, so their sums are counted exactly (to rounding).
func signedRankTail(rank []float64, w float64) float64 {
	p := []float64{1} // p[s]: probability that the doubled positive ranks sum to s
	for _, r := range rank {
		k := int(2 * r)
		next := make([]float64, len(p)+k)
		for s, v := range p {
			next[s] += v / 2
			next[s+k] += v / 2
		}
		p = next
	}
	tail := 0.0
	for s := 0; s <= int(2*w); s++ {
		tail += p[s]
	}
	return min(1, 2*tail)
}
