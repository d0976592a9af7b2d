package plot

import (
	"math"
	"strconv"
)

// Axis is a scale with its label.
type Axis struct {
	Label     string
	Low, High float64 // Low < High, and above 0 on a logarithmic axis
	Log       bool
	Percent   bool // values are shares, and written as per cent
}

// at is where a value stands between 0 and 1; values beyond the ends stand at the ends.
func (a Axis) at(v float64) float64 {
	lo, hi := a.Low, a.High
	if a.Log {
		lo, hi, v = math.Log(lo), math.Log(hi), math.Log(math.Max(v, a.Low))
	}
	return math.Min(1, math.Max(0, (v-lo)/(hi-lo)))
}

// ticks are round values of the axis, at most about n of them.
func (a Axis) ticks(n int) (out []float64) {
	if a.Log {
		first, last := math.Ceil(math.Log10(a.Low)-1e-9), math.Floor(math.Log10(a.High)+1e-9)
		every := math.Max(1, math.Ceil((last-first+1)/float64(n)))
		for e := first; e <= last; e += every {
			out = append(out, math.Pow(10, e))
		}
		return out
	}
	step := round((a.High - a.Low) / float64(n))
	for i := math.Ceil(a.Low/step - 1e-9); i*step <= a.High+1e-9*step; i++ {
		out = append(out, i*step+0) // no negative zero
	}
	return out
}

// round is the smallest of 1, 2, 2.5 and 5 times a power of ten that is no less than a step.
func round(step float64) float64 {
	if !(step > 0) || math.IsInf(step, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= step*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// write is a value as the axis writes it.
func (a Axis) write(v float64) string {
	if a.Percent {
		return strconv.FormatFloat(100*v, 'g', 6, 64) + " %"
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
