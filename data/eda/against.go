package eda

import (
	"math"
	"slices"

	"plumbline/data"
	"plumbline/numeric/hypothesis"
	"plumbline/numeric/stat"
)

// Moved is what changed of a column from one data set to another.
type Moved struct {
	Index Number `json:"stability_index"` // of the other beside this
	// Distance is the largest distance of the two distributions: of numbers that of Kolmogorov and Smirnov, of categories
	// half the sum of the differences of their shares.
	Distance    Number    `json:"distance"`
	Missing     [2]Number `json:"missing"`    // shares of the two
	Medians     [2]Number `json:"medians"`    // of numbers
	NewLevels   int       `json:"new_levels"` // of the other that this has not
	NewRows     int       `json:"new_rows"`   // of the other with these levels, or beyond this one's range
	NewExamples []string  `json:"new_examples,omitempty"`
	Gone        int       `json:"gone_levels"` // of this that the other has not
}

// Against is what moved from a data set to another.
type Against struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	Attack int    `json:"attacks"`
	// Benign says that attacks of both were left out of the comparison of columns.
	Benign bool     `json:"benign_only"`
	Lacks  []string `json:"lacks,omitempty"` // columns that the other has not
	More   []string `json:"more,omitempty"`  // columns that only the other has
}

// compare says what moved from c to other, both finished. Where both have labels it is of benign rows.
func (c *Collector) compare(other *Collector, features []*Feature) *Against {
	a := &Against{Name: other.name, Rows: other.rows, Attack: other.attacks}
	a.Benign = c.class != nil && other.class != nil && c.attacks < c.rows && other.attacks < other.rows
	sides := 2
	if a.Benign {
		sides = 1
	}
	for k, col := range c.columns {
		i := slices.IndexFunc(other.columns, func(o *column) bool { return o.name == col.name && o.kind == col.kind })
		switch {
		case i < 0:
			a.Lacks = append(a.Lacks, col.name)
		case col.kind == data.Time:
		case col.numeric():
			features[k].Moved = movedNumbers(col, other.columns[i], sides)
		default:
			features[k].Moved = movedLevels(col, other.columns[i], sides)
		}
	}
	for _, o := range other.columns {
		if !slices.ContainsFunc(c.columns, func(col *column) bool { return o.name == col.name && o.kind == col.kind }) {
			a.More = append(a.More, o.name)
		}
	}
	return a
}

// without is how many rows have no value, and their share of all.
func (c *column) without(sides int) (rows float64, share Number) {
	var all float64
	for side := range sides {
		if s := c.streamed; s != nil {
			rows += s.missing[side]
			all += s.missing[side] + s.moments[side].n + s.others[side]
			for _, n := range s.counts {
				all += n[side]
			}
			continue
		}
		rows += float64(c.counts[0][side])
		for _, n := range c.counts {
			all += float64(n[side])
		}
	}
	return rows, Number(rows / all)
}

// firstSides is a sample of one group, of benign rows alone or of all.
func firstSides(s *hypothesis.Sample, sides int) *hypothesis.Sample {
	if sides == 2 {
		return together(s)
	}
	return s.Group(0)
}

func movedNumbers(a, b *column, sides int) *Moved {
	x, y := firstSides(a.sample(), sides), firstSides(b.sample(), sides)
	missing, p := a.without(sides)
	missingNow, q := b.without(sides)
	m := &Moved{Missing: [2]Number{p, q}, Medians: [2]Number{Number(x.Quantile(0, 0.5)), Number(y.Quantile(0, 0.5))}}
	both := join(x, y)
	m.Distance = Number(hypothesis.KolmogorovSmirnov(both).Statistic)
	edges := quantileEdges(x, driftBins)
	before, now := make([]float64, 2*len(edges)+2), make([]float64, 2*len(edges)+2)
	low, high := math.Inf(1), math.Inf(-1)
	for i, v := range x.Values {
		before[binOf(edges, v)] += x.Counts[0][i]
		if x.Counts[0][i] > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	for i, v := range y.Values {
		now[binOf(edges, v)] += y.Counts[0][i]
		if v < low || v > high {
			m.NewRows += int(y.Counts[0][i])
		}
	}
	before[0], now[0] = missing, missingNow
	m.Index = Number(stat.StabilityIndex(before, now))
	return m
}

// join is two samples of one group as one of two.
func join(x, y *hypothesis.Sample) *hypothesis.Sample {
	s := &hypothesis.Sample{Counts: make([][]float64, 2)}
	for i, j := 0, 0; i < len(x.Values) || j < len(y.Values); {
		v := math.Inf(1)
		if i < len(x.Values) {
			v = x.Values[i]
		}
		if j < len(y.Values) {
			v = min(v, y.Values[j])
		}
		n := [2]float64{}
		if i < len(x.Values) && x.Values[i] == v {
			n[0] = x.Counts[0][i]
			i++
		}
		if j < len(y.Values) && y.Values[j] == v {
			n[1] = y.Counts[0][j]
			j++
		}
		s.Values = append(s.Values, v)
		for g := range 2 {
			s.Counts[g] = append(s.Counts[g], n[g])
		}
	}
	return s
}

func movedLevels(a, b *column, sides int) *Moved {
	_, p := a.without(sides)
	_, q := b.without(sides)
	m := &Moved{Missing: [2]Number{p, q}, Medians: [2]Number{Number(math.NaN()), Number(math.NaN())}}
	rows := func(c *column, code uint32) (n float64) {
		for side := range sides {
			n += float64(c.counts[code][side])
		}
		return n
	}
	place := map[string]int{}
	var before, now []float64
	var na, nb float64
	for _, code := range a.order {
		if n := rows(a, code); n > 0 {
			place[a.texts[code]] = len(before)
			before, now, na = append(before, n), append(now, 0), na+n
		}
	}
	for _, code := range b.order {
		n := rows(b, code)
		if n == 0 {
			continue
		}
		nb += n
		if k, ok := place[b.texts[code]]; ok {
			now[k] += n
			continue
		}
		m.NewLevels++
		m.NewRows += int(n)
		before, now = append(before, 0), append(now, n)
		if len(m.NewExamples) < 3 {
			m.NewExamples = append(m.NewExamples, b.texts[code])
		}
	}
	apart := 0.0
	for k := range before {
		if apart += math.Abs(before[k]/na-now[k]/nb) / 2; now[k] == 0 {
			m.Gone++
		}
	}
	m.Distance = Number(apart)
	m.Index = Number(stat.StabilityIndex(commonest(before, now)))
	return m
}

// commonest is counts of the levels that are commonest together, the rest in one.
func commonest(before, now []float64) (a, b []float64) {
	order := make([]int, len(before))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch x, y := before[i]+now[i], before[j]+now[j]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	a, b = make([]float64, driftTexts+1), make([]float64, driftTexts+1)
	for k, i := range order {
		a[min(k, driftTexts)] += before[i]
		b[min(k, driftTexts)] += now[i]
	}
	return a, b
}
