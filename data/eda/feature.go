package eda

import (
	"cmp"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/data/audit"
	"plumbline/eval"
	"plumbline/numeric/hypothesis"
	"plumbline/numeric/stat"
)

// Number is a float64 that is null in JSON where it is undefined.
type Number = eval.Number

// Quantiles are the shares of which a [Summary] has the quantiles.
var Quantiles = [9]float64{0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1}

// Feature is one column. Of categories and addresses only the levels are known, of times no moments.
type Feature struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	N        int    `json:"n"` // rows with a value
	Missing  int    `json:"missing"`
	Distinct int    `json:"distinct"`
	// RankError is by how much the ranks of quantiles and shares of a column that did not fit the memory are off, as a
	// share of the rows, in 99 of 100 cases; its distinct values are then good to 0.8 %. 0: all is exact.
	RankError float64    `json:"rank_error,omitempty"`
	All       *Summary   `json:"all,omitempty"`
	Benign    *Summary   `json:"benign,omitempty"` // with labels
	Attack    *Summary   `json:"attack,omitempty"`
	Histogram *Histogram `json:"histogram,omitempty"`
	Top       []Level    `json:"top"` // the commonest values
	Outliers  *Outliers  `json:"outliers,omitempty"`
	AUROC     Number     `json:"auroc"` // of the column alone, in the better direction; null without labels
	Cut       Number     `json:"cut"`   // best balanced accuracy of one cut
	Higher    bool       `json:"attacks_higher,omitempty"`
	V         Number     `json:"cramers_v"`            // of a category with the label
	Drift     Number     `json:"drift"`                // the largest stability index of a day beside those before
	Days      []Number   `json:"drift_days,omitempty"` // of each day
	Moved     *Moved     `json:"moved,omitempty"`      // beside the other data set

	column *column
}

// Summary is moments and quantiles of numbers.
type Summary struct {
	N         float64   `json:"n"`
	Mean      Number    `json:"mean"`
	SD        Number    `json:"sd"` // divisor n−1
	Skewness  Number    `json:"skewness"`
	Kurtosis  Number    `json:"kurtosis"` // excess
	Zeros     float64   `json:"zeros"`
	Negative  float64   `json:"negative"`
	Quantiles [9]Number `json:"quantiles"` // of Quantiles
}

// Level is a value with its rows.
type Level struct {
	Text   string `json:"value"`
	Benign int    `json:"benign"` // all rows where there are no labels
	Attack int    `json:"attack"`
}

// Outliers is how many rows lie outside.
type Outliers struct {
	Low        Number `json:"fence_low"` // Q1 − 1.5 IQR
	High       Number `json:"fence_high"`
	Fences     int    `json:"beyond_fences"`
	FencesBy   [2]int `json:"beyond_fences_by_label"`
	Deviations int    `json:"beyond_3_sd"`
	ByLabel    [2]int `json:"beyond_3_sd_by_label"`
}

const topLevels = 10

// sample is the values of the column with their rows by label.
func (c *column) sample() *hypothesis.Sample {
	if c.streamed != nil {
		return c.streamed.result
	}
	s := &hypothesis.Sample{Values: make([]float64, len(c.order)), Counts: [][]float64{make([]float64, len(c.order)),
		make([]float64, len(c.order))}}
	for i, code := range c.order {
		s.Values[i] = c.values[code]
		for side := range 2 {
			s.Counts[side][i] = float64(c.counts[code][side])
		}
	}
	return s
}

// together is a sample of both labels as one group.
func together(s *hypothesis.Sample) *hypothesis.Sample {
	all := make([]float64, len(s.Values))
	for i := range all {
		all[i] = s.Counts[0][i] + s.Counts[1][i]
	}
	return &hypothesis.Sample{Values: s.Values, Counts: [][]float64{all}}
}

// feature describes a column.
func (c *column) feature(labelled bool) *Feature {
	nan := Number(math.NaN())
	f := &Feature{Name: c.name, Type: c.kind.String(), AUROC: nan, Cut: nan, V: nan, Drift: nan, column: c}
	if c.streamed != nil {
		c.streamed.count(f)
	} else {
		f.Missing, f.Distinct = int(c.counts[0][0]+c.counts[0][1]), len(c.order)
		for _, n := range c.counts[1:] {
			f.N += int(n[0]) + int(n[1])
		}
	}
	f.Top = c.top()
	if !c.numeric() {
		c.describeLevels(f, labelled)
		return f
	}
	s := c.sample()
	all := together(s)
	if c.kind == data.Number {
		f.All = summary(all, 0)
		if labelled {
			f.Benign, f.Attack = summary(s, 0), summary(s, 1)
		}
		if c.streamed != nil {
			c.streamed.correct(f, labelled)
		}
		f.Outliers = outliers(s, f.All)
	}
	f.Histogram = histogram(s, all)
	if labelled && f.N > 0 {
		values, counts := s.Values, s.Counts
		if f.Missing > 0 && c.streamed == nil { // missing is a value that may tell
			values = append([]float64{math.Inf(-1)}, values...)
			counts = [][]float64{append([]float64{float64(c.counts[0][0])}, counts[0]...),
				append([]float64{float64(c.counts[0][1])}, counts[1]...)}
		}
		auroc, cut := audit.Alone(values, counts[0], counts[1])
		f.AUROC, f.Cut = Number(auroc), Number(cut)
		f.Higher = hypothesis.Above(s).Value > 0.5
	}
	return f
}

// describeLevels says what a category tells of the label.
func (c *column) describeLevels(f *Feature, labelled bool) {
	if !labelled || f.N == 0 {
		return
	}
	var benign, attacks []float64
	var table hypothesis.Table
	for _, n := range c.counts {
		benign, attacks = append(benign, float64(n[0])), append(attacks, float64(n[1]))
		table = append(table, []float64{float64(n[0]), float64(n[1])})
	}
	auroc, cut := audit.Alone(nil, benign, attacks)
	f.AUROC, f.Cut = Number(auroc), Number(cut)
	f.V = Number(hypothesis.Independence(table).V)
}

func summary(s *hypothesis.Sample, group int) *Summary {
	m := s.Moments(group)
	out := &Summary{N: m.N, Mean: Number(m.Mean), SD: Number(m.SD), Skewness: Number(m.Skewness),
		Kurtosis: Number(m.Kurtosis)}
	for i, v := range s.Values {
		n := s.Counts[group][i]
		if v < 0 {
			out.Negative += n
		}
		if v == 0 {
			out.Zeros += n
		}
	}
	for k, q := range quantiles(s, group) {
		out.Quantiles[k] = Number(q)
	}
	return out
}

// quantiles are those of Quantiles, in one pass.
func quantiles(s *hypothesis.Sample, group int) (out [9]float64) {
	n := s.N(group)
	for k := range out {
		out[k] = math.NaN()
	}
	if n == 0 {
		return out
	}
	// order statistics around h = p(n−1), as stat.Quantile has them
	below, k := 0.0, 0
	var left [9]float64
	for k := range left {
		left[k] = math.NaN()
	}
	for i, v := range s.Values {
		c := s.Counts[group][i]
		if c == 0 {
			continue
		}
		below += c
		for j := k; j < 9; j++ {
			h := float64(Quantiles[j] * (n - 1))
			low := math.Floor(h)
			if below <= low {
				break
			}
			if math.IsNaN(left[j]) {
				left[j] = v
			}
			if h == low || below > low+1 {
				out[j] = stat.Quantile([]float64{left[j], v}, h-low)
				if h == low {
					out[j] = left[j]
				}
				k = j + 1
			}
		}
	}
	return out
}

func outliers(s *hypothesis.Sample, all *Summary) *Outliers {
	q1, q3 := float64(all.Quantiles[3]), float64(all.Quantiles[5])
	low, high := q1-float64(1.5*(q3-q1)), q3+float64(1.5*(q3-q1))
	out := &Outliers{Low: Number(low), High: Number(high)}
	mean, sd := float64(all.Mean), float64(all.SD)
	for i, v := range s.Values {
		for side := range 2 {
			n := int(s.Counts[side][i])
			if v < low || v > high {
				out.FencesBy[side] += n
			}
			if math.Abs(v-mean) > 3*sd {
				out.ByLabel[side] += n
			}
		}
	}
	out.Fences, out.Deviations = out.FencesBy[0]+out.FencesBy[1], out.ByLabel[0]+out.ByLabel[1]
	return out
}

// top is the commonest values. Of numbers that did not fit it is those of the sketch that stand for most.
func (c *column) top() []Level {
	out := []Level{}
	if c.streamed != nil && c.streamed.numeric {
		return out
	}
	order := slices.Clone(c.order)
	slices.SortStableFunc(order, func(a, b uint32) int {
		return cmp.Compare(uint64(c.counts[b][0])+uint64(c.counts[b][1]), uint64(c.counts[a][0])+uint64(c.counts[a][1]))
	})
	for _, code := range order[:min(len(order), topLevels)] {
		out = append(out, Level{c.levelText(code), int(c.counts[code][0]), int(c.counts[code][1])})
	}
	return out
}

// levelText is a value as text.
func (c *column) levelText(code uint32) string {
	if !c.numeric() {
		return c.texts[code]
	}
	return valueText(c.kind, c.values[code])
}

// count is the rows and different values of a column that did not fit.
func (s *streamed) count(f *Feature) {
	f.Missing, f.Distinct = int(s.missing[0]+s.missing[1]), s.distinct.Count()
	f.N = int(s.others[0] + s.others[1])
	for _, n := range s.counts {
		f.N += int(n[0] + n[1])
	}
	if s.numeric {
		f.N = int(s.moments[0].n + s.moments[1].n)
		f.RankError = rankError
	}
}

// correct puts the moments in that were taken of all values.
func (s *streamed) correct(f *Feature, labelled bool) {
	put := func(to *Summary, r running) {
		m := r.moments()
		to.N, to.Mean, to.SD = m.N, Number(m.Mean), Number(m.SD)
		to.Skewness, to.Kurtosis = Number(m.Skewness), Number(m.Kurtosis)
		if r.n > 0 {
			to.Quantiles[0], to.Quantiles[8] = Number(r.low), Number(r.high)
		}
	}
	put(f.All, merged(s.moments[0], s.moments[1]))
	if labelled {
		put(f.Benign, s.moments[0])
		put(f.Attack, s.moments[1])
	}
}
