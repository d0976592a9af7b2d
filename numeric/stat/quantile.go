package stat

import (
	"math"
	"math/bits"
	"slices"
)

// Quantile is the p quantile of ascending values, interpolated linearly between order statistics: with
// h = p·(n−1), i = ⌊h⌋ and w = h−i it is
//
//	(1−w)·x_i + w·x_{i+1}        i from 0
//
// the type 7 of Hyndman and Fan (Sample Quantiles in Statistical Packages, The American Statistician 1996), which is
// also numpy's and R's default. The result never leaves [x_i, x_{i+1}], where the sum alone can by a rounding, and
// does not overflow for values that lie further apart than the largest float64. NaN without values and for p outside
// [0,1].
func Quantile(ascending []float64, p float64) float64 {
	n := len(ascending)
	if n == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	h := float64(p * float64(n-1))
	i := int(h)
	if i >= n-1 {
		return ascending[n-1]
	}
	return between(ascending[i], ascending[i+1], h-float64(i))
}

// between is the point at the share w in [0,1) of the way from low to high.
func between(low, high, w float64) float64 {
	if low == high || w == 0 {
		return low + 0 // +0 for -0, as the sum below gives
	}
	return min(max(float64((1-w)*low)+float64(w*high), low), high)
}

// Select is Quantile for values in any order, in linear time. It reorders them.
func Select(values []float64, p float64) float64 {
	n := len(values)
	if n == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	i := int(p * float64(n-1))
	arrange(values, i)
	if i+1 < n { // the next order statistic is the least of those above
		next := i + 1
		for k := next + 1; k < n; k++ {
			if values[k] < values[next] {
				next = k
			}
		}
		values[i+1], values[next] = values[next], values[i+1]
	}
	return Quantile(values, p)
}

// arrange puts the value of rank k (from 0) at k, none larger before it and none smaller after it: Hoare's
// selection with three ways, so that repeated values cost nothing. Where pivots are bad for long it sorts.
func arrange(v []float64, k int) {
	for left := 2 * bits.Len(uint(len(v))); len(v) > 12 && left > 0; left-- {
		a, b, c := v[0], v[len(v)/2], v[len(v)-1]
		pivot := max(min(a, b), min(max(a, b), c))
		low, at, high := 0, 0, len(v)
		for at < high {
			switch x := v[at]; {
			case x < pivot:
				v[low], v[at] = x, v[low]
				low++
				at++
			case x > pivot:
				high--
				v[at], v[high] = v[high], x
			default:
				at++
			}
		}
		switch {
		case k < low:
			v = v[:low]
		case k >= high:
			v, k = v[high:], k-high
		default:
			return
		}
	}
	slices.Sort(v)
}
