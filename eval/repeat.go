package eval

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Repeats is one metric over repeated runs (seeds).
type Repeats struct {
	N        int
	Mean, SD float64  // sample sd, NaN for one run
	Interval Interval // 95 % interval of the mean (Student's t), NaN for one run
	Warnings []string
}

// fewSeeds is the number of repetitions below which an interval is hardly worth its name.
const fewSeeds = 5

// Repeat summarises the finite values; the others count as missing.
func Repeat(values []float64) Repeats {
	var v []float64
	for _, x := range values {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			v = append(v, x)
		}
	}
	r := Repeats{N: len(v), Interval: Interval{math.NaN(), math.NaN()}}
	r.Mean, r.SD = MeanSD(v)
	if len(v) >= 2 {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(v) - 1)}.Quantile(0.975)
		half := t * r.SD / math.Sqrt(float64(len(v)))
		r.Interval = Interval{r.Mean - half, r.Mean + half}
	}
	if len(v) > 1 && len(v) < fewSeeds {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d repetitions are few: take %d or more", len(v), fewSeeds))
	}
	return r
}
