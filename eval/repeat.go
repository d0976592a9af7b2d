package eval

import (
	"fmt"
	"math"

	"plumbline/numeric/stat"
)

// Repeats is one metric over repeated runs (seeds).
type Repeats struct {
	N        int      `json:"n"`       // defined values
	Missing  int      `json:"missing"` // undefined ones (NaN), left out
	Mean     float64  `json:"mean"`
	SD       float64  `json:"sd"`       // sample sd, NaN for one run
	Interval Interval `json:"interval"` // 95 % interval of the mean (Student's t), NaN for one run
	Warnings []string `json:"warnings,omitempty"`
}

// fewSeeds is the number of repetitions below which an interval is hardly worth its name: with 5 it is
// already 1.24 sd to either side of the mean, with 2 it is 9 sd.
const fewSeeds = 5

// Repeat summarises the finite values; the others count as missing. The interval takes the repetitions for
// independent draws from a normal distribution: it speaks of other seeds on the same data, not of other data.
func Repeat(values []float64) Repeats {
	var v []float64
	for _, x := range values {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			v = append(v, x)
		}
	}
	r := Repeats{N: len(v), Missing: len(values) - len(v), Interval: noInterval}
	r.Mean, r.SD = stat.MeanSD(v)
	if len(v) >= 2 {
		t := stat.StudentQuantile(0.975, float64(len(v)-1))
		half := t * r.SD / math.Sqrt(float64(len(v)))
		r.Interval = Interval{r.Mean - half, r.Mean + half}
	}
	if r.Missing > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d of %d repetitions are undefined and left out", r.Missing, len(values)))
	}
	if len(v) > 1 && len(v) < fewSeeds {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d repetitions are few: take %d or more", len(v), fewSeeds))
	}
	return r
}
