package tune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumbline/configs/settings"
	"plumbline/data/split"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs"
	"plumbline/runs/claim"
	"plumbline/runs/experiment"
	"plumbline/runs/foreign"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// cellResult is what is kept of a cell.
type cellResult struct {
	Cell    string                 `json:"cell"` // hash of what decides it
	Value   eval.Number            `json:"value"`
	Error   string                 `json:"error,omitempty"`
	Seconds float64                `json:"seconds"`
	Metrics map[string]eval.Number `json:"metrics,omitempty"`
}

// bench judges candidates on the training part of a data set. It has no test rows, and no way to them.
type bench struct {
	training  *prepare.Training
	sum       string
	settings  *experiment.Tune
	inner     split.SplitSpec
	dir       *record.Directory
	program   string
	find      func(name string) (string, error) // files that the arguments of a program from elsewhere name
	workers   int                               // cells side by side; 0: one for each processor
	candidate func(values []string) (*experiment.Candidate, error)
	ended     func(*Trial) // a trial has its value; one at a time

	share bool // others are at work on the search
	board *claim.Board

	mu       sync.Mutex
	prepared map[string]*folds
	busy     map[string]*sync.Mutex // by the hash of a cell
	trained  int                    // cells that were not on file
}

// folds is the training part as some preprocessing makes it.
type folds struct {
	source *prepare.Source
	once   []sync.Once
	made   []*prepare.Prepared
	err    []error
}

func (b *bench) fold(ctx context.Context, c *experiment.Candidate, k int) (*prepare.Prepared, error) {
	text, err := settings.Marshal([]any{c.Prep.Doc, c.Traces})
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	f, ok := b.prepared[string(text)]
	if !ok {
		n := len(b.inner.FoldNames())
		f = &folds{
			source: b.training.Source(b.inner, c.Prep, c.Traces, runtime.GOMAXPROCS(0)),
			once:   make([]sync.Once, n), made: make([]*prepare.Prepared, n), err: make([]error, n),
		}
		b.prepared[string(text)] = f
	}
	b.mu.Unlock()
	f.once[k].Do(func() { f.made[k], f.err[k] = f.source.Prepare(ctx, k) })
	return f.made[k], f.err[k]
}

// task is one cell of a trial.
type task struct {
	candidate *experiment.Candidate
	seed      uint64
	fold      int
	to        *cellResult
	trial     int // its place in the batch
}

// cells is the folds and seeds of a trial, all folds of a seed first.
func (b *bench) cells() int { return len(b.inner.FoldNames()) * len(b.settings.Seeds) }

// evaluate is an [evaluate].
func (b *bench) evaluate(ctx context.Context, trials []*Trial, cells, resource int) error {
	n := len(b.inner.FoldNames())
	results, left := make([][]cellResult, len(trials)), make([]int, len(trials))
	var tasks []task
	for i, t := range trials {
		values := t.Values
		if resource > 0 {
			values = append(values[:len(values):len(values)], b.settings.Resource.Key+"="+strconv.Itoa(resource))
		}
		results[i] = make([]cellResult, cells)
		c, err := b.candidate(values)
		for k := range cells {
			if err != nil { // values that do not go together
				results[i][k].Error = err.Error()
				continue
			}
			left[i]++
			tasks = append(tasks, task{c, b.settings.Seeds[k/n], k % n, &results[i][k], i})
		}
	}
	cpus := runtime.GOMAXPROCS(0)
	workers := b.workers
	if workers <= 0 {
		workers = cpus
	}
	workers = max(1, min(workers, len(tasks)))
	next := make(chan task)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	var mu sync.Mutex
	finish := func(i int) {
		mu.Lock()
		defer mu.Unlock()
		if left[i]--; left[i] <= 0 {
			trials[i].judge(results[i])
			b.ended(trials[i])
		}
	}
	for w := range workers {
		wg.Go(func() {
			for t := range next {
				if ctx.Err() != nil || errs[w] != nil {
					continue
				}
				if errs[w] = b.cell(ctx, t, max(1, cpus/workers)); ctx.Err() == nil && errs[w] == nil {
					finish(t.trial)
				}
			}
		})
	}
	for i := range trials {
		if left[i] == 0 { // values that do not go together
			finish(i)
		}
	}
	for _, t := range tasks {
		next <- t
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	clear(b.prepared) // the next batch makes what it needs
	b.mu.Unlock()
	return errors.Join(errs...)
}

// cell takes the cell from its file, or trains it and writes the file. The error is about the directory.
func (b *bench) cell(ctx context.Context, t task, workers int) error {
	c := t.candidate
	files, err := foreign.FilesOf(c.Entry.Spec, b.find)
	if err != nil {
		return fmt.Errorf("tune: %w", err)
	}
	key := record.SumOf(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d\n%s\n%+v%s", c.Decides, b.sum, b.settings.Objective,
		b.settings.Metric, t.seed, b.program, b.innerFold(t.fold), files)).SHA256
	name := fmt.Sprintf("cells/%s/%s.json", key[:2], key[:32])
	b.mu.Lock()
	if b.busy[key] == nil {
		b.busy[key] = &sync.Mutex{}
	}
	busy := b.busy[key]
	b.mu.Unlock()
	busy.Lock() // two trials of a batch may be the same
	defer busy.Unlock()
	err = record.ReadJSON(b.dir.Path, name, t.to)
	if err == nil && t.to.Cell == key {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // half a file is trained again
		*t.to = cellResult{}
	}
	if b.share {
		claimed, err := b.claim(ctx, key, name, t.to)
		if err != nil || claimed == nil {
			return err
		}
		defer claimed.Release()
	}
	began := time.Now()
	m, err := b.train(ctx, t, workers, strings.TrimSuffix(name, ".json"))
	if ctx.Err() != nil {
		return nil
	}
	*t.to = cellResult{Cell: key, Seconds: math.Round(time.Since(began).Seconds()*1000) / 1000}
	if err != nil {
		t.to.Error = err.Error()
	} else {
		t.to.Value, t.to.Metrics = eval.Number(b.objective(m)), map[string]eval.Number{}
		for k, v := range m.Values {
			t.to.Metrics[k] = eval.Number(v)
		}
	}
	b.mu.Lock()
	b.trained++
	b.mu.Unlock()
	return b.dir.WriteJSON(name, t.to)
}

// lookAgain is how often a process looks whether another one has trained a cell.
const lookAgain = 500 * time.Millisecond

// claim makes the claim on a cell, or waits until the process that has it leaves the cell's value: then there is no
// claim.
func (b *bench) claim(ctx context.Context, key, name string, to *cellResult) (*claim.Claim, error) {
	for ctx.Err() == nil {
		got, err := b.board.Take(ctx, key[:32])
		if err != nil && ctx.Err() == nil && !errors.Is(err, claim.ErrHeld) {
			return nil, fmt.Errorf("tune: %w", err)
		}
		if record.ReadJSON(b.dir.Path, name, to) == nil && to.Cell == key {
			if got != nil {
				err = got.Release()
			} else {
				err = nil
			}
			return nil, err
		}
		if got != nil {
			if err := b.board.Free(ctx, runs.WholeRun); err != nil {
				return nil, errors.Join(fmt.Errorf("tune: %w", err), got.Release())
			}
			return got, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
	return nil, nil
}

func (b *bench) innerFold(k int) any {
	s := b.inner
	return []any{s.Kind, s.Test, s.Validation, s.Attacks, s.Column, s.Columns, s.Folds, s.Repeats, s.LeaveOut,
		s.Contamination, s.Unlabelled, s.Rows, s.Duplicates, s.Overlap, s.Seed, k}
}

func (b *bench) train(ctx context.Context, t task, workers int, folder string) (*eval.Metrics, error) {
	p, err := b.fold(ctx, t.candidate, t.fold)
	if err != nil {
		return nil, err
	}
	c := experiment.Cell{Set: p.Set, Entry: &t.candidate.Entry, Seed: t.seed, FoldIndex: t.fold,
		Fold: b.inner.FoldNames()[t.fold]}
	m, err := runs.Judge(ctx, t.candidate.Settings, p, c, workers, runs.Workplace{Dir: b.dir, Path: folder, Find: b.find})
	if err != nil {
		return nil, err
	}
	if b.settings.Objective == "benign_loss" {
		if _, ok := m.Values["re_benign_mean"]; !ok {
			if _, ok := m.Values["re_valid_mean"]; !ok || !m.Unlabelled {
				return nil, fmt.Errorf("%s rebuilds no rows, so that it has no benign_loss", t.candidate.Entry.Label)
			}
		}
	}
	return m, nil
}

// objective is what a cell is judged by.
func (b *bench) objective(m *eval.Metrics) float64 {
	if b.settings.Objective != "benign_loss" {
		return m.Value(b.settings.Metric)
	}
	if m.Unlabelled {
		return m.Values["re_valid_mean"]
	}
	return m.Values["re_benign_mean"]
}

// better says which values of the objective are preferred.
func better(t *experiment.Tune) eval.Better {
	if t.Objective == "benign_loss" {
		return eval.Lower
	}
	m, _ := eval.MetricNamed(t.Metric)
	return m.Better
}

// possible says what the training part lacks for the objective.
func (b *bench) possible(labels models.Labels) error {
	_, attacks := b.training.Count()
	if attacks == 0 && (b.settings.Objective != "benign_loss" || labels.Any()) {
		return fmt.Errorf("tune: %s: the training part has no attack to judge settings by: objective benign_loss, or a "+
			"split that leaves attacks in training (split.attacks: split)", b.training.Name())
	}
	if n := b.training.AttackClasses(); b.settings.Objective == "families" && n < b.settings.Folds &&
		b.inner.Kind == "kfold" {
		return fmt.Errorf("tune: %s: the training part has %d attack classes for %d folds of families", b.training.Name(), n,
			b.settings.Folds)
	}
	return nil
}
