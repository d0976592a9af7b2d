package runs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"plumbline/eval"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Verification is what a run directory looks like when every file of it is checked against what was written.
type Verification struct {
	Cells   int            `json:"cells"`   // of the plan
	Files   int            `json:"files"`   // that were hashed
	Metrics int            `json:"metrics"` // that were computed again from scores
	Faults  []record.Fault `json:"faults"`  // none: the run is as it was left
}

// tolerance is how far a metric that is computed again may be from the one on record, relative to it: on another
// processor sums are rounded otherwise.
const tolerance = 1e-9

// Verify checks every file of a run against its hash, the cells against the experiment's plan, the rows of results.csv
// against the cells, and every metric against the cell's scores. The error is about a folder that is no run directory.
func Verify(ctx context.Context, dir string, lo experiment.LoadOptions) (*Verification, error) {
	rec, err := record.Open(dir)
	if err != nil {
		return nil, err
	}
	v := &Verification{Cells: len(rec.Results), Faults: rec.Check()}
	if v.Faults == nil {
		v.Faults = []record.Fault{}
	}
	add := func(file, format string, args ...any) {
		v.Faults = append(v.Faults, record.Fault{File: file, What: fmt.Sprintf(format, args...)})
	}
	v.Files = len(rec.Manifest.Files)
	bad := func(file string) bool {
		return slices.ContainsFunc(v.Faults, func(f record.Fault) bool { return f.File == file })
	}
	bootstrap := -1
	if !bad("experiment.yaml") {
		e, err := experiment.Load(filepath.Join(dir, "experiment.yaml"), lo)
		if err != nil {
			add("experiment.yaml", "cannot be read: %v", err)
		} else {
			bootstrap = e.Bootstrap
			v.plan(e, rec, add)
		}
	}
	for i := range rec.Results {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := &rec.Results[i]
		if c.Status != record.OK || !filepath.IsLocal(filepath.FromSlash(c.Cell)) {
			continue
		}
		st, faults := record.CheckCell(dir, c.Cell, false)
		if st == nil || faults != nil {
			continue // on record already
		}
		v.Files += len(st.Files)
		if _, kept := st.Files[record.ScoresFile]; kept && !bad(c.Cell+"/"+record.ScoresFile) && bootstrap >= 0 {
			v.recompute(dir, st, bootstrap, add)
		}
	}
	return v, nil
}

// plan checks the cells of the manifest against those of the experiment.
func (v *Verification) plan(
	e *experiment.Experiment,
	rec *record.Record,
	add func(file, format string, args ...any),
) {
	if rec.Manifest.Plan == nil {
		return
	}
	want, got := planned(e.Plan()), rec.Manifest.Plan
	v.Cells = len(want)
	for _, p := range want {
		if !slices.Contains(got, p) {
			add("manifest.json", "does not list the cell %s of the experiment", p.Cell)
		}
	}
	for _, p := range got {
		if !slices.Contains(want, p) {
			add("manifest.json", "lists the cell %s, which the experiment does not have", p.Cell)
		}
	}
}

// recompute checks the metrics of a cell against its scores.
func (v *Verification) recompute(
	dir string,
	st *record.Status,
	bootstrap int,
	add func(file, format string, args ...any),
) {
	cell := st.Cell
	scores, truth, err := record.ReadScores(dir, cell)
	if err != nil {
		add(cell+"/"+record.ScoresFile, "cannot be read: %v", err)
		return
	}
	var threshold bundle.Threshold
	if err := record.ReadJSON(dir, cell+"/threshold.json", &threshold); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			add(cell+"/threshold.json", "cannot be read: %v", err)
		}
		return
	}
	m, err := eval.Summarise(scores, truth, float64(threshold.Score), bootstrap, st.Result.Seed)
	if err != nil {
		add(cell+"/"+record.ScoresFile, "gives no metrics: %v", err)
		return
	}
	fresh := record.Result{}
	fresh.Judge(m)
	var file eval.Metrics
	if err := record.ReadJSON(dir, cell+"/metrics.json", &file); err != nil {
		add(cell+"/metrics.json", "cannot be read: %v", err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fresh.Metrics)) {
		if _, ok := file.Values[name]; !ok && measured(name) {
			continue // written before there was this metric: files that were changed are found by their hash
		}
		v.Metrics++
		want := fresh.Metrics[name]
		if got := st.Result.Metric(name); !near(got, want) {
			add(cell+"/status.json", "says %s %v, its scores give %v", name, got, want)
		}
		if _, ok := m.Values[name]; !ok {
			continue
		}
		if got := file.Value(name); !near(got, want) {
			add(cell+"/metrics.json", "says %s %v, its scores give %v", name, got, want)
		}
	}
}

// measured says whether metrics.json has the metric.
func measured(name string) bool {
	k, ok := eval.MetricNamed(name)
	return ok && k.Measured()
}

func near(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance*math.Max(math.Abs(a), math.Abs(b))
}
