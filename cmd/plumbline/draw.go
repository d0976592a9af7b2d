package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"plumbline/cmd/terminal"
	"plumbline/runs/compare"
	"plumbline/runs/figures"
	"plumbline/runs/record"
)

// stripWidth is how many characters an axis has.
const stripWidth = 40

// drawGroups draws the values of each group's models with their intervals, on one axis a group.
func drawGroups(w io.Writer, groups []compare.Group) error {
	for i := range groups {
		g := &groups[i]
		low, high := math.Inf(1), math.Inf(-1)
		for _, r := range g.Rows {
			for _, v := range []float64{r.Main.Mean, r.Main.Interval.Low, r.Main.Interval.High} {
				if !math.IsNaN(v) {
					low, high = min(low, v), max(high, v)
				}
			}
		}
		if !(low < high) {
			continue
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "\n%s\t%-*s%s\n", g.Data, stripWidth-len(number(high)), number(low), number(high))
		for _, r := range g.Rows {
			fmt.Fprintf(t, "%s\t%s\n", r.Label, terminal.Strip(r.Main.Interval.Low, r.Main.Mean, r.Main.Interval.High, low, high,
				stripWidth))
		}
		if err := t.Flush(); err != nil {
			return failed(err)
		}
	}
	return nil
}

// drawCurves draws how each model fares along an axis of robustness: a bar for each of its values, those of a table on
// one scale from its lowest value to its highest. Pivots of other axes have no order to draw along.
func drawCurves(w io.Writer, pivots []*compare.Pivot) error {
	for _, p := range pivots {
		if p.Across == "model" || slices.Contains(compare.Axes, p.Across) || len(p.Columns) < 2 {
			continue
		}
		low, high := math.Inf(1), math.Inf(-1)
		for _, row := range p.Cells {
			for _, c := range row {
				if !math.IsNaN(c.Mean) {
					low, high = min(low, c.Mean), max(high, c.Mean)
				}
			}
		}
		if !(low < high) {
			continue
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "\n%s\t%s from %s to %s, bars from %s to %s\n", p.Across, p.Metric, p.Columns[0],
			p.Columns[len(p.Columns)-1], number(low), number(high))
		for i, row := range p.Cells {
			heights := make([]float64, len(row))
			for k, c := range row {
				heights[k] = (c.Mean - low) / (high - low)
			}
			fmt.Fprintf(t, "%s\t%s\n", p.Rows[i], terminal.Bars(heights))
		}
		if err := t.Flush(); err != nil {
			return failed(err)
		}
	}
	return nil
}

// drawCell draws where a cell's scores stand and how many attacks are found at which false-positive rate; nothing for
// cells without scores of both.
func drawCell(w io.Writer, r *record.Record, c *record.Result) error {
	one := *r
	one.Results = []record.Result{*c}
	table, err := compare.Compare([]*record.Record{&one}, "", nil)
	if err != nil || len(table.Groups) != 1 || len(table.Groups[0].Rows) != 1 {
		return nil // nothing to rank by
	}
	curves, err := (&figures.Reader{Dir: r.Dir}).Curves(&table.Groups[0].Rows[0])
	if err != nil || curves == nil {
		return nil // a damaged file is among the faults
	}
	benign, attack := curves.Distribution()
	var found []float64
	for i, v := range curves.TPR() {
		if i%3 == 0 {
			found = append(found, v)
		}
	}
	_, err = fmt.Fprintf(w, "\n# scores, lowest to highest\nbenign  %s\nattack  %s\n"+
		"\n# attacks found, false-positive rates from 0.01 %% to 100 %%, logarithmic\n        %s\n",
		terminal.Bars(benign), terminal.Bars(attack), terminal.Bars(found))
	return failed(err)
}
