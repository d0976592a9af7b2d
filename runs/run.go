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
	"slices"
	"strings"
	"sync"
	"time"

	"plumbline/data/audit"
	"plumbline/data/cache"
	"plumbline/eval"
	"plumbline/numeric/parallel"
	"plumbline/runs/claim"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// Options is how an experiment is carried out, apart from what it is.
type Options struct {
	Root    string       // folder that run directories are made in; default "runs"
	Workers int          // overrides the experiment's, if > 0
	Memory  int64        // bytes that a data set and what a model makes of it may take; 0: any
	Observe func(Event)  // may be nil
	Command []string     // recorded in the manifest
	Cache   *cache.Store // of prepared data; nil: none
	Tuned   []record.Tuned
	// Share is the cells that Resume carries out beside other processes, by their places in the plan from 1; nil: all of
	// them, and no other process may be at work on the run. A share leaves no results.csv: see [Collect].
	Share []int
	// TakeOver treats processes of which nothing can be known as gone, and takes their cells over.
	TakeOver bool
	// Remote is where the run directory lives whose copy on this machine is named; nil: here.
	Remote func(dir string) (Remote, error)
	create func(path string) (io.WriteCloser, error)
	judge  judging
}

// judging is [eval.Summarise], or what a test puts in its place.
type judging func(scores []float64, t eval.Truth, threshold float64, resamples int, seed uint64) (*eval.Metrics, error)

// Outcome is a run that came to an end.
type Outcome struct {
	Dir         string
	Results     []record.Result // in the order of the plan
	Failed      int             // cells that are not ok
	Interrupted bool            // the context was cancelled: Resume takes the run up again
	// Held are the cells of a share that another process has, which may be at work; they are not among Results.
	Held []error
}

// Run carries the experiment out in a new run directory. Cells that fail are results with a status, not an
// error; the error is about what concerns the run as a whole. When the directory cannot be written any more, the run
// ends at once with what is done and an error that wraps [record.ErrUnwritable]; Resume takes it up.
func Run(ctx context.Context, e *experiment.Experiment, o Options) (*Outcome, error) {
	r, err := begin(e, o)
	if err != nil {
		return nil, err
	}
	return r.carryOut(ctx)
}

// Begin makes the run directory of an experiment, in which other processes carry out its cells ([Options.Share]).
func Begin(e *experiment.Experiment, o Options) (dir string, err error) {
	r, err := begin(e, o)
	if err != nil {
		return "", err
	}
	r.manifest.Plan = planned(e.Plan())
	return r.dir.Path, r.dir.WriteJSON("manifest.json", r.manifest)
}

// begin makes a run directory.
func begin(e *experiment.Experiment, o Options) (*run, error) {
	root := o.Root
	if root == "" {
		root = "runs"
	}
	resolved, err := e.Resolved()
	if err != nil {
		return nil, err
	}
	if err := e.FindFiles(e.Plan()); err != nil {
		return nil, err
	}
	dir, err := record.MakeDirectory(root, e.Name, time.Now())
	if err != nil {
		return nil, err
	}
	r := &run{exp: e, dir: dir, opt: o}
	if err := r.attach(); err != nil {
		return nil, err
	}
	err = dir.Write("experiment.yaml", func(w io.Writer) error { _, err := w.Write(resolved); return err })
	if err != nil {
		return nil, err
	}
	m := record.Build()
	m.Tuned = o.Tuned
	m.Command, m.Started, m.Seeds = o.Command, time.Now().UTC(), e.Seeds
	m.Data, m.DataDirs = []record.DataManifest{}, e.Finder.Absolute()
	m.Experiment = record.SumOf(resolved).SHA256
	r.manifest = m
	return r, nil
}

// run is a run in progress.
type run struct {
	exp      *experiment.Experiment
	dir      *record.Directory
	opt      Options
	manifest record.Manifest
	before   record.Manifest // of an earlier attempt, zero without one
	log      *slog.Logger
	mu       sync.Mutex // events, done, results
	done     int
	total    int
	stop     context.CancelCauseFunc // ends the run at once
	results  map[string]record.Result
	again    []string // why cells that had ended are done again
	board    *claim.Board
	steps    *record.Steps
	number   map[string]int // of each cell in the plan, from 1
	held     []error
	remote   Remote // nil: the run directory lives here
}

func (r *run) carryOut(ctx context.Context) (*Outcome, error) {
	if r.opt.create != nil {
		r.dir.Create = r.opt.create
	}
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	folder, err := os.Open(r.dir.Path)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	defer folder.Close()
	// two processes would write the same files, each over the other's halves
	if record.Lock(folder, r.opt.Share != nil) {
		return nil, fmt.Errorf("runs: %s: %w", r.dir.Path, ErrBusy)
	}
	r.results = map[string]record.Result{}
	whole := r.exp.Plan()
	plan, end, err := r.share(ctx, whole)
	if err != nil {
		return nil, err
	}
	defer end()
	logFile, err := openLog(filepath.Join(r.dir.Path, r.logName()))
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	r.log = slog.New(slog.NewJSONHandler(logFile, nil))
	r.grows(filepath.ToSlash(r.logName()))
	r.total = len(plan)
	if r.opt.Share == nil {
		r.manifest.Plan = planned(plan)
	}
	if err := r.fetchCells(ctx, plan); err != nil {
		return nil, err
	}
	r.resumeFinished(plan)
	left := slices.DeleteFunc(
		slices.Clone(plan),
		func(c experiment.Cell) bool { _, done := r.results[c.Path()]; return done },
	)
	if err := r.exp.FindFiles(left); err != nil {
		return nil, err
	}
	r.log.Info(
		"run",
		"name",
		r.exp.Name,
		"cells",
		r.total,
		"done",
		r.done,
		"revision",
		r.manifest.Revision,
		"go",
		r.manifest.Go,
	)
	if b := r.before; b.Go != "" &&
		(b.Revision != r.manifest.Revision || b.Go != r.manifest.Go || b.Arch != r.manifest.Arch) {
		r.log.Warn(
			"the program is another than the one that the run began with",
			"revision",
			b.Revision,
			"go",
			b.Go,
			"arch",
			b.Arch,
		)
	}
	if r.opt.Share == nil {
		r.writeManifest()
	}
	r.observe(Event{Kind: Planned})
	for _, why := range r.again {
		r.observe(Event{Kind: Warned, Text: "done again: " + why})
	}
	for i := range r.exp.Sets {
		set := &r.exp.Sets[i]
		var cells []experiment.Cell
		for _, c := range plan {
			if _, ok := r.results[c.Path()]; !ok && c.Set == set {
				cells = append(cells, c)
			}
		}
		if err := r.dataSet(ctx, set, cells); err != nil {
			return nil, err
		}
	}
	if r.opt.Share != nil {
		return r.finishShare(ctx, plan)
	}
	return r.finish(ctx, plan)
}

// openLog opens the log for appending. What is no regular file in its place is refused: a pipe would wait for a reader.
func openLog(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("runs: %s is not a regular file (%v)", path, st.Mode().Type())
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	return f, nil
}

// dataSet runs the cells of one data set. The error is one that ends the run.
func (r *run) dataSet(ctx context.Context, set *experiment.DataSet, cells []experiment.Cell) error {
	name := set.Config.Name
	if len(cells) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		r.skip(cells, record.Interrupted, "interrupted")
		return nil
	}
	r.observe(Event{Kind: Preparing, Data: name})
	at := &phases{log: r.log.With("data", name)}
	defer at.next("")
	at.next("hashing files")
	src := &prepare.Source{
		Set: set, Finder: r.exp.Finder, Workers: runtime.GOMAXPROCS(0), Memory: r.opt.Memory, Store: r.cacheSlot(set),
		Reading: func() { at.next("reading") },
		Read:    func() { boundGarbage(); at.next("preparing") },
	}
	boundGarbage() // by what is left of the data set before
	last := slices.MaxFunc(cells, func(a, b experiment.Cell) int { return a.FoldIndex - b.FoldIndex }).FoldIndex
	for k := range set.Split.FoldNames() {
		var own []experiment.Cell
		for _, c := range cells {
			if c.FoldIndex == k {
				own = append(own, c)
			}
		}
		if len(own) == 0 {
			continue
		}
		if err := r.fold(ctx, src, k, k == last, own, at); err != nil {
			return err
		}
	}
	return nil
}

// cacheSlot is a data set's place in the cache.
func (r *run) cacheSlot(set *experiment.DataSet) prepare.CacheSlot {
	var once sync.Once // the first trouble; all of it is in the log
	say := func(text string) {
		once.Do(func() { r.observe(Event{Kind: Warned, Data: set.Config.Name, Text: text}) })
	}
	return prepare.NewCacheSlot(r.opt.Cache, set, r.exp.Finder, r.manifest.Version, r.log, say)
}

// abandon ends cells that could not begin.
func (r *run) abandon(ctx context.Context, name string, cells []experiment.Cell, err error) {
	if ctx.Err() != nil {
		r.skip(cells, record.Interrupted, "interrupted")
		return
	}
	r.log.Error("data", "data", name, "error", err.Error())
	logPanic(r.log, "data", name, err)
	r.skip(cells, record.Failed, oneLine(err.Error()))
}

// caught is what f returns, or its panic as an error: what goes wrong with one data set is no concern of the others.
func caught(f func() error) (err error) {
	if p := parallel.Catch(func() { err = f() }); p != nil {
		return p
	}
	return err
}

// fold runs the cells of one fold of a data set; after the last one nobody needs its table. The error is one that
// ends the run.
func (r *run) fold(
	ctx context.Context, src *prepare.Source, k int, last bool, cells []experiment.Cell, at *phases,
) error {
	name := src.Set.Config.Name
	at.next("preparing")
	var p *prepare.Prepared
	err := caught(func() (err error) { p, err = src.Prepare(ctx, k); return err })
	if err != nil {
		r.abandon(ctx, name, cells, err)
		return nil
	}
	m := p.Info
	known := slices.IndexFunc(r.manifest.Data, func(d record.DataManifest) bool { return d.Name == name })
	if known >= 0 && !sameFiles(r.manifest.Data[known].Files, m.Files) {
		return fmt.Errorf("runs: %s: the data files differ from those that the run began with; start a new run", name)
	}
	if r.exp.Audit != "off" {
		at.next("auditing")
		var report *audit.Report
		err = caught(func() (err error) { report, err = r.audit(ctx, p, cells[0]); return err })
		if errors.Is(err, record.ErrUnwritable) {
			r.stop(err)
		}
		if err != nil {
			r.abandon(ctx, name, cells, err)
			return nil
		}
		m.Audit, m.Warnings = report.Line(), slices.Concat(m.Warnings, report.Warnings())
	}
	switch {
	case r.opt.Share != nil:
		if err := r.leaveData(m, cells[0].Fold); err != nil {
			return err
		}
	case known < 0:
		r.manifest.Data = append(r.manifest.Data, m)
	case k == 0:
		r.manifest.Data[known] = m
	}
	if r.opt.Share == nil {
		r.writeManifest()
	}
	for _, w := range m.Warnings {
		r.observe(Event{Kind: Warned, Data: name, Text: w})
		r.log.Warn("data", "data", name, "warning", w)
	}
	text := fmt.Sprintf("%d rows; %s, %d set thresholds, %d test", m.Rows, m.Training(), m.Valid, m.Test)
	if part := cells[0].Fold; part != "" {
		text = "fold " + part + ": " + text
	}
	r.observe(Event{Kind: Prepared, Data: name, Text: text})
	at.next("making sets")
	p.MakeAll(ctx, needsOf(cells))
	if last {
		p.Release()
	}
	boundGarbage()
	at.next("cells")
	r.pool(ctx, p, cells)
	at.next("checking sets")
	if err := p.Unchanged(); err != nil {
		r.revoke(cells, err)
	}
	return nil
}

// needsOf is what the models of cells see, each once, in the order of the cells.
func needsOf(cells []experiment.Cell) (all []prepare.Needs) {
	for _, c := range cells {
		if n := prepare.NeedsOf(c.Entry.Info.Needs); !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// audit writes the audit of a data set, or of one fold of it.
func (r *run) audit(ctx context.Context, p *prepare.Prepared, c experiment.Cell) (*audit.Report, error) {
	file := "audit/" + p.Set.Config.Name
	if c.Fold != "" {
		file += "-" + c.Fold
	}
	report, err := p.Audit(ctx)
	if err == nil {
		err = r.dir.WriteJSON(file+".json", report)
	}
	if err == nil && r.exp.Audit == "strict" && len(report.Findings) > 0 {
		err = fmt.Errorf(
			"audit: strict, and %d findings, first: %s (all in %s.json)",
			len(report.Findings),
			report.Findings[0].Text,
			file,
		)
	}
	return report, err
}

// writeManifest brings manifest.json up to date. It is written again when the run ends, and only then is it
// an error that it cannot be.
func (r *run) writeManifest() {
	if err := r.dir.WriteJSON("manifest.json", r.manifest); err != nil {
		r.log.Error("manifest", "error", err.Error())
	}
}

// finish writes what sums the run up.
func (r *run) finish(ctx context.Context, plan []experiment.Cell) (*Outcome, error) {
	return r.sumUp(ctx, plan, ctx.Err() != nil, nil)
}

// sumUp writes what sums the run up; sums are those of status files that were read just now.
func (r *run) sumUp(ctx context.Context, plan []experiment.Cell, interrupted bool, sums map[string]record.FileSum,
) (*Outcome, error) {
	o := &Outcome{Dir: r.dir.Path, Interrupted: interrupted}
	for _, c := range plan {
		res := r.results[c.Path()]
		if res.Status != record.OK {
			o.Failed++
		}
		o.Results = append(o.Results, res)
	}
	r.manifest.Finished = time.Time{}
	if !o.Interrupted {
		r.manifest.Finished = time.Now().UTC()
	}
	r.log.Info("run", "cells", len(plan), "not_ok", o.Failed, "interrupted", o.Interrupted)
	err := errors.Join(
		r.dir.Write("results.csv", func(w io.Writer) error { return record.WriteResults(w, o.Results) }),
		r.dir.WriteJSON("summary.json", summarise(r.exp, &r.manifest, o.Results)),
	)
	r.manifest.Files = r.files(plan, sums)
	err = errors.Join(err, r.dir.WriteJSON("manifest.json", r.manifest))
	if full := context.Cause(ctx); errors.Is(full, record.ErrUnwritable) {
		return o, full
	}
	return o, err
}

// files is what the run wrote besides the cells' own files, and the status of every cell that ended; sums are those
// that are known.
func (r *run) files(plan []experiment.Cell, sums map[string]record.FileSum) map[string]record.FileSum {
	out := map[string]record.FileSum{}
	for name, sum := range r.before.Files { // of an earlier attempt: what is not written anew
		if strings.HasPrefix(name, "audit/") {
			out[name] = sum
		}
	}
	written := r.dir.Written()
	for name, sum := range written {
		if !strings.HasPrefix(name, "cells/") && name != "manifest.json" {
			out[name] = sum
		}
	}
	if _, ok := out["experiment.yaml"]; !ok { // of an earlier process
		if sum, err := record.Sum(filepath.Join(r.dir.Path, "experiment.yaml"), record.MaxJSON); err == nil {
			out["experiment.yaml"] = sum
		}
	}
	for _, c := range plan {
		name := c.Path() + "/status.json"
		sum, ok := written[name]
		if !ok {
			sum, ok = sums[name]
		}
		if !ok { // taken over: it was checked
			var err error
			if sum, err = record.Sum(filepath.Join(r.dir.Path, filepath.FromSlash(name)), record.MaxJSON); err != nil {
				continue
			}
		}
		out[name] = sum
	}
	return out
}
