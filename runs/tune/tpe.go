package tune

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// The tree-structured Parzen estimator of Bergstra and others (2011), one density for each key: trials are sorted into
// the good ones and the others, and of some values that are drawn from the density of the good ones the one is taken
// whose density is largest beside that of the others. Bandwidths and weights are those of Hyperopt and Optuna.
const (
	candidates = 24  // values drawn for each key
	goodShare  = 0.1 // of the trials that count as good, at most maxGood
	maxGood    = 25
)

// scored is a trial as a method sees it: where it stood and what it came to, higher better, NaN where it failed.
type scored struct {
	at    point
	value float64
}

// parzen is the next point after those that ended. Trials that failed count as the worst.
func parzen(dims []dimension, ended []scored, r *rand.Rand) point {
	var known []scored
	for _, s := range ended {
		if s.at != nil { // the settings of the file have no place in the space
			known = append(known, s)
		}
	}
	slices.SortStableFunc(known, func(a, b scored) int {
		switch na, nb := math.IsNaN(a.value), math.IsNaN(b.value); {
		case na || nb:
			return cmp.Compare(btoi(na), btoi(nb))
		}
		return cmp.Compare(b.value, a.value)
	})
	n := min(maxGood, int(math.Ceil(goodShare*float64(len(known)))))
	p := make(point, len(dims))
	for i := range dims {
		good, other := make([]float64, 0, n), make([]float64, 0, len(known)-n)
		for k, s := range known {
			if k < n {
				good = append(good, s.at[i])
			} else {
				other = append(other, s.at[i])
			}
		}
		if k := len(dims[i].choices); k > 0 {
			p[i] = choose(weights(good, k), weights(other, k), r)
		} else {
			p[i] = between(newMixture(good), newMixture(other), r)
		}
	}
	return p
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// weights is the smoothed share of each choice: a count of one beside those observed.
func weights(at []float64, k int) []float64 {
	w := make([]float64, k)
	for i := range w {
		w[i] = 1
	}
	for _, x := range at {
		w[int(x)]++
	}
	for i := range w {
		w[i] /= float64(len(at) + k)
	}
	return w
}

// choose draws choices by the weights of the good ones and takes that of the largest ratio.
func choose(good, other []float64, r *rand.Rand) float64 {
	best, at := math.Inf(-1), 0
	for range candidates {
		u, k := r.Float64(), 0
		for u -= good[0]; u >= 0 && k < len(good)-1; u -= good[k] {
			k++
		}
		if ratio := math.Log(good[k]) - math.Log(other[k]); ratio > best {
			best, at = ratio, k
		}
	}
	return float64(at)
}

// mixture is a density on [0, 1]: Gaussians of equal weight that end there, around what was observed and, for what was
// not, a wide one around the middle.
type mixture struct{ mean, sd []float64 }

// newMixture puts a Gaussian on each observation, as wide as the larger of the gaps to its neighbours, the ends among
// them, within bounds.
func newMixture(at []float64) mixture {
	const prior = 0.5
	m := mixture{mean: append(slices.Clone(at), prior)}
	order := slices.Sorted(slices.Values(m.mean))
	narrow := 1 / min(100, 1+float64(len(order)))
	for i, x := range m.mean {
		if i == len(at) {
			m.sd = append(m.sd, 1)
			break
		}
		k, _ := slices.BinarySearch(order, x)
		left, right := x, 1-x
		if k > 0 {
			left = x - order[k-1]
		}
		if k+1 < len(order) {
			right = order[k+1] - x
		}
		m.sd = append(m.sd, min(max(left, right, narrow), 1))
	}
	return m
}

// normal is the distribution function of the standard normal.
func normal(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// log is the logarithm of the density.
func (m mixture) log(x float64) float64 {
	sum := 0.0
	for i, mean := range m.mean {
		z := (x - mean) / m.sd[i]
		inside := normal((1-mean)/m.sd[i]) - normal(-mean/m.sd[i])
		sum += math.Exp(-z*z/2) / (m.sd[i] * math.Sqrt(2*math.Pi) * inside)
	}
	return math.Log(sum / float64(len(m.mean)))
}

// draw is a value of the density.
func (m mixture) draw(r *rand.Rand) float64 {
	i := r.IntN(len(m.mean))
	for {
		if x := m.mean[i] + m.sd[i]*r.NormFloat64(); x >= 0 && x <= 1 {
			return x
		}
	}
}

// between draws from the good density and takes the value of the largest ratio.
func between(good, other mixture, r *rand.Rand) (at float64) {
	best := math.Inf(-1)
	for range candidates {
		x := good.draw(r)
		if ratio := good.log(x) - other.log(x); ratio > best {
			best, at = ratio, x
		}
	}
	return at
}
