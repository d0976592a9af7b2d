package eval

import (
	"fmt"
	"math"

	"plumbline/numeric/stat"
)

// Repeats is one metric over repeated runs: seeds on one split, or folds.
type Repeats struct {
	N        int      `json:"n"`        // what the interval rests on: seeds with a value, or folds
	Over     string   `json:"over"`     // "seeds" or "folds"
	Missing  int      `json:"missing"`  // undefined values (NaN), left out
	Mean     float64  `json:"mean"`     // over seeds; over the folds' means where there are folds
	SD       float64  `json:"sd"`       // sample sd of what the mean is over, NaN for N = 1
	Interval Interval `json:"interval"` // 95 % interval of the mean
	Warnings []string `json:"warnings,omitempty"`
}

// fewSeeds is the number of repetitions below which an interval is hardly worth its name: with 5 it is
// already 1.24 sd to either side of the mean, with 2 it is 9 sd.
const fewSeeds = 5

// Repeat summarises the finite values of one metric over seeds; the others count as missing. The interval takes the
// repetitions for independent draws: it is Student's t, on the scale where the metric's range has no ends, so that it
// stays in the range (see docs/results.md for its coverage). It speaks of other seeds on the same data, not of
// other data. One value, or values that are all equal, have none.
func Repeat(values []float64, in Range) Repeats {
	v := finite(values)
	r := Repeats{N: len(v), Over: "seeds", Missing: len(values) - len(v)}
	r.summarise(v, 0, in)
	return r
}

// Repetition is one metric's value in one cell.
type Repetition struct {
	Fold  string // "" where the split has no folds
	Value float64
}

// Pool summarises one metric over folds and seeds: within each fold the finite values are averaged over seeds, and
// the folds' means are what the mean, sd and interval are over. Seeds within a fold share its training and test rows,
// so that they are no further evidence on other data. Folds share rows too: the variance of their mean is taken as
//
//	(1/J + overlap) s²        J folds whose means have the sample variance s²
//
// with the test rows over the training rows of one fold as the overlap (Nadeau and Bengio, Inference for the
// Generalization Error, Machine Learning 2003, equation 9), 1/(k−1) for k folds, and Student's t has J−1 degrees of
// freedom. An overlap that is not known (NaN, or negative) leaves the interval undefined. With one fold or
// none it is [Repeat] over the values.
func Pool(cells []Repetition, overlap float64, in Range) Repeats {
	var names []string
	of := map[string][]float64{}
	for _, c := range cells {
		if _, ok := of[c.Fold]; !ok {
			names = append(names, c.Fold)
		}
		of[c.Fold] = append(of[c.Fold], c.Value)
	}
	if len(names) < 2 {
		return Repeat(of[firstOf(names)], in)
	}
	r := Repeats{Over: "folds"}
	var means []float64
	for _, name := range names {
		v := finite(of[name])
		r.Missing += len(of[name]) - len(v)
		if len(v) > 0 {
			means = append(means, stat.Mean(v))
		}
	}
	r.N = len(means)
	if !(overlap >= 0) {
		overlap = math.NaN()
	}
	r.summarise(means, overlap, in)
	return r
}

func firstOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// summarise fills in mean, sd, interval and doubts, given N, Over and Missing.
func (r *Repeats) summarise(v []float64, overlap float64, in Range) {
	r.Interval = noInterval
	r.Mean, r.SD = stat.MeanSD(v)
	n := float64(len(v))
	switch {
	case len(v) < 2:
	case equal(v):
		r.Mean, r.SD = v[0], 0
		r.warn("all %d %s are equal: they show no spread that an interval could rest on", len(v), r.Over)
	case math.IsNaN(overlap):
		r.warn("the folds' share of test rows is not known: no interval")
	default:
		half := stat.StudentQuantile(0.975, n-1) * r.SD * math.Sqrt(1/n+overlap)
		r.Interval = in.around(r.Mean, half)
	}
	if r.Missing > 0 {
		r.warn("%d of %d values are undefined and left out", r.Missing, r.Missing+len(v))
	}
	if len(v) > 1 && len(v) < fewSeeds {
		r.warn("%d %s are few: take %d or more", len(v), r.Over, fewSeeds)
	}
}

func (r *Repeats) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// finite is the values that are numbers.
func finite(values []float64) []float64 {
	var v []float64
	for _, x := range values {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			v = append(v, x)
		}
	}
	return v
}
