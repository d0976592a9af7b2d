package eval

import (
	"math"

	"plumbline/numeric/stat"
)

// Interval is a 95 % interval. Both ends are NaN when there is none.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

var noInterval = Interval{math.NaN(), math.NaN()}

// Defined says whether there is an interval.
func (i Interval) Defined() bool { return !math.IsNaN(i.Low) }

// Range is the values that a quantity can take: [0,1] for a rate, [−1,1] for a correlation, [0,∞) for a time.
// An end without limit is infinite.
type Range struct{ Low, High float64 }

// Ranges of metrics.
var (
	Share    = Range{0, 1}
	Signed   = Range{-1, 1}
	Positive = Range{0, math.Inf(1)}
	Anything = Range{math.Inf(-1), math.Inf(1)}
)

// around is the interval that reaches half to either side of an estimate on the scale where the range has no
// ends, and so never leaves it: with u = (x−Low)/(High−Low) and the delta method
//
//	logit u ± half / ((High−Low) u (1−u))        two finite ends
//	ln(x−Low) ± half / (x−Low)                   one: Low; likewise for High
//	x ± half                                     none
//
// half being a quantile times the standard error of the estimate itself, so that for small errors all four are the
// usual interval (Agresti, Categorical Data Analysis, 3rd edition 2013, §16.1 for the delta method). It is that of
// the estimate, which stands inside, not of a mean of logits, which is another quantity. An estimate at an end of its
// range has no such scale: the interval is the end alone when half is 0 and undefined otherwise. An estimate outside
// the range gets the plain one.
func (r Range) around(x, half float64) Interval {
	switch low, high := !math.IsInf(r.Low, -1), !math.IsInf(r.High, 1); {
	case math.IsNaN(x) || math.IsNaN(half):
		return noInterval
	case half == 0:
		return Interval{x, x}
	case x < r.Low || x > r.High || !low && !high:
		return Interval{x - half, x + half}
	case x == r.Low || x == r.High:
		return noInterval
	case low && high:
		width := r.High - r.Low
		u := (x - r.Low) / width
		step := half / (width * u * (1 - u))
		// logit⁻¹(logit u ± s) = u / (u + (1−u) e^∓s)
		at := func(s float64) float64 { return r.Low + float64(width*(u/(u+float64((1-u)*math.Exp(-s))))) }
		return Interval{max(at(-step), r.Low), min(at(step), r.High)}
	case low:
		d := x - r.Low
		return Interval{r.Low + float64(d*math.Exp(-half/d)), r.Low + float64(d*math.Exp(half/d))}
	default:
		d := r.High - x
		return Interval{r.High - float64(d*math.Exp(half/d)), r.High - float64(d*math.Exp(-half/d))}
	}
}

// z975 is the .975 quantile of the standard normal distribution.
var z975 = stat.NormalQuantile(0.975)
