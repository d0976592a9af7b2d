package runs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"plumbline/models"
)

// EventKind says what an Event reports.
type EventKind int

const (
	Planned   EventKind = iota // the run directory stands; Total is the number of cells, Done those of an earlier attempt
	Preparing                  // a data set is being read and prepared
	Prepared                   // a data set is ready; Text says what it holds
	Warned                     // Text is a warning about a data set
	Started                    // a cell begins
	EpochDone                  // a cell made progress
	Finished                   // a cell ended; Result says how
)

// Event is one step of a run, for progress displays. Observers are called from several goroutines, one at
// a time.
type Event struct {
	Kind        EventKind
	Dir         string
	Data        string // name of the data set
	Text        string
	Cell        Cell
	Epoch       models.Epoch
	Result      Result
	Done, Total int
}

// Options is how an experiment is carried out, apart from what it is.
type Options struct {
	Root    string      // folder that run directories are made in; default "runs"
	Workers int         // overrides the experiment's, if > 0
	Observe func(Event) // may be nil
	Command []string    // recorded in the manifest
	create  func(path string) (io.WriteCloser, error)
}

// Outcome is a run that came to an end.
type Outcome struct {
	Dir         string
	Results     []Result // in the order of the plan
	Failed      int      // cells that are not ok
	Interrupted bool     // the context was cancelled: Resume takes the run up again
}

// Run carries the experiment out in a new run directory. Cells that fail are results with a status, not an
// error; the error is about what concerns the run as a whole.
func Run(ctx context.Context, e *Experiment, o Options) (*Outcome, error) {
	root := o.Root
	if root == "" {
		root = "runs"
	}
	resolved, err := e.Resolved()
	if err != nil {
		return nil, err
	}
	dir, err := makeDirectory(root, e.Name, time.Now())
	if err != nil {
		return nil, err
	}
	if err := dir.write("experiment.yaml", func(w io.Writer) error { _, err := w.Write(resolved); return err }); err != nil {
		return nil, err
	}
	m := Build()
	m.Command, m.Started, m.Seeds, m.Data, m.DataDirs = o.Command, time.Now().UTC(), e.Seeds, []DataManifest{}, e.Finder.Absolute()
	return (&run{exp: e, dir: dir, opt: o, manifest: m}).carryOut(ctx)
}

// Resume takes up a run that was killed or interrupted, or some of whose cells failed: cells that are ok
// are kept, the others are done again. The data must be the same as before.
func Resume(ctx context.Context, path string, lo LoadOptions, o Options) (*Outcome, error) {
	file := filepath.Join(path, "experiment.yaml")
	if len(lo.Overrides) > 0 {
		return nil, errors.New("runs: a run is resumed as it was begun: no overrides")
	}
	e, err := Load(file, lo)
	if err != nil {
		return nil, err
	}
	r := &run{exp: e, dir: newDirectory(path), opt: o}
	if err := readJSON(path, "manifest.json", &r.manifest); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	r.before = r.manifest.Data
	e.Finder.Dirs = append(e.Finder.Dirs, r.manifest.DataDirs...)
	now := Build()
	now.Command, now.Started, now.Seeds, now.Data, now.DataDirs = o.Command, r.manifest.Started, e.Seeds, []DataManifest{}, r.manifest.DataDirs
	if now.Started.IsZero() {
		now.Started = time.Now().UTC()
	}
	r.manifest = now
	return r.carryOut(ctx)
}

// run is a run in progress.
type run struct {
	exp      *Experiment
	dir      *directory
	opt      Options
	manifest Manifest
	before   []DataManifest // of an earlier attempt
	log      *slog.Logger
	mu       sync.Mutex // events, done, results
	done     int
	total    int
	results  map[string]Result
}

func (r *run) observe(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind == Finished {
		r.done++
		r.results[e.Cell.Path()] = e.Result
	}
	e.Dir, e.Done, e.Total = r.dir.path, r.done, r.total
	if r.opt.Observe != nil {
		r.opt.Observe(e)
	}
}

func (r *run) carryOut(ctx context.Context) (*Outcome, error) {
	if r.opt.create != nil {
		r.dir.create = r.opt.create
	}
	logFile, err := os.OpenFile(filepath.Join(r.dir.path, "log.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	defer logFile.Close()
	r.log = slog.New(slog.NewJSONHandler(logFile, nil))
	r.results = map[string]Result{}
	plan := r.exp.Plan()
	r.total = len(plan)
	r.takeOver(plan)
	r.log.Info("run", "name", r.exp.Name, "cells", r.total, "done", r.done)
	r.observe(Event{Kind: Planned})
	for i := range r.exp.Sets {
		set := &r.exp.Sets[i]
		var cells []Cell
		for _, c := range plan {
			if _, ok := r.results[c.Path()]; !ok && c.Set == set {
				cells = append(cells, c)
			}
		}
		if err := r.dataSet(ctx, set, cells); err != nil {
			return nil, err
		}
	}
	return r.finish(ctx, plan)
}

// takeOver keeps the cells of an earlier attempt that are ok.
func (r *run) takeOver(plan []Cell) {
	for _, c := range plan {
		var st status
		if readJSON(r.dir.path, c.Path()+"/status.json", &st) == nil && st.Status == OK {
			r.results[c.Path()] = st.Result
			r.done++
		}
	}
}

// dataSet runs the cells of one data set. The error is one that ends the run.
func (r *run) dataSet(ctx context.Context, set *DataSet, cells []Cell) error {
	name := set.Config.Name
	if len(cells) == 0 {
		for _, d := range r.before {
			if d.Name == name {
				r.manifest.Data = append(r.manifest.Data, d)
			}
		}
		return r.dir.writeJSON("manifest.json", r.manifest)
	}
	if ctx.Err() != nil {
		r.skip(cells, Interrupted, "interrupted")
		return nil
	}
	r.observe(Event{Kind: Preparing, Data: name})
	p, err := prepare(ctx, set, r.exp.Finder, runtime.GOMAXPROCS(0))
	switch {
	case err != nil && ctx.Err() != nil:
		r.skip(cells, Interrupted, "interrupted")
		return nil
	case err != nil:
		r.log.Error("data", "data", name, "error", err.Error())
		r.skip(cells, Failed, oneLine(err.Error()))
		return nil
	}
	m := p.manifest()
	for _, d := range r.before {
		if d.Name == name && !sameFiles(d.Files, m.Files) {
			return fmt.Errorf("runs: %s: the data files differ from those that the run began with; start a new run", name)
		}
	}
	r.manifest.Data = append(r.manifest.Data, m)
	if err := r.dir.writeJSON("manifest.json", r.manifest); err != nil {
		return err
	}
	for _, w := range p.warnings {
		r.observe(Event{Kind: Warned, Data: name, Text: w})
		r.log.Warn("data", "data", name, "warning", w)
	}
	r.observe(Event{Kind: Prepared, Data: name, Text: fmt.Sprintf("%d rows; %d benign rows train, %d set thresholds, %d test", p.table.Rows, m.Train, m.Valid, m.Test)})
	r.pool(ctx, p, cells)
	return nil
}

func sameFiles(a, b []FileRecord) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].SHA256 != b[i].SHA256 {
			return false
		}
	}
	return true
}

// skip ends cells without running them. Those that failed leave a status; interrupted ones do not, so that
// they are taken up again.
func (r *run) skip(cells []Cell, how, why string) {
	for _, c := range cells {
		res := blankResult(c)
		res.Status, res.Error = how, why
		if how != Interrupted {
			if err := r.dir.writeJSON(c.Path()+"/status.json", status{Status: how, Error: why, Started: time.Now().UTC(), Finished: time.Now().UTC(), Result: res}); err != nil {
				r.log.Error("cell", "cell", c.Path(), "error", err.Error())
			}
		}
		r.observe(Event{Kind: Finished, Cell: c, Result: res})
	}
}

// pool runs cells side by side; the processors that are left over by few cells go to each of them.
func (r *run) pool(ctx context.Context, p *prepared, cells []Cell) {
	cpus := runtime.GOMAXPROCS(0)
	workers := r.opt.Workers
	if workers <= 0 {
		workers = r.exp.Workers
	}
	if workers <= 0 {
		workers = cpus
	}
	workers = min(workers, len(cells))
	each := max(1, cpus/workers)
	next := make(chan Cell)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for c := range next {
				if ctx.Err() != nil {
					r.skip([]Cell{c}, Interrupted, "interrupted")
					continue
				}
				r.observe(Event{Kind: Started, Cell: c})
				j := &job{cell: c, exp: r.exp, dir: r.dir, data: p, workers: each, log: r.log, observe: r.observe}
				r.observe(Event{Kind: Finished, Cell: c, Result: j.run(ctx)})
			}
		})
	}
	for _, c := range cells {
		next <- c
	}
	close(next)
	wg.Wait()
}

// finish writes what sums the run up.
func (r *run) finish(ctx context.Context, plan []Cell) (*Outcome, error) {
	o := &Outcome{Dir: r.dir.path, Interrupted: ctx.Err() != nil}
	for _, c := range plan {
		res := r.results[c.Path()]
		if res.Status != OK {
			o.Failed++
		}
		o.Results = append(o.Results, res)
	}
	r.manifest.Finished = time.Now().UTC()
	r.log.Info("run", "cells", len(plan), "not_ok", o.Failed, "interrupted", o.Interrupted)
	err := errors.Join(
		r.dir.write("results.csv", func(w io.Writer) error { return writeResults(w, o.Results) }),
		r.dir.writeJSON("summary.json", summarise(r.exp, o.Results)),
		r.dir.writeJSON("manifest.json", r.manifest),
	)
	return o, err
}
