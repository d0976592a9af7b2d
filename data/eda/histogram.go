package eda

import (
	"math"
	"strconv"
	"time"

	"plumbline/data"
	"plumbline/numeric/hypothesis"
)

// maxBins is how many bins a histogram has at most.
const maxBins = 512

// Histogram is rows in bins of equal width, of the values or, where these reach over too many orders of magnitude for
// 512 bins, of sign(x)·ln(1+|x|). The width is that of Freedman and Diaconis (1981), 2 IQR/n^⅓, or that of Scott where
// the quartiles are equal, 3.49 sd/n^⅓.
type Histogram struct {
	Log    bool      `json:"log,omitempty"`
	Edges  []float64 `json:"edges"` // in values, one more than bins
	Benign []float64 `json:"benign"`
	Attack []float64 `json:"attack"`
	Rule   string    `json:"rule"`
}

// signedLog is the scale of heavy tails: it grows strictly and keeps signs and zero.
func signedLog(v float64) float64 { return math.Copysign(math.Log1p(math.Abs(v)), v) }

func fromSignedLog(v float64) float64 { return math.Copysign(math.Expm1(math.Abs(v)), v) }

func histogram(s, all *hypothesis.Sample) *Histogram {
	if len(s.Values) == 0 {
		return nil
	}
	h := &Histogram{}
	low, high := s.Values[0], s.Values[len(s.Values)-1]
	width, rule := binWidth(all)
	h.Rule = rule
	if low == high {
		width = 1
	}
	if high > low && !((high-low)/width <= maxBins) {
		h.Log = true
		all = all.Map(signedLog)
		low, high = signedLog(low), signedLog(high)
		width, h.Rule = binWidth(all)
	} else if whole(s.Values) {
		width = max(1, math.Round(width)) // bins between whole numbers would be empty
		low, high = low-0.5, high+0.5
	}
	bins := 1
	if high > low && width > 0 {
		bins = int(min(maxBins, math.Ceil((high-low)/width-1e-9)))
	}
	bins = max(1, bins)
	h.Benign, h.Attack = make([]float64, bins), make([]float64, bins)
	step := (high - low) / float64(bins)
	if whole(s.Values) && !h.Log && bins < maxBins {
		step = width
	}
	for k := range bins + 1 {
		edge := low + float64(float64(k)*step)
		if h.Log {
			edge = min(max(fromSignedLog(edge), -math.MaxFloat64), math.MaxFloat64)
		}
		h.Edges = append(h.Edges, edge)
	}
	for i, v := range s.Values {
		if h.Log {
			v = signedLog(v)
		}
		k := 0
		if step > 0 {
			k = min(bins-1, max(0, int((v-low)/step)))
		}
		h.Benign[k] += s.Counts[0][i]
		h.Attack[k] += s.Counts[1][i]
	}
	return h
}

// binWidth is the width by the first rule that gives one; 0 where all values are equal.
func binWidth(all *hypothesis.Sample) (width float64, rule string) {
	root := math.Cbrt(all.N(0))
	if iqr := all.Quantile(0, 0.75) - all.Quantile(0, 0.25); iqr > 0 {
		return 2 * iqr / root, "Freedman–Diaconis"
	}
	return 3.49 * all.Moments(0).SD / root, "Scott"
}

func whole(v []float64) bool {
	for _, x := range v {
		if x != math.Trunc(x) {
			return false
		}
	}
	return true
}

// valueText is a value as a person reads it.
func valueText(kind data.ColumnType, v float64) string {
	if kind == data.Time {
		return time.Unix(int64(math.Floor(v)), int64((v-math.Floor(v))*1e9)).UTC().Format("2006-01-02 15:04:05.999")
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
