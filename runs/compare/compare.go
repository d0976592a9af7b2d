// Package compare sets the cells of finished runs side by side: per data set, the models in order of a
// metric's mean over their seeds, with standard deviation and 95 % interval, and everything that should
// make a reader doubt a difference; [Comparison.AddPublished] puts what papers report beside them. It reads results only; running is package runs.
package compare

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/eval"
	"plumbline/runs/record"
)

// Comparison is what was run, by data set and unit.
type Comparison struct {
	Metric   string
	Columns  []string // the other metrics of the tables
	Groups   []Group
	Warnings []string
}

// Group is the models on one data set, best first.
type Group struct {
	Data, Unit  string
	Train, Test int // of the first cell
	Prevalence  float64
	Rows        []Row
	Audit       []string // of the data set, a line for each run that has another one
	Warnings    []string
	Published   []Published // see [Comparison.AddPublished]
}

// Row is one model over its seeds.
type Row struct {
	Rank         int    // 0 when no cell is ok
	Label, Model string // the label carries its run where several runs have it
	Run          string // name of the run directory
	OK, Cells    int
	Fixed        bool             // the model is deterministic: one cell is all there is
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

// kind says what the interval is over: seeds, resampled test units (bootstrap), or "" when there is none.
func (v Value) kind() string {
	switch {
	case math.IsNaN(v.Interval.Low):
		return ""
	case v.Bootstrap:
		return "bootstrap"
	}
	return "seeds"
}

// smallerIsBetter are the metrics that rank ascending.
var smallerIsBetter = map[string]bool{"fpr_at_95tpr": true, "fit_seconds": true, "score_seconds": true}

// usual are the metrics beside the main one.
var usual = []string{"auroc", "auprc", "fpr_at_95tpr", "tpr_at_1fpr", "f1", "mcc", "fit_seconds"}

// member is one cell with the run it belongs to.
type member struct {
	record.Result
	run int // index of the record
}

// Compare ranks by a metric, one of runs.Metrics; "" means auroc. columns are the other metrics to show, nil the usual
// ones. A model that several runs hold has a row
// for each: seeds that were run twice are no further evidence.
func Compare(records []*record.Record, metric string, columns []string) (*Comparison, error) {
	if metric == "" {
		metric = "auroc"
	}
	if columns == nil {
		columns = usual
	}
	for _, m := range append([]string{metric}, columns...) {
		if !slices.Contains(record.Metrics(), m) {
			return nil, fmt.Errorf("compare: unknown metric %q; known: %s", m, strings.Join(record.Metrics(), ", "))
		}
	}
	names, err := runNames(records)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Metric: metric, Columns: columns}
	var order []string
	groups := map[string][]member{}
	for i, rec := range records {
		if !rec.Complete {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s is not finished: only its ended cells are here", rec.Dir))
		}
		for _, r := range rec.Results {
			key := r.Data + "\x00" + r.Unit
			if _, ok := groups[key]; !ok {
				order = append(order, key)
			}
			groups[key] = append(groups[key], member{r, i})
		}
	}
	for _, key := range order {
		g := c.group(groups[key], names)
		for _, rec := range records {
			for _, d := range rec.Manifest.Data {
				if d.Name == g.Data && d.Audit != "" && !slices.Contains(g.Audit, d.Audit) {
					g.Audit = append(g.Audit, d.Audit)
				}
			}
		}
		c.Groups = append(c.Groups, g)
	}
	if len(order) == 0 {
		return nil, fmt.Errorf("compare: no cells")
	}
	return c, nil
}

// runNames is what to call the runs: the last part of their folders, or the whole where two share it.
func runNames(records []*record.Record) ([]string, error) {
	names := make([]string, len(records))
	paths, uses := map[string]bool{}, map[string]int{}
	for i, rec := range records {
		path, err := filepath.Abs(rec.Dir)
		if err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		if paths[path] {
			return nil, fmt.Errorf("compare: the run %s is given twice", rec.Dir)
		}
		paths[path] = true
		names[i] = filepath.Base(path)
		uses[names[i]]++
	}
	for i, rec := range records {
		if uses[names[i]] > 1 {
			names[i] = rec.Dir
		}
	}
	return names, nil
}

func (c *Comparison) group(cells []member, names []string) Group {
	g := Group{Data: cells[0].Data, Unit: cells[0].Unit, Prevalence: math.NaN()}
	type key struct {
		label string
		run   int
	}
	var order []key
	rows := map[key][]record.Result{}
	in := map[string]int{} // runs that hold a label
	for _, m := range cells {
		k := key{m.Label, m.run}
		if _, ok := rows[k]; !ok {
			order = append(order, k)
			in[m.Label]++
		}
		rows[k] = append(rows[k], m.Result)
		if m.Status == record.OK && g.Test == 0 {
			g.Train, g.Test, g.Prevalence = m.Train, m.Test, float64(m.Prevalence)
		}
	}
	for _, k := range order {
		r := c.row(rows[k])
		if r.Run = names[k.run]; in[k.label] > 1 {
			r.Label += " (" + r.Run + ")"
		}
		g.Rows = append(g.Rows, r)
	}
	g.Warnings = slices.Concat(cellDoubts(cells), foldDoubts(cells), seedDoubts(g.Rows), preparationDoubts(cells))
	sign := 1.0
	if smallerIsBetter[c.Metric] {
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
	return g
}

func (c *Comparison) row(cells []record.Result) Row {
	r := Row{Label: cells[0].Label, Model: cells[0].Model, Cells: len(cells), Fixed: cells[0].Deterministic, Others: map[string]Value{}}
	for i := range cells {
		switch {
		case cells[i].Status == record.OK:
			r.OK++
		case !slices.Contains(r.Errors, cells[i].Status+": "+cells[i].Error):
			r.Errors = append(r.Errors, cells[i].Status+": "+cells[i].Error)
		}
	}
	for _, m := range append([]string{c.Metric}, c.Columns...) {
		v := value(cells, m)
		if m == c.Metric {
			r.Main = v
		}
		r.Others[m] = v
	}
	return r
}

func value(cells []record.Result, metric string) Value {
	var v []float64
	var only *record.Result
	for i := range cells {
		if cells[i].Status == record.OK {
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

// foldDoubts: folds share training rows (and, where attacks test in each, test rows), so that their figures
// are not independent and the interval over them is too narrow (Nadeau and Bengio 2003).
func foldDoubts(cells []member) []string {
	folds := map[string]bool{}
	for _, c := range cells {
		if c.Fold != "" {
			folds[c.Fold] = true
		}
	}
	if len(folds) < 2 {
		return nil
	}
	return []string{fmt.Sprintf("%d folds share rows: intervals over them are too narrow", len(folds))}
}
