package figures

import (
	"math"
	"slices"
	"strconv"

	"plumbline/eval"
	"plumbline/runs/compare"
	"plumbline/runs/plot"
	"plumbline/runs/record"
)

// Robustness is, of each axis that a run varies and each data set, the comparison's metric of each model against the
// varied value, with a band that is the interval over seeds. An axis with one value has none.
func Robustness(rec *record.Record, c *compare.Comparison, width float64) (out []*plot.Figure, err error) {
	var axes []string
	for _, d := range rec.Manifest.Data {
		if d.Axis != nil && !slices.Contains(axes, d.Axis.Name) {
			axes = append(axes, d.Axis.Name)
		}
	}
	for _, axis := range axes {
		pivots, err := c.Pivot("model", axis)
		if err != nil {
			return nil, err
		}
		for _, p := range pivots {
			if f := along(p, axis, width); f != nil {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// along draws the rows of a table of models against an axis.
func along(p *compare.Pivot, axis string, width float64) *plot.Figure {
	if len(p.Columns) < 2 {
		return nil
	}
	var at []float64
	for _, column := range p.Columns {
		v, err := strconv.ParseFloat(column, 64)
		if err != nil {
			return nil
		}
		at = append(at, v)
	}
	low, high := math.Inf(1), math.Inf(-1)
	var lines []plot.Line
	for i, label := range p.Rows {
		l := plot.Line{Name: label}
		banded := false
		for _, cell := range p.Cells[i] {
			from, to := cell.Mean, cell.Mean
			if cell.Interval.Defined() {
				from, to, banded = cell.Interval.Low, cell.Interval.High, true
			}
			l.Y, l.Low, l.High = append(l.Y, cell.Mean), append(l.Low, from), append(l.High, to)
			if !math.IsNaN(cell.Mean) {
				low, high = math.Min(low, from), math.Max(high, to)
			}
		}
		if !banded {
			l.Low, l.High = nil, nil
		}
		lines = append(lines, l)
	}
	if low > high {
		return nil
	}
	// to the next tenth, so that the axis ends with a round number
	y := plot.Axis{Label: eval.TitleOf(p.Metric), Low: math.Floor(low*10+1e-9) / 10, High: math.Ceil(high*10-1e-9) / 10}
	if y.Low >= y.High {
		y.Low, y.High = y.Low-0.1, y.High+0.1
	}
	x := plot.Axis{Label: axis, Low: at[0], High: at[len(at)-1]}
	x.Log = x.Low > 0 && x.High/x.Low >= 20 // shares such as .01, .1 and 1
	return plot.Lines(axis+"-"+p.Data, p.Title, width, height(width), x, y, at, lines, false)
}
