// Package compare sets the cells of finished runs side by side: per data set, the models in order of a
// metric's mean over their seeds, with standard deviation and 95 % interval, and everything that should
// make a reader doubt a difference. It reads results only; running is package runs.
package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"plumbline/eval"
	"plumbline/runs"
)

// Comparison is what was run, by data set and unit.
type Comparison struct {
	Metric   string
	Groups   []Group
	Warnings []string
}

// Group is the models on one data set, best first.
type Group struct {
	Data, Unit  string
	Train, Test int // of the first cell
	Prevalence  float64
	Rows        []Row
	Warnings    []string
}

// Row is one model over its seeds.
type Row struct {
	Rank         int // 0 when no cell is ok
	Label, Model string
	OK, Cells    int
	Main         Value            // of the comparison's metric
	Others       map[string]Value // of the other shown metrics
	Errors       []string         // of the cells that are not ok, each once
}

// Value is a metric's mean over seeds. The interval is that of the mean over two or more seeds (Student's
// t), else the bootstrap interval of the one cell, where it has one.
type Value struct {
	N         int
	Mean, SD  float64
	Interval  eval.Interval
	Bootstrap bool
}

// smallerIsBetter are the metrics that rank ascending.
var smallerIsBetter = map[string]bool{"fpr_at_95tpr": true, "fit_seconds": true, "score_seconds": true}

// shown are the metrics beside the main one.
var shown = []string{"auroc", "auprc", "fpr_at_95tpr", "tpr_at_1fpr", "f1", "mcc", "fit_seconds"}

// Compare ranks by a metric, one of runs.Metrics; "" means auroc.
func Compare(records []*runs.Record, metric string) (*Comparison, error) {
	if metric == "" {
		metric = "auroc"
	}
	if !slices.Contains(runs.Metrics(), metric) {
		return nil, fmt.Errorf("compare: unknown metric %q; known: %s", metric, strings.Join(runs.Metrics(), ", "))
	}
	c := &Comparison{Metric: metric}
	var order []string
	groups := map[string][]runs.Result{}
	for _, rec := range records {
		if !rec.Complete {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s is not finished: only its ended cells are here", rec.Dir))
		}
		for _, r := range rec.Results {
			key := r.Data + "\x00" + r.Unit
			if _, ok := groups[key]; !ok {
				order = append(order, key)
			}
			groups[key] = append(groups[key], r)
		}
	}
	for _, key := range order {
		c.Groups = append(c.Groups, group(groups[key], metric))
	}
	if len(order) == 0 {
		return nil, fmt.Errorf("compare: no cells")
	}
	return c, nil
}

func group(results []runs.Result, metric string) Group {
	g := Group{Data: results[0].Data, Unit: results[0].Unit, Prevalence: math.NaN()}
	var labels []string
	cells := map[string][]runs.Result{}
	sums := map[string]bool{}
	for _, r := range results {
		if _, ok := cells[r.Label]; !ok {
			labels = append(labels, r.Label)
		}
		cells[r.Label] = append(cells[r.Label], r)
		if r.Status == runs.OK {
			sums[r.TestSHA256] = true
			if g.Test == 0 {
				g.Train, g.Test, g.Prevalence = r.Train, r.Test, float64(r.Prevalence)
			}
		}
	}
	for _, l := range labels {
		g.Rows = append(g.Rows, row(cells[l], metric))
	}
	sign := 1.0
	if smallerIsBetter[metric] {
		sign = -1
	}
	slices.SortStableFunc(g.Rows, func(a, b Row) int {
		x, y := sign*a.Main.Mean, sign*b.Main.Mean
		switch {
		case math.IsNaN(x) && math.IsNaN(y):
			return strings.Compare(a.Label, b.Label)
		case math.IsNaN(y), x > y:
			return -1
		case math.IsNaN(x), x < y:
			return 1
		}
		return strings.Compare(a.Label, b.Label)
	})
	for i := range g.Rows {
		if !math.IsNaN(g.Rows[i].Main.Mean) {
			g.Rows[i].Rank = i + 1
		}
	}
	g.Warnings = doubts(results)
	return g
}

func row(cells []runs.Result, metric string) Row {
	r := Row{Label: cells[0].Label, Model: cells[0].Model, Cells: len(cells), Others: map[string]Value{}}
	for i := range cells {
		switch {
		case cells[i].Status == runs.OK:
			r.OK++
		case !slices.Contains(r.Errors, cells[i].Status+": "+cells[i].Error):
			r.Errors = append(r.Errors, cells[i].Status+": "+cells[i].Error)
		}
	}
	for _, m := range append([]string{metric}, shown...) {
		v := value(cells, m)
		if m == metric {
			r.Main = v
		}
		r.Others[m] = v
	}
	return r
}

func value(cells []runs.Result, metric string) Value {
	var v []float64
	var only *runs.Result
	for i := range cells {
		if cells[i].Status == runs.OK {
			v = append(v, cells[i].Metric(metric))
			only = &cells[i]
		}
	}
	rep := eval.Repeat(v)
	out := Value{N: rep.N, Mean: rep.Mean, SD: rep.SD, Interval: rep.Interval}
	if len(v) == 1 {
		out.Interval = eval.Interval{Low: only.Metric(metric + "_low"), High: only.Metric(metric + "_high")}
		out.Bootstrap = !math.IsNaN(out.Interval.Low)
	}
	return out
}

// doubts joins the warnings of the cells: each once, with how many cells carry it when not all do.
func doubts(results []runs.Result) []string {
	n := map[string]int{}
	var order []string
	ok, few := 0, 0
	seeds := map[string]int{}
	for _, r := range results {
		if r.Status != runs.OK {
			continue
		}
		ok++
		seeds[r.Label]++
		for _, w := range r.Warnings {
			if n[w]++; n[w] == 1 {
				order = append(order, w)
			}
		}
	}
	var out []string
	for _, w := range order {
		if n[w] < ok {
			w = fmt.Sprintf("%s (%d of %d cells)", w, n[w], ok)
		}
		out = append(out, w)
	}
	for _, k := range seeds {
		if k > 1 && k < 5 {
			few = k
		}
	}
	if few > 0 {
		out = append(out, fmt.Sprintf("%d seeds are few for an interval: take 5 or more", few))
	}
	return out
}
