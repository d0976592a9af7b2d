package hypothesis

import (
	"math"
	"math/rand/v2"
)

// Simulated is the logarithm of the P value of independence by drawn tables with the margins of t: of those, and t
// itself, the share whose χ² is at least that of t. It is at least 1/(draws+1).
func Simulated(t Table, draws int, seed uint64) (logP float64) {
	rows, columns, n := t.margins()
	if positive(rows) < 2 || positive(columns) < 2 {
		return math.NaN()
	}
	rng := rand.New(rand.NewPCG(seed, 0x636869))
	observed := Independence(t).Statistic
	left := make([]float64, len(columns))
	beyond := 1
	for range draws {
		copy(left, columns)
		rest, x := n, 0.0
		for i := range t {
			from, need := rest, rows[i]
			for j := range left {
				o := need // what is left belongs to the last column
				if j < len(left)-1 {
					o = hypergeometric(rng, from, left[j], need)
				}
				from -= left[j]
				left[j] -= o
				need -= o
				if e := rows[i] * columns[j] / n; e > 0 {
					x += (o - e) * (o - e) / e
				}
			}
			rest -= rows[i]
		}
		if x >= observed*(1-1e-9) {
			beyond++
		}
	}
	return math.Log(float64(beyond) / float64(draws+1))
}

// hypergeometric draws how many of k taken from n without putting back are of the marked ones, by inversion from the
// mode outwards.
func hypergeometric(rng *rand.Rand, n, marked, k float64) float64 {
	low, high := max(0, k-(n-marked)), min(k, marked)
	if low >= high {
		return low
	}
	mode := min(max(math.Floor((k+1)*(marked+1)/(n+2)), low), high)
	p := math.Exp(logChoose(marked, mode) + logChoose(n-marked, k-mode) - logChoose(n, k))
	u := rng.Float64() - p
	if u < 0 {
		return mode
	}
	up, down, a, b := p, p, mode, mode
	for a < high || b > low {
		if a < high {
			up *= (marked - a) * (k - a) / ((a + 1) * (n - marked - k + a + 1))
			if a, u = a+1, u-float64(up); u < 0 {
				return a
			}
		}
		if b > low {
			down *= b * (n - marked - k + b) / ((marked - b + 1) * (k - b + 1))
			if b, u = b-1, u-float64(down); u < 0 {
				return b
			}
		}
		if up+down < 1e-18 {
			break
		}
	}
	return mode // what rounding left over
}
