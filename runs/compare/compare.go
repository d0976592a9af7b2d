// Package compare sets the cells of finished runs side by side: per data set, the models in order of a
// metric's mean over their seeds and folds, with standard deviation, 95 % interval and what it rests on, and everything
// that
// should make a reader doubt a difference; [Comparison.AddPublished] puts what papers report beside them. It reads
// results only; running is package runs.
package compare

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/record"
)

// Comparison is what was run, by data set and unit.
type Comparison struct {
	Metric   string
	Columns  []string // the other metrics of the tables
	asked    bool     // whether somebody chose them
	Groups   []Group
	Warnings []string

	axes      map[string]record.Axis        // of robustness, by the data sets that stand on one
	tested    bool                          // the marks are those of tests on scores
	published map[string][]record.Published // that the runs hold, by the names of their experiments
}

// Group is the models on one data set, best first.
type Group struct {
	Data, Unit  string
	Train, Test int // of the first cell
	Prevalence  float64
	Unlabelled  bool     // the data has no labels: there is nothing to rank by
	Columns     []string // the metrics of the table besides the comparison's own
	Rows        []Row
	Audit       []string // of the data set, a line for each run that has another one
	Shrunk      []string // what left rows of the data set out
	Warnings    []string
	Published   []Published // see [Comparison.AddPublished]

	how    string // the marks of Best and Even were made
	points string // at which the metrics that are shown were taken
}

// Row is one model over its seeds.
type Row struct {
	Rank         int    // that equal means share; 0 when no cell is ok, and for metrics that rank nothing
	Label, Model string // the label carries its run where several runs have it
	Run          string // name of the run directory
	OK, Cells    int
	Fixed        bool             // the model is deterministic: one cell is all there is
	Control      bool             // it is there to be beaten
	Unbeaten     string           // the best control, where the model is not shown to be better
	SawLabels    bool             // the model learns from labels: the others saw benign rows alone
	Attacks      int              // labelled attacks that it learned from; 0: not known, or not the same in all cells
	Main         Value            // of the comparison's metric
	Others       map[string]Value // of the other shown metrics
	Errors       []string         // of the cells that are not ok, each once
	Best, Even   bool             // by Main: the best of the group; not significantly worse than the best

	cells      []record.Result
	overlap    float64 // of folds, see [eval.Pool]
	experiment string  // name of that of the run
	dir        string  // of the run of each cell; empty where cells of several are joined
}

// Results is the cells of the row.
func (r *Row) Results() []record.Result { return r.cells }

// Value is a metric over the row's cells, whether the table shows it or not.
func (r *Row) Value(metric string) Value { return value(r.cells, metric, r.overlap) }

// Heading is what the group stands for: data set, unit, how many are judged and the share of attacks.
func (g *Group) Heading() string { return g.heading() }

// How says how the marks of Best and Even were made.
func (g *Group) How() string { return g.how }

// Value is a metric's mean over seeds, or over folds whose values are means over seeds. Its interval is that of the
// mean
// (see [eval.Pool]); where one cell is all there is, or all seeds gave one value, it is the cell's own over the choice
// of test units.
type Value struct {
	N        int    // seeds or folds with a value, which mean, SD and interval rest on
	Over     string // what the interval is over: "seeds", "folds" or "units"
	Missing  int    // cells without a value
	Mean, SD float64
	Interval eval.Interval
	Error    eval.Estimate // the mean with its standard error
}

// kind says what the interval is over, "" when there is none.
func (v Value) kind() string {
	if !v.Interval.Defined() {
		return ""
	}
	return v.Over
}

// usual are the metrics beside the main one.
var usual = []string{"auroc", "auprc", "fpr_at_95tpr", "tpr_at_1fpr", "fpr", "f1", "mcc", "fit_seconds"}

// usualUnlabelled are those of data without labels.
var usualUnlabelled = []string{"alarms", "threshold", "fit_seconds"}

// member is one cell with the run it belongs to.
type member struct {
	record.Result
	run int // index of the record
}

// Compare ranks by a metric of [eval.MetricTable]; "" means auroc, and one that only describes ranks nothing. columns
// are the
// other metrics to show, nil the usual ones. A model that several runs hold has a row for each: seeds that were
// run twice are no further evidence.
func Compare(records []*record.Record, metric string, columns []string) (*Comparison, error) {
	return CompareBy(records, metric, columns, nil)
}

// CompareBy is Compare with rows of other cells: those of a data set that agree in all of the keys, which are names of
// Keys. nil: label and run. Rows whose cells differ in what is no key are warned of.
func CompareBy(records []*record.Record, metric string, columns, keys []string) (*Comparison, error) {
	if keys == nil {
		keys = rowKeys
	}
	for _, k := range keys {
		if !slices.Contains(Keys, k) {
			return nil, fmt.Errorf("compare: unknown key %q; known: %s", k, strings.Join(Keys, ", "))
		}
	}
	if metric == "" {
		metric = "auroc"
	}
	asked := columns != nil
	if !asked {
		columns = usual
	}
	for _, m := range append([]string{metric}, columns...) {
		if beside := eval.Beside(m); beside != "" && !slices.Contains(columns, beside) {
			columns = append(slices.Clone(columns), beside)
		}
	}
	elsewhere := false
	for _, m := range append([]string{metric}, columns...) {
		if _, ok := eval.MetricNamed(m); !ok {
			return nil, fmt.Errorf("compare: unknown metric %q%s", m, settings.DidYouMean(m, eval.MetricNames()))
		}
		elsewhere = elsewhere || !record.InResults(m)
	}
	if elsewhere {
		for _, rec := range records {
			if err := rec.ReadMetrics(); err != nil {
				return nil, err
			}
		}
	}
	names, err := runNames(records)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Metric: metric, Columns: columns, asked: asked, axes: axesOf(records),
		published: map[string][]record.Published{}}
	for _, rec := range records {
		if len(rec.Published) > 0 {
			c.published[rec.Name] = rec.Published
		}
	}
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
		g := c.group(groups[key], names, records, keys)
		for _, rec := range records {
			for _, d := range rec.Manifest.Data {
				if d.Name != g.Data {
					continue
				}
				if d.Audit != "" && !slices.Contains(g.Audit, d.Audit) {
					g.Audit = append(g.Audit, d.Audit)
				}
				for _, line := range shrunk(d) {
					if !slices.Contains(g.Shrunk, line) {
						g.Shrunk = append(g.Shrunk, line)
					}
				}
				for _, w := range d.Warnings {
					if w = strings.TrimPrefix(w, d.Name+": "); !slices.Contains(g.Warnings, w) {
						g.Warnings = append(g.Warnings, w)
					}
				}
			}
		}
		c.Groups = append(c.Groups, g)
	}
	if len(order) == 0 {
		return nil, fmt.Errorf("compare: no cells")
	}
	c.Warnings = append(c.Warnings, c.ruleWarnings(records)...)
	note, warning := operatingPoints(append([]string{metric}, columns...), records)
	if warning != "" {
		c.Warnings = append(c.Warnings, warning)
	}
	for k := range c.Groups {
		c.Groups[k].points = note
	}
	if len(records) == 1 && metric == "auroc" && slices.Equal(keys, rowKeys) {
		c.takeTests(StoredTests(records[0]))
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

func (c *Comparison) group(cells []member, names []string, records []*record.Record, keys []string) Group {
	g := Group{Data: cells[0].Data, Unit: cells[0].Unit, Prevalence: math.NaN(), Columns: c.Columns}
	if d, ok := records[cells[0].run].Manifest.DataSet(g.Data); ok && d.Unlabelled {
		if g.Unlabelled = true; !c.asked {
			g.Columns = usualUnlabelled
		}
	}
	var order []string
	rows := map[string][]member{}
	runs := map[string]map[int]bool{} // that hold what else a row is named by
	for _, m := range cells {
		k, named := keyOf(m, keys), keyOf(m, slices.DeleteFunc(slices.Clone(keys), isRun))
		if _, ok := rows[k]; !ok {
			order = append(order, k)
		}
		if runs[named] == nil {
			runs[named] = map[int]bool{}
		}
		runs[named][m.run] = true
		rows[k] = append(rows[k], m)
		if m.Status == record.OK && g.Test == 0 {
			g.Train, g.Test, g.Prevalence = m.Train, m.Test, m.Metric("prevalence")
		}
	}
	for _, k := range order {
		of := rows[k]
		r := c.row(of, g.Columns, records[of[0].run].Manifest.FoldOverlap(g.Data, resultsOf(of)))
		r.Label = rowName(of[0], keys)
		if slices.ContainsFunc(of, func(m member) bool { return m.run != of[0].run }) {
			r.Run = "several"
		} else {
			r.Run, r.dir = names[of[0].run], records[of[0].run].Dir
			r.experiment = records[of[0].run].Name
		}
		if slices.ContainsFunc(keys, isRun) && len(runs[keyOf(of[0], slices.DeleteFunc(slices.Clone(keys), isRun))]) > 1 {
			r.Label += " (" + r.Run + ")"
		}
		g.Rows = append(g.Rows, r)
		g.Warnings = append(g.Warnings, joinWarnings(r.Label, of, names, records)...)
	}
	g.Warnings = slices.Concat(g.Warnings, cellWarnings(cells), rateWarnings(cells))
	if !g.Unlabelled {
		g.Warnings = append(g.Warnings, repetitionWarnings(g.Rows)...)
	}
	g.Warnings = slices.Concat(g.Warnings,
		attackWarnings(cells, records), thresholdWarnings(cells, records), preparationWarnings(cells),
		versionWarnings(cells, records))
	sign := direction(c.Metric)
	if sign == 0 {
		return g // in the order of the runs
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
			if i > 0 && g.Rows[i].Main.Mean == g.Rows[i-1].Main.Mean {
				g.Rows[i].Rank = g.Rows[i-1].Rank
			}
		}
	}
	g.mark()
	g.holdAgainstControls()
	return g
}

// direction is 1 where larger values of a metric are better, -1 where smaller ones are, 0 where none are.
func direction(metric string) float64 {
	switch about, _ := eval.MetricNamed(metric); about.Better {
	case eval.Higher:
		return 1
	case eval.Lower:
		return -1
	}
	return 0
}

func (c *Comparison) row(members []member, columns []string, overlap float64) Row {
	cells := resultsOf(members)
	r := Row{Model: cells[0].Model, Cells: len(cells), Fixed: cells[0].Deterministic, Others: map[string]Value{},
		cells: cells, overlap: overlap}
	if info, err := models.Lookup(r.Model); err == nil {
		r.SawLabels, r.Control = info.Needs.Labels.Any(), info.Control
	}
	r.Attacks = attacksSeen(cells)
	for i := range cells {
		switch {
		case cells[i].Status == record.OK:
			r.OK++
		case !slices.Contains(r.Errors, cells[i].Status+": "+cells[i].Error):
			r.Errors = append(r.Errors, cells[i].Status+": "+cells[i].Error)
		}
	}
	for _, m := range append([]string{c.Metric}, columns...) {
		v := value(cells, m, overlap)
		if m == c.Metric {
			r.Main = v
		}
		r.Others[m] = v
	}
	return r
}

// attacksSeen is how many labelled attacks all cells that are ok learned from; 0 where that is not one number.
func attacksSeen(cells []record.Result) int {
	seen := math.NaN()
	for i := range cells {
		n := cells[i].Metric("n_train_attacks")
		if cells[i].Status != record.OK || n == seen {
			continue
		}
		if !math.IsNaN(seen) || math.IsNaN(n) {
			return 0
		}
		seen = n
	}
	if math.IsNaN(seen) {
		return 0
	}
	return int(seen)
}

// value joins a metric's values over the cells that are ok.
func value(cells []record.Result, metric string, overlap float64) Value {
	about, _ := eval.MetricNamed(metric)
	var v []eval.Repetition
	var first *record.Result
	for i := range cells {
		if c := &cells[i]; c.Status == record.OK {
			v = append(v, eval.Repetition{Fold: c.Fold, Value: c.Metric(metric)})
			if first == nil {
				first = c
			}
		}
	}
	rep := eval.Pool(v, overlap, about.Range)
	out := Value{N: rep.N, Over: rep.Over, Missing: rep.Missing, Mean: rep.Mean, SD: rep.SD, Interval: rep.Interval}
	out.Error = errorOf(rep, overlap)
	// Seeds that all gave one value say nothing of the value's error; the choice of units still does.
	if first != nil && rep.Over == "seeds" && (len(v) == 1 || rep.SD == 0) {
		if out.Interval = first.Interval(metric); out.Interval.Defined() {
			out.Over = "units"
			out.Error.SE, out.Error.DF = (out.Interval.High-out.Interval.Low)/(2*z975), math.Inf(1)
		}
	}
	return out
}

// errorOf is a mean with its standard error, as [eval.Pool] takes it for the interval.
func errorOf(rep eval.Repeats, overlap float64) eval.Estimate {
	e := eval.Estimate{Mean: rep.Mean, SE: math.NaN(), DF: float64(rep.N - 1)}
	switch n := float64(rep.N); {
	case rep.N > 1 && rep.Over == "folds":
		e.SE = rep.SD * math.Sqrt(1/n+overlap)
	case rep.N > 1 && rep.SD > 0:
		e.SE = rep.SD / math.Sqrt(n)
	}
	return e
}

// z975 is the .975 quantile of the standard normal distribution.
const z975 = 1.959963984540054

// shrunk is what left rows of a data set out.
func shrunk(d record.DataManifest) (out []string) {
	if d.BadRows > 0 {
		out = append(out, fmt.Sprintf("data: %d rows cannot be read and are left out", d.BadRows))
	}
	for _, n := range d.Notes {
		if strings.Contains(n, "rows are left out") {
			out = append(out, "data: "+n)
		}
	}
	return out
}
