package runs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"plumbline/numeric/parallel"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Collect writes what sums a run up, results.csv, summary.json and the manifest, of the cells that processes which
// share the run have ended; those that have not are interrupted in it. It may be done while cells are at work, and
// again. No cell is trained, and no data is read.
func Collect(ctx context.Context, path string, lo experiment.LoadOptions, o Options) (*Outcome, error) {
	o.Share = []int{} // reads what the others have left
	r, err := open(path, lo, o)
	if err != nil {
		return nil, err
	}
	if r.manifest.Command = r.before.Command; r.before.Go != "" { // the program that trained, not the one that collects
		now := r.manifest
		r.manifest = r.before
		r.manifest.Data, r.manifest.Experiment = now.Data, now.Experiment
	}
	plan := r.exp.Plan()
	r.manifest.Plan = planned(plan)
	board := r.newBoard()
	own, err := board.Take(ctx, collecting)
	if err != nil {
		return nil, fmt.Errorf("runs: %s: %w", path, err)
	}
	defer own.Tidy()
	if err := board.Free(ctx, WholeRun); err != nil {
		return nil, fmt.Errorf("runs: %s: %w: %w", path, ErrBusy, err)
	}
	logFile, err := openLog(filepath.Join(path, "log.jsonl"))
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	r.log = slog.New(slog.NewJSONHandler(logFile, nil))
	r.grows("log.jsonl")
	sums := make([]record.FileSum, len(plan))
	results := make([]record.Result, len(plan))
	ended := make([]bool, len(plan))
	// reading waits for the disk more than it computes
	err = parallel.Blocks(ctx, 4*runtime.GOMAXPROCS(0), len(plan), 16, func(from, to int) {
		for i := from; i < to; i++ {
			results[i], sums[i], ended[i] = collect(path, plan[i])
		}
	})
	if err != nil {
		return nil, err
	}
	r.results = map[string]record.Result{}
	known := map[string]record.FileSum{}
	missing := 0
	for i, c := range plan {
		r.results[c.Path()] = results[i]
		if sums[i].Bytes > 0 {
			known[c.Path()+"/status.json"] = sums[i]
		}
		if !ended[i] {
			missing++
		}
	}
	r.dir.Writer = board.Self.Token
	if r.before.Files == nil {
		r.before.Files = map[string]record.FileSum{}
	}
	if err := r.sumAudits(); err != nil {
		return nil, err
	}
	return r.sumUp(ctx, plan, missing > 0, known)
}

// collect is the result of one cell, and whether it has come to an end.
func collect(dir string, c experiment.Cell) (record.Result, record.FileSum, bool) {
	st, sum, faults := record.CheckCellSum(dir, c.Path(), false)
	if st != nil && len(faults) == 0 {
		return st.Result, sum, true
	}
	res := blankResult(c)
	res.Status, res.Error = record.Interrupted, "has not come to an end"
	if len(faults) > 0 { // it is done again by whoever takes the run up
		res.Error = oneLine(faults[0].String())
	}
	return res, record.FileSum{}, false
}

// sumAudits takes the audits that were left into the files that the manifest lists.
func (r *run) sumAudits() error {
	entries, err := os.ReadDir(filepath.Join(r.dir.Path, "audit"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		sum, err := record.Sum(filepath.Join(r.dir.Path, "audit", e.Name()), record.MaxJSON)
		if err != nil {
			return fmt.Errorf("runs: %w", err)
		}
		r.before.Files["audit/"+e.Name()] = sum
	}
	return nil
}

// WaitForCells waits until every cell of a run has come to an end, and looks every so often; it is an error when that
// takes longer than limit. Ended says whether a cell has, nil: as its status in the directory says.
func WaitForCells(ctx context.Context, path string, lo experiment.LoadOptions, limit, every time.Duration,
	ended func(cell string) (bool, error)) error {
	if ended == nil {
		ended = func(cell string) (bool, error) {
			st, faults := record.CheckCell(path, cell, false)
			return st != nil && faults == nil, nil
		}
	}
	e, err := experiment.Load(filepath.Join(path, "experiment.yaml"), lo)
	if err != nil {
		return err
	}
	left := e.Plan()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for len(left) > 0 {
		done, err := ended(left[0].Path())
		if err != nil {
			return err
		}
		if done {
			left = left[1:]
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("runs: %s: %s has not come to an end, and %d cells after it were not looked at", path,
				left[0].Path(), len(left)-1)
		case <-time.After(every):
		}
	}
	return nil
}
