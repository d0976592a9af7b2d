package audit

import (
	"math"
	"slices"
	"time"

	"plumbline/data"
	"plumbline/numeric/stat"
)

// Drift is how the benign rows change over time: each period beside those before it, by the population stability index
// of the numbers and categories.
type Drift struct {
	Column  string   `json:"column"` // of the times
	Periods []Period `json:"periods"`
	// Break is the day from which on the benign rows differ most from those before, where that is more than a quarter by
	// the mean over the columns; empty: none does. Within a day there is none: nights are others than noons.
	Break     string   `json:"break,omitempty"`
	BreakPSI  float64  `json:"break_psi"`         // of all rows from there on beside all before
	BreakMost []string `json:"columns,omitempty"` // that differ most there
}

// Period is a day of benign rows, or a tenth of the time where the rows are of one day.
type Period struct {
	From string  `json:"from"`
	Rows int     `json:"rows"`
	PSI  float64 `json:"psi"` // mean over the columns, beside all periods before; 0 for the first
	Most string  `json:"most,omitempty"`
}

const (
	breakPSI      = 0.25 // above which a population is commonly said to have shifted
	psiBins       = 10
	periodRows    = 50     // fewer benign rows are no period of their own
	edgeRows      = 20_000 // that quantiles are taken from
	levelsCounted = 100    // of a category; the rest together
)

// drift is nil where there is no time, or one period only. Identifiers are not looked at: a counter is always another.
func (a *auditor) drift(ids map[string]bool) *Drift {
	at, err := a.t.TimeColumn("")
	if err != nil {
		return nil
	}
	var rows []int32
	for i := range int32(a.t.Rows) {
		if a.in[i] && !a.t.Attack[i] && at.Nanos[i] != data.NoTime {
			rows = append(rows, i)
		}
	}
	period, from := periods(at, rows)
	if len(from) < 2 {
		return nil
	}
	d := &Drift{Column: at.Name, Periods: make([]Period, len(from))}
	for k := range from {
		d.Periods[k].From = from[k]
	}
	for _, p := range period {
		d.Periods[p].Rows++
	}
	type named struct {
		name string
		psi  float64
	}
	sums, breaks := make([]float64, len(from)), make([]float64, len(from))
	most := make([]named, len(from))
	after := make([][]named, len(from))
	columns := 0
	for i := range a.t.Columns {
		c := &a.t.Columns[i]
		if c.Type != data.Number && c.Type != data.Category || ids[c.Name] {
			continue
		}
		columns++
		counts := binned(c, rows, period, len(from))
		total := make([]float64, len(counts[0]))
		for _, p := range counts {
			add(total, p)
		}
		before := make([]float64, len(total))
		for k := range from {
			if k > 0 {
				v := stat.StabilityIndex(before, counts[k])
				sums[k] += v
				if v > most[k].psi {
					most[k] = named{c.Name, v}
				}
				rest := slices.Clone(total)
				for b := range rest {
					rest[b] -= before[b]
				}
				v = stat.StabilityIndex(before, rest)
				breaks[k] += v
				after[k] = append(after[k], named{c.Name, v})
			}
			add(before, counts[k])
		}
	}
	if columns == 0 {
		return nil
	}
	at0 := 1
	for k := range from {
		d.Periods[k].PSI, d.Periods[k].Most = sums[k]/float64(columns), most[k].name
		if breaks[k] > breaks[at0] {
			at0 = k
		}
	}
	d.BreakPSI = breaks[at0] / float64(columns)
	if d.BreakPSI > breakPSI && len(from[at0]) == len(time.DateOnly) {
		d.Break = from[at0]
		slices.SortStableFunc(after[at0], func(x, y named) int {
			switch {
			case x.psi > y.psi:
				return -1
			case x.psi < y.psi:
				return 1
			}
			return 0
		})
		for _, n := range after[at0][:min(3, len(after[at0]))] {
			d.BreakMost = append(d.BreakMost, n.name)
		}
	}
	return d
}

func add(to, v []float64) {
	for i := range to {
		to[i] += v[i]
	}
}

// periods is the period of each row, and when each begins: days, where several have enough rows, or tenths of the time.
// Rows of a day with too few go to the period before, and to the first one where there is none: a stray row with the
// time 0 is no population.
func periods(at *data.Column, rows []int32) (period []int, from []string) {
	days := map[string]int{}
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	dayOf := func(r int32) string { return time.Unix(0, at.Nanos[r]).UTC().Format(time.DateOnly) }
	last, lastDay := int64(math.MinInt64), ""
	day := make([]string, len(rows))
	for i, r := range rows {
		v := at.Nanos[r]
		if hour := v / int64(time.Hour); hour != last { // formatting each row takes long
			last, lastDay = hour, dayOf(r)
		}
		day[i] = lastDay
		days[lastDay]++
	}
	names := make([]string, 0, len(days))
	for d := range days {
		names = append(names, d)
	}
	slices.Sort(names)
	place := map[string]int{}
	for _, d := range names {
		if days[d] >= periodRows {
			from = append(from, d)
		}
		place[d] = max(0, len(from)-1)
	}
	period = make([]int, len(rows))
	if len(from) > 1 {
		for i := range rows {
			period[i] = place[day[i]]
		}
		return period, from
	}
	for i, r := range rows {
		if from == nil || day[i] == from[0] {
			low, high = min(low, at.Nanos[r]), max(high, at.Nanos[r])
		}
	}
	if len(rows) < 10*periodRows || high <= low {
		return nil, nil
	}
	from = nil
	width := (high-low)/10 + 1
	for k := range int64(10) {
		from = append(from, time.Unix(0, low+k*width).UTC().Format("2006-01-02T15:04:05Z"))
	}
	for i, r := range rows {
		period[i] = int((min(max(at.Nanos[r], low), high) - low) / width)
	}
	return period, from
}

// binned counts the rows of each period by the bins of a column: deciles of all rows, or levels; missing values are a
// bin of their own.
func binned(c *data.Column, rows []int32, period []int, n int) [][]float64 {
	bins := levelsCounted + 2
	var edges []float64
	if c.Type == data.Number {
		var sample []float64
		step := max(1, len(rows)/edgeRows)
		for i := 0; i < len(rows); i += step {
			if v := c.Num[rows[i]]; v == v {
				sample = append(sample, v)
			}
		}
		slices.Sort(sample)
		for k := 1; k < psiBins && len(sample) > 0; k++ {
			edges = append(edges, sample[k*len(sample)/psiBins])
		}
		edges = slices.Compact(edges)
		bins = 2*len(edges) + 2 // a value that is an edge has a bin of its own: many rows are 0
	}
	counts := make([][]float64, n)
	for k := range counts {
		counts[k] = make([]float64, bins)
	}
	rank := commonest(c, rows)
	for i, r := range rows {
		b := 0
		switch {
		case c.Missing(int(r)):
		case c.Type == data.Number:
			k, is := slices.BinarySearch(edges, c.Num[r])
			if b = 2*k + 1; is {
				b++
			}
		default:
			if b = levelsCounted + 1; int(rank[c.Code[r]]) < levelsCounted {
				b = int(rank[c.Code[r]]) + 1
			}
		}
		counts[period[i]][b]++
	}
	return counts
}

// commonest is the rank of each level by its rows, from 0.
func commonest(c *data.Column, rows []int32) []int32 {
	if c.Code == nil {
		return nil
	}
	n, order := make([]int, len(c.Levels)), make([]int32, len(c.Levels))
	for _, r := range rows {
		if c.Code[r] != data.Missing {
			n[c.Code[r]]++
		}
	}
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return n[b] - n[a] })
	rank := make([]int32, len(order))
	for i, l := range order {
		rank[l] = int32(i)
	}
	return rank
}
