package prep

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/numeric/cluster"
	"plumbline/numeric/stat"
)

// SymbolSpec turns one column into part of a symbol.
type SymbolSpec struct {
	// which column
	Column string `yaml:"column"`
	// numbers: how they become classes. Class limits at equal shares of the benign training values (quantile), the same
	// limits rounded up (percentile), at the powers of two (log2), or between the centres of a one-dimensional k-means;
	// frequency: frequent values are classes of their own, the others fall into quantiles; encode: values that stand
	// between the same values in their sequences are one class
	Kind string `yaml:"kind" jsonschema:"enum=quantile,enum=percentile,enum=log2,enum=kmeans,enum=frequency,enum=encode"`
	// numbers: how many classes (log2 needs none); 0: for kmeans, as many as the elbow of its sum of squares says, up
	// to 10; encode: values are first put into that many percentiles, 0: each value stands for itself
	Bins int `yaml:"bins" jsonschema:"minimum=0,maximum=1000"`
	// categories: only the most frequent keep a symbol of their own; 0: all; frequency: that many values do, 10 unless
	// given
	Top int `yaml:"top" jsonschema:"minimum=0"`
	// encode: how many classes; 0: 35, or 5 with bins
	Clusters int `yaml:"clusters" jsonschema:"minimum=0,maximum=1000"`
	// encode: columns that make a sequence, in which values are neighbours; none: the key of the traces
	Level []string `yaml:"level"`
}

// Forms are a column's name, or a map.
func (*SymbolSpec) Forms() []settings.Form {
	type plain SymbolSpec
	return []settings.Form{{}, {Keys: plain{}, Required: []string{"column"}}}
}

// UnmarshalSettings takes a column name or a map.
func (s *SymbolSpec) UnmarshalSettings(d settings.Node) settings.Problems {
	*s = SymbolSpec{Kind: "quantile", Bins: 5}
	if name, ok := d.Scalar(); ok {
		s.Column = name
		return nil
	}
	type plain SymbolSpec
	p := plain(*s)
	if kind, ok := d.Get("kind"); ok {
		switch name, _ := kind.Scalar(); name {
		case "percentile":
			p.Bins = 10
		case "frequency":
			p.Top = 10
		case "encode":
			p.Bins = 0
		}
	}
	ps := d.Decode(&p)
	*s = SymbolSpec(p)
	switch {
	case s.Column == "":
		ps = append(ps, d.Problem("names no column"))
	case s.Kind == "encode" && s.Bins == 1,
		s.Bins < 2 && s.Kind != "log2" && s.Kind != "encode" && (s.Kind != "kmeans" || s.Bins == 1):
		ps = append(ps, d.Problem("%d bins: want 2 or more, or 0 with kind kmeans or encode", s.Bins))
	case s.Kind != "encode" && (s.Clusters > 0 || len(s.Level) > 0):
		ps = append(ps, d.Problem("clusters and level go with kind encode"))
	case s.Clusters == 1:
		ps = append(ps, d.Problem("1 cluster: want 2 or more, or 0 for the usual number"))
	}
	return ps
}

// part is the fitted classes of one column.
type part struct {
	Column string    `json:"column"`
	Number bool      `json:"number"`
	Limits []float64 `json:"limits,omitempty"` // ascending; the class of v is the number of limits below v
	Levels []string  `json:"levels,omitempty"` // levels that keep their name
	// Values, of kind frequency, are the values that keep themselves, ascending; of kind encode, with no
	// Limits, those that have a code.
	Values []float64 `json:"values,omitempty"`
	// Codes, of kind encode, are the classes of Values, or of the classes that Limits make.
	Codes []int `json:"codes,omitempty"`
	Other int   `json:"other,omitempty"` // code of what was never seen
}

func (p *part) check() error {
	switch {
	case !slices.IsSorted(p.Limits) || !slices.IsSorted(p.Values):
		return errors.New("limits or values are not ascending")
	case p.Codes != nil && len(p.Codes) != max(len(p.Limits), len(p.Values)):
		return fmt.Errorf("%d codes for %d values", len(p.Codes), max(len(p.Limits), len(p.Values)))
	}
	return nil
}

// appendClass appends the text of a number's class.
func (p *part) appendClass(to []byte, v float64) []byte {
	switch {
	case p.Codes != nil:
		return strconv.AppendInt(to, int64(p.code(v)), 10)
	case p.Values != nil:
		if _, ok := slices.BinarySearch(p.Values, v); ok {
			return strconv.AppendFloat(append(to, '='), v, 'g', -1, 64)
		}
	}
	k, _ := slices.BinarySearch(p.Limits, v)
	return strconv.AppendInt(to, int64(k), 10)
}

// code is the class of a value under kind encode.
func (p *part) code(v float64) int {
	among := p.Limits
	if len(p.Values) > 0 {
		among = p.Values
	}
	k, ok := slices.BinarySearch(among, v)
	if k == len(among) || len(p.Values) > 0 && !ok {
		return p.Other
	}
	return p.Codes[k]
}

// fit learns the classes of a column from rows, which are events of the traces of ts.
func (s SymbolSpec) fit(t *data.Table, rows []int32, ts TraceSpec) (part, error) {
	p := part{Column: s.Column}
	c, err := t.Column(s.Column)
	if err != nil {
		return p, err
	}
	switch c.Type {
	case data.Number:
		p.Number = true
		var v []float64
		for _, r := range rows {
			if x := c.Num[r]; x == x {
				v = append(v, x+0) // −0 is 0
			}
		}
		slices.Sort(v)
		switch {
		case s.Kind == "encode":
			return p, s.encode(t, c, rows, v, ts, &p)
		case s.Kind == "frequency":
			p.Values, v = frequentValues(v, s.Top)
		}
		p.Limits = slices.Compact(s.limits(v))
	case data.Category, data.Address:
		if s.Kind == "frequency" || s.Kind == "encode" {
			return p, fmt.Errorf("column %s holds categories: kind %s is for numbers", s.Column, s.Kind)
		}
		p.Levels = topLevels(c, rows, s.Top)
	default:
		return p, fmt.Errorf("column %s of type %v cannot be part of a symbol", s.Column, c.Type)
	}
	return p, nil
}

// limits are the class limits for ascending values; a value belongs to the class of the number of limits
// below it.
func (s SymbolSpec) limits(v []float64) (out []float64) {
	switch {
	case len(v) == 0:
	case s.Kind == "log2":
		for limit := 0.0; limit < v[len(v)-1]; limit = max(1, 2*limit) {
			out = append(out, limit)
		}
	case s.Kind == "percentile":
		return percentiles(v, s.Bins)
	case s.Kind == "kmeans":
		centres := cluster.KMeans1D(v, s.Bins)
		for i := 1; i < len(centres); i++ {
			out = append(out, (centres[i-1]+centres[i])/2)
		}
	default:
		for k := 1; k < s.Bins; k++ {
			out = append(out, stat.Quantile(v, float64(k)/float64(s.Bins)))
		}
	}
	return out
}

// percentiles is the limits of n equal shares of ascending values, the largest value included, rounded up,
// as ENCODE and its PERCENTILE counterpart have them. The place of a limit is a fraction of whole numbers: in floating
// point 100·0.07 is a little more than 7, and what stands at 7 would be rounded up to the next whole number.
func percentiles(v []float64, n int) []float64 {
	out := make([]float64, n)
	for k := range out {
		at := (len(v) - 1) * (k + 1)
		limit := v[at/n]
		if rest := at % n; rest > 0 {
			limit += (v[at/n+1] - limit) * float64(rest) / float64(n)
		}
		if math.IsInf(limit, 0) { // values further apart than the largest number
			limit = stat.Quantile(v, float64(k+1)/float64(n))
		}
		out[k] = math.Ceil(limit)
	}
	return out
}

// frequentValues is the top most frequent of ascending values, ascending (the smaller one among equals), and
// all the others with their repetitions.
func frequentValues(v []float64, top int) (frequent, others []float64) {
	type count struct {
		v float64
		n int
	}
	var counts []count
	for i, x := range v {
		if i == 0 || x != v[i-1] {
			counts = append(counts, count{v: x})
		}
		counts[len(counts)-1].n++
	}
	slices.SortStableFunc(counts, func(a, b count) int { return b.n - a.n })
	for _, c := range counts[:min(top, len(counts))] {
		frequent = append(frequent, c.v)
	}
	slices.Sort(frequent)
	for _, x := range v {
		if _, ok := slices.BinarySearch(frequent, x); !ok {
			others = append(others, x)
		}
	}
	return frequent, others
}

// topLevels is the most frequent levels of the rows (all for top 0), sorted by name.
func topLevels(c *data.Column, rows []int32, top int) []string {
	n := make([]int, len(c.Levels))
	for _, r := range rows {
		if k := c.Code[r]; k != data.Missing {
			n[k]++
		}
	}
	var codes []int
	for k := range n {
		if n[k] > 0 {
			codes = append(codes, k)
		}
	}
	slices.SortFunc(codes, func(a, b int) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(c.Levels[a], c.Levels[b])
	})
	if top > 0 && len(codes) > top {
		codes = codes[:top]
	}
	out := make([]string, len(codes))
	for i, k := range codes {
		out[i] = c.Levels[k]
	}
	slices.Sort(out)
	return out
}
