package sketch

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRanks: ranks are within the stated error of the values' own, whether values come one by one or many times, and
// the weights are those of all values.
func TestRanks(t *testing.T) {
	const n = 300_000
	rng := rand.New(rand.NewPCG(1, 2))
	beyond := 0
	for trial := range 6 {
		r := NewRanks(512, uint64(trial))
		var all []float64
		for len(all) < n {
			v := math.Exp(3 * rng.NormFloat64())
			times := 1
			if rng.IntN(100) == 0 {
				times = 1 + rng.IntN(300)
			}
			if times == 1 {
				r.Add(v)
			} else {
				r.AddTimes(v, uint64(times))
			}
			for range times {
				all = append(all, v)
			}
		}
		slices.Sort(all)
		values, counts := r.Values()
		sum, worst := 0.0, 0.0
		for i, v := range values {
			sum += counts[i]
			first, _ := slices.BinarySearch(all, v)
			last, _ := slices.BinarySearch(all, math.Nextafter(v, math.Inf(1)))
			off := max(sum-float64(last), float64(first)-sum)
			worst = max(worst, off/float64(len(all)))
		}
		if sum != float64(len(all)) || r.N != sum {
			t.Errorf("weights of %v values for %d", sum, len(all))
		}
		if worst > RankError(512) {
			beyond++
		}
		if len(values) > 4*512 {
			t.Errorf("%d values are held", len(values))
		}
	}
	if beyond > 1 {
		t.Errorf("the error is larger than stated in %d of 6 sketches", beyond)
	}
	a, b := NewRanks(64, 3), NewRanks(64, 3)
	for i := range 10_000 {
		a.Add(float64(i * 7 % 1000))
		b.Add(float64(i * 7 % 1000))
	}
	x, _ := a.Values()
	y, _ := b.Values()
	if !slices.Equal(x, y) {
		t.Error("the same values give other sketches")
	}
}

// TestDistinct: counts are within four standard errors.
func TestDistinct(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 200_000} {
		d := NewDistinct()
		for range 2 {
			for i := range n {
				d.Add(Mix(uint64(i)))
			}
		}
		if off := math.Abs(float64(d.Count() - n)); off > 4*DistinctError*float64(n) {
			t.Errorf("%d of %d", d.Count(), n)
		}
	}
}
