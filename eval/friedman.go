package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/stat"
)

// Ranks is the outcome of [Friedman].
type Ranks struct {
	Mean       []float64 `json:"mean"` // mean rank of each detector, 1 is the best
	N          int       `json:"n"`    // blocks that it rests on
	ChiSquared float64   `json:"chi_squared"`
	P          float64   `json:"p"`
	F          float64   `json:"f"` // Iman and Davenport's less conservative statistic
	FP         float64   `json:"f_p"`
	CD         float64   `json:"critical_difference"` // Nemenyi's, at .05: mean ranks further apart differ
	Warnings   []string  `json:"warnings,omitempty"`
}

// Friedman asks whether k detectors differ over n data sets (or other blocks): value[i][j] is the metric of detector
// j on data set i, larger being better. Ranks are per data set, ties sharing theirs; blocks with an undefined value
// are left out with a warning. The recipe is that of Demšar, Statistical Comparisons of Classifiers over Multiple
// Data Sets, JMLR 2006, with chi-squared corrected for ties (as scipy.stats.friedmanchisquare). Rows of different
// lengths are ErrScores.
func Friedman(value [][]float64) (Ranks, error) {
	r := Ranks{ChiSquared: math.NaN(), P: math.NaN(), F: math.NaN(), FP: math.NaN(), CD: math.NaN()}
	var k int
	var ties float64
	for i, row := range value {
		if i == 0 {
			k = len(row)
			r.Mean = make([]float64, k)
		}
		if len(row) != k {
			return r, fmt.Errorf("%w: block %d has %d values, the first has %d", ErrScores, i, len(row), k)
		}
		if slices.ContainsFunc(row, math.IsNaN) {
			continue
		}
		r.N++
		ties += stat.TieSum(row)
		for j, rank := range stat.MidRanks(row) {
			r.Mean[j] += float64(k+1) - rank
		}
	}
	for j := range r.Mean {
		r.Mean[j] = ratio(r.Mean[j], float64(r.N))
	}
	if left := len(value) - r.N; left > 0 {
		r.warn("%d of %d blocks have an undefined value and are left out", left, len(value))
	}
	if r.N < 2 || k < 2 {
		r.warn("%d blocks of %d detectors: the Friedman test needs at least two of both", r.N, k)
		return r, nil
	}
	n, kf := float64(r.N), float64(k)
	sum := 0.0
	for _, m := range r.Mean {
		sum += float64((m - (kf+1)/2) * (m - (kf+1)/2))
	}
	chi := 12 * n / (kf * (kf + 1)) * sum
	r.ChiSquared = ratio(chi, 1-ties/(n*kf*(float64(kf*kf)-1)))
	if math.IsNaN(r.ChiSquared) {
		r.warn("all values are equal within every block: the Friedman test is undefined")
		return r, nil
	}
	r.P = stat.ChiSquaredSurvival(r.ChiSquared, kf-1)
	r.F, r.FP = math.Inf(1), 0
	if rest := float64(n*(kf-1)) - r.ChiSquared; rest > 1e-9 {
		r.F = (n - 1) * r.ChiSquared / rest
		r.FP = stat.FSurvival(r.F, kf-1, (kf-1)*(n-1))
	}
	r.CD = stat.RangeQuantile(0.95, k) / math.Sqrt2 * math.Sqrt(kf*(kf+1)/(6*n))
	if r.N < 10 {
		r.warn("%d blocks are few: the chi-squared approximation wants more than 10", r.N)
	}
	return r, nil
}

func (r *Ranks) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// Holm adjusts P values for being many: each stays comparable to the level that the whole family is to
// keep (Holm, A simple sequentially rejective multiple test procedure, 1979). NaN stay NaN and do not count.
func Holm(p []float64) []float64 {
	out := slices.Clone(p)
	var order []int
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	least := 0.0
	for k, i := range order {
		least = max(least, min(1, float64(len(order)-k)*p[i]))
		out[i] = least
	}
	return out
}
