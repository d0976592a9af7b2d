package eda

import (
	"math"
	"slices"
	"time"

	"plumbline/data"
)

const (
	courseBins = 512     // of a curve, at most
	heldBins   = 1 << 16 // while rows come
)

// course counts rows by time as they come: by seconds first, by wider bins where those become too many.
type course struct {
	width int64 // nanoseconds
	bins  map[int64]*[2]int
	last  int64
	at    *[2]int
	none  int // rows without a time
}

func newCourse() *course { return &course{width: int64(time.Second), bins: map[int64]*[2]int{}} }

func (c *course) add(nanos []int64, attack []bool) {
	for i, v := range nanos {
		if v == data.NoTime {
			c.none++
			continue
		}
		k := floorDiv(v, c.width)
		if k != c.last || c.at == nil {
			c.at = c.bins[k]
			if c.at == nil {
				if len(c.bins) >= heldBins {
					c.widen()
					k = floorDiv(v, c.width)
				}
				if c.at = c.bins[k]; c.at == nil {
					c.at = &[2]int{}
					c.bins[k] = c.at
				}
			}
			c.last = k
		}
		if attack != nil && attack[i] {
			c.at[1]++
		} else {
			c.at[0]++
		}
	}
}

func floorDiv(v, by int64) int64 {
	if v < 0 {
		return -((-v-1)/by + 1)
	}
	return v / by
}

// widen doubles the width of the bins.
func (c *course) widen() {
	c.width *= 2
	old := c.bins
	c.bins = make(map[int64]*[2]int, len(old))
	for k, n := range old {
		to := c.bins[floorDiv(k, 2)]
		if to == nil {
			to = &[2]int{}
			c.bins[floorDiv(k, 2)] = to
		}
		to[0], to[1] = to[0]+n[0], to[1]+n[1]
	}
}

// Course is rows over time in bins of equal width. Counts are of benign rows and of attacks, or of all rows in the
// first where there are no labels.
type Course struct {
	Column  string    `json:"column"`
	From    time.Time `json:"from"`
	Seconds float64   `json:"bin_seconds"`
	Benign  []int     `json:"benign"`
	Attack  []int     `json:"attack,omitempty"`
	Undated int       `json:"undated,omitempty"` // rows without a time
	// Autocorrelation of the counts of all rows by lag in bins, from lag 1.
	Autocorrelation []float64 `json:"autocorrelation,omitempty"`
	// Z is how far each count is from the mean of the counts before it, in their standard deviations: of the last
	// RollingBins, 0 where there are too few.
	Z           []float64 `json:"rolling_z,omitempty"`
	RollingBins int       `json:"rolling_bins,omitempty"`
	Period      int       `json:"period_bins,omitempty"` // the lag of the highest autocorrelation that repeats; 0: none
}

// course makes the curve: nil where no row has a time.
func (c *course) finish(name string, labelled bool) *Course {
	if len(c.bins) == 0 {
		return nil
	}
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for k := range c.bins {
		low, high = min(low, k), max(high, k)
	}
	by := roundStep((high-low)/(courseBins-1)+1, c.width)
	low = floorDiv(low, by) * by
	out := &Course{Column: name, From: time.Unix(0, low*c.width).UTC(), Seconds: float64(by) * float64(c.width) / 1e9,
		Undated: c.none, Benign: make([]int, (high-low)/by+1)}
	if labelled {
		out.Attack = make([]int, len(out.Benign))
	}
	all := make([]float64, len(out.Benign))
	for k, n := range c.bins {
		at := (k - low) / by
		out.Benign[at] += n[0]
		if labelled {
			out.Attack[at] += n[1]
		}
		all[at] += float64(n[0] + n[1])
	}
	out.Autocorrelation = autocorrelation(all, min(len(all)/2, 128))
	out.RollingBins = max(8, len(all)/20)
	out.Z = rollingZ(all, out.RollingBins)
	out.Period = period(out.Autocorrelation)
	return out
}

// roundSeconds are lengths of bins that people count in.
var roundSeconds = []int64{1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 14400, 21600,
	28800, 43200, 86400, 2 * 86400, 3 * 86400, 7 * 86400, 14 * 86400, 28 * 86400}

// roundStep is the shortest length, in bins of width nanoseconds, that is no shorter than least and is round.
func roundStep(least, width int64) int64 {
	for _, s := range roundSeconds {
		if s*int64(time.Second)%width == 0 && s*int64(time.Second)/width >= least {
			return s * int64(time.Second) / width
		}
	}
	return least
}

// autocorrelation is r_k = Σ (x_t−x̄)(x_{t+k}−x̄) / Σ (x_t−x̄)² for lags 1 to n; nil for counts that are all equal.
func autocorrelation(x []float64, n int) []float64 {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	all := 0.0
	for _, v := range x {
		all += float64((v - mean) * (v - mean))
	}
	if all == 0 {
		return nil
	}
	out := make([]float64, n)
	for k := range out {
		for t := 0; t+k+1 < len(x); t++ {
			out[k] += (x[t] - mean) * (x[t+k+1] - mean) / all
		}
	}
	return out
}

// period is the first lag at which the autocorrelation has a peak beyond ±2/√n-like noise after it fell; 0: none.
func period(r []float64) int {
	least, best := 0, 0
	for k := 1; k+1 < len(r); k++ {
		if r[k] < r[least] {
			least = k
		}
		if k > least && r[k] > 0.3 && r[k] >= r[k-1] && r[k] > r[k+1] && r[k]-r[least] > 0.3 &&
			(best == 0 || r[k] > r[best-1]) {
			best = k + 1
		}
	}
	return best
}

// rollingZ is the distance of each value from the mean of the n before it, in their standard deviations.
func rollingZ(x []float64, n int) []float64 {
	out := make([]float64, len(x))
	for t := n; t < len(x); t++ {
		before := x[t-n : t]
		mean, squares := 0.0, 0.0
		for _, v := range before {
			mean += v / float64(n)
		}
		for _, v := range before {
			squares += float64((v - mean) * (v - mean))
		}
		if sd := math.Sqrt(squares / float64(n-1)); sd > 0 {
			out[t] = (x[t] - mean) / sd
		}
	}
	if slices.Max(out) == 0 && slices.Min(out) == 0 {
		return nil
	}
	return out
}
