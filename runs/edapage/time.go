package edapage

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"plumbline/data/eda"
	"plumbline/data/value"
	"plumbline/runs/plot"
)

// unit is how the time axis is divided.
func unit(seconds float64) (name string, length float64) {
	switch {
	case seconds > 4*86400:
		return "days", 86400
	case seconds > 4*3600:
		return "hours", 3600
	case seconds > 240:
		return "minutes", 60
	}
	return "seconds", 1
}

// time draws rows over time, how they repeat, and what changes by period.
func (v *view) time(r *eda.Report) {
	if c := r.Course; c != nil && len(c.Benign) > 1 {
		name, length := unit(c.Seconds * float64(len(c.Benign)))
		var at, benign, attack []float64
		top := 0.0
		for i := range c.Benign {
			at = append(at, float64(i)*c.Seconds/length)
			benign = append(benign, float64(c.Benign[i]))
			top = max(top, benign[i])
			if c.Attack != nil {
				attack = append(attack, float64(c.Attack[i]))
				top = max(top, attack[i])
			}
		}
		lines := []plot.Line{{Name: "rows", Y: benign}}
		if v.Labelled {
			lines = []plot.Line{{Name: "benign", Y: benign}, {Name: "attacks", Y: attack}}
		}
		x := plot.Axis{Label: fmt.Sprintf("%s since %s UTC", name, c.From.Format("2006-01-02 15:04:05")), High: at[len(at)-1]}
		y := plot.Axis{Label: "rows in " + span(c.Seconds), High: max(1, top)}
		if bursts(benign, attack) {
			y.Log, y.Low = true, 0.5
		}
		f := plot.Lines("rows-over-time", "Rows over time", 1040, 260, x, y, at, lines, false)
		v.Course = &course{Rows: v.keep(f)}
		v.Course.Note = fmt.Sprintf("By %s, in %s of %s.", c.Column, value.Count(len(at), "bin"), span(c.Seconds))
		if y.Log {
			v.Course.Note += " The axis of rows is logarithmic; bins without rows stand at its foot."
		}
		if c.Undated > 0 {
			v.Course.Note += " " + value.Count(c.Undated, "row") + " without a time."
		}
		if c.Period > 0 {
			v.Course.Note += fmt.Sprintf(" Counts repeat about every %s.", span(float64(c.Period)*c.Seconds))
		}
		if len(c.Autocorrelation) > 2 {
			var lag []float64
			low := 0.0
			for i := range c.Autocorrelation {
				lag = append(lag, float64(i+1))
				low = min(low, c.Autocorrelation[i])
			}
			g := plot.Lines("autocorrelation", "Autocorrelation of the rows over time", 1040, 200,
				plot.Axis{Label: "lag in " + span(c.Seconds), Low: 1, High: lag[len(lag)-1]},
				plot.Axis{Label: "autocorrelation", Low: math.Floor(low*4) / 4, High: 1}, lag,
				[]plot.Line{{Name: "autocorrelation", Y: c.Autocorrelation}}, false)
			v.Course.Repeats = v.keep(g)
		}
		v.Course.Peaks = peaks(c)
	}
	v.days(r)
}

// bursts says whether a few bins hold most rows, next to which the others would lie on the axis.
func bursts(series ...[]float64) bool {
	var some []float64
	for _, v := range series {
		for _, n := range v {
			if n > 0 {
				some = append(some, n)
			}
		}
	}
	slices.Sort(some)
	return len(some) > 0 && some[len(some)-1] > 50*some[len(some)/2]
}

// peaks are the bins that are furthest from those before them.
func peaks(c *eda.Course) (out []string) {
	var at []int
	for i, z := range c.Z {
		if math.Abs(z) > 5 {
			at = append(at, i)
		}
	}
	sort.SliceStable(at, func(i, j int) bool { return math.Abs(c.Z[at[i]]) > math.Abs(c.Z[at[j]]) })
	for _, i := range at[:min(len(at), 5)] {
		from := c.From.Add(time.Duration(float64(i) * c.Seconds * 1e9))
		n := c.Benign[i]
		if c.Attack != nil {
			n += c.Attack[i]
		}
		out = append(out, fmt.Sprintf("%s: %s, %s standard deviations from the mean of the %d bins before", from.Format(
			"2006-01-02 15:04:05"), value.Count(n, "row"), fixed(c.Z[i], 1), c.RollingBins))
	}
	return out
}

// span is a length of time for people.
func span(seconds float64) string {
	name, length := "s", 1.0
	switch {
	case seconds >= 2*86400:
		name, length = "days", 86400
	case seconds >= 2*3600:
		name, length = "h", 3600
	case seconds >= 120:
		name, length = "min", 60
	}
	return human(seconds/length) + " " + name
}

// days are the features that change most, by period.
func (v *view) days(r *eda.Report) {
	p := r.Periods
	if p == nil {
		return
	}
	var of []*eda.Feature
	for _, f := range r.Features {
		if float64(f.Drift) > 0.1 {
			of = append(of, f)
		}
	}
	sort.SliceStable(of, func(i, j int) bool { return of[i].Drift > of[j].Drift })
	d := &days{From: p.From, Note: "rows"}
	if p.Benign {
		d.Note = "benign rows"
	}
	for _, f := range of[:min(len(of), maxRows)] {
		row := dayRow{Name: f.Name}
		for _, x := range f.Days {
			h := heat{"–", "0"}
			if !math.IsNaN(float64(x)) {
				h = heat{fixed(float64(x), 2), fixed(min(1, float64(x)/2), 2)}
			}
			row.Cells = append(row.Cells, h)
		}
		d.Rows = append(d.Rows, row)
	}
	v.Days = d
}
