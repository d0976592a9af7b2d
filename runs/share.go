package runs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"plumbline/runs/claim"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Where processes that share a run leave what they have to tell each other.
const (
	claimFolder = "claims" // who is at work on which cell
	logFolder   = "logs"   // of each process
	dataFolder  = "data"   // each data set as it was read, by fold
	collecting  = "collect"
)

// WholeRun is the claim of a process that carries out the whole run.
const WholeRun = "run"

// ErrBusy is wrapped by the errors of who finds a run, not single cells of it, in the hands of another process.
var ErrBusy = errors.New("another process is at work on this run")

// Board is the claims on the cells of a run, by their numbers in the plan, for this process.
func Board(dir string, takeOver bool) *claim.Board {
	return &claim.Board{Files: claim.Folder(filepath.Join(dir, claimFolder)), Self: claim.Self(),
		Ask: claim.AskScheduler, TakeOver: takeOver}
}

// share takes what the process needs before it looks at cells: the claim on the whole run, or nothing but its name. It
// gives the cells of the plan that are to be carried out, and what ends the work.
func (r *run) share(ctx context.Context, plan []experiment.Cell) (own []experiment.Cell, end func(), err error) {
	r.board = r.newBoard()
	r.number = make(map[string]int, len(plan))
	for i, c := range plan {
		r.number[c.Path()] = i + 1
	}
	own, release := plan, func() {}
	if r.opt.Share == nil {
		whole, err := r.board.Alone(ctx, WholeRun)
		if err != nil {
			return nil, nil, fmt.Errorf("runs: %s: %w: %w", r.dir.Path, ErrBusy, err)
		}
		release = func() { whole.Tidy() }
	} else {
		own = nil
		for _, n := range r.opt.Share {
			if n < 1 || n > len(plan) {
				return nil, nil, fmt.Errorf("runs: %w %d: the run has cells 1 to %d", ErrNoCell, n, len(plan))
			}
			own = append(own, plan[n-1])
		}
		r.dir.Writer = r.board.Self.Token
	}
	r.steps, err = record.OpenSteps(r.dir.Path, r.processName())
	if err == nil {
		r.grows(record.StepsFolder + "/" + r.processName() + ".jsonl")
		s := record.Step{Host: r.board.Self.Host, PID: r.board.Self.PID, Time: time.Now().UTC()}
		if j := r.board.Self.Job; j != nil {
			s.Job = j.String()
		}
		err = r.steps.Add(s)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return own, func() { r.steps.Close(); release() }, nil
}

// processName names the files of this process: no two have the same.
func (r *run) processName() string {
	s := r.board.Self
	name := s.Host + "-" + strconv.Itoa(s.PID) + "-" + s.Token
	if j := s.Job; j != nil {
		name = j.Scheduler + "-" + j.ID
		if j.Task != "" {
			name += "-" + j.Task
		}
		name += "-" + s.Token
	}
	return name
}

// logName is the process's log in the run directory.
func (r *run) logName() string {
	if r.opt.Share == nil {
		return "log.jsonl"
	}
	return filepath.Join(logFolder, r.processName()+".jsonl")
}

// claim makes the claim on a cell, which in a run that is carried out alone needs none. It says no where another
// process has the cell, or has finished it meanwhile.
func (r *run) claim(ctx context.Context, c experiment.Cell) (*claim.Claim, bool) {
	if r.opt.Share == nil {
		return nil, true
	}
	got, err := r.board.Take(ctx, strconv.Itoa(r.number[c.Path()]))
	if err == nil {
		if err = r.board.Free(ctx, WholeRun); err != nil {
			err = errors.Join(err, got.Release())
		}
	}
	if err != nil {
		r.hold(c, err)
		return nil, false
	}
	if res, done := r.doneMeanwhile(c); done {
		if err := got.Release(); err != nil {
			r.log.Warn("claim", "cell", c.Path(), "error", err.Error())
		}
		r.ended(c, res, 0, nil)
		r.observe(Event{Kind: Finished, Cell: c, Result: res})
		return nil, false
	}
	return got, true
}

// hold notes that a cell is another process's.
func (r *run) hold(c experiment.Cell, why error) {
	r.log.Warn("a cell is left to another process", "cell", c.Path(), "why", why.Error())
	r.mu.Lock()
	r.held = append(r.held, fmt.Errorf("%s: %w", c.Path(), why))
	r.mu.Unlock()
}

// doneMeanwhile looks whether somebody finished the cell before the claim was made. A client of a network file system
// may hold an old view of the cell's folder: making it asks the server whether it is there, and a change in it makes
// the client look again.
func (r *run) doneMeanwhile(c experiment.Cell) (record.Result, bool) {
	if r.remote != nil {
		if err := r.remote.Fetch(context.Background(), c.Path()); err != nil {
			r.log.Warn("what was left of a cell cannot be fetched", "cell", c.Path(), "error", err.Error())
			return record.Result{}, false
		}
	}
	folder := filepath.Join(r.dir.Path, filepath.FromSlash(c.Path()))
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return record.Result{}, false // the cell's own files will say so
	}
	if err := os.Mkdir(folder, 0o755); err == nil || !errors.Is(err, fs.ErrExist) {
		return record.Result{}, false
	}
	probe := filepath.Join(folder, "looking."+r.board.Self.Token+".part")
	if f, err := os.Create(probe); err == nil {
		f.Close()
		os.Remove(probe)
	}
	st, faults := record.CheckCell(r.dir.Path, c.Path(), true)
	if st == nil || len(faults) > 0 || st.Status != record.OK || st.Result.ModelSeed != blankResult(c).ModelSeed {
		return record.Result{}, false
	}
	return st.Result, true
}

// mine is an error that wraps [claim.ErrHeld] when another process, sure that this one was gone, has taken the cell
// over: what was computed is not written over its files' status.
func (j *job) mine() error {
	if j.claim == nil {
		return nil
	}
	mine, err := j.claim.Mine()
	if err == nil && !mine {
		err = fmt.Errorf("the cell %w by another process, which was told that this one had ended", claim.ErrHeld)
	}
	return err
}

// ended notes the end of a cell and gives its claim back.
func (r *run) ended(c experiment.Cell, res record.Result, took time.Duration, claimed *claim.Claim) {
	if res.Status != record.Interrupted {
		r.step(c, res, took)
	}
	if claimed == nil {
		return
	}
	if err := claimed.Release(); err != nil {
		r.log.Error("claim", "cell", c.Path(), "error", err.Error())
	}
}

// step leaves a line about a cell that ended.
func (r *run) step(c experiment.Cell, res record.Result, took time.Duration) {
	err := r.steps.Add(record.Step{Cell: c.Path(), Status: res.Status, Error: res.Error,
		Seconds: round(took), Time: time.Now().UTC()})
	if err != nil {
		r.log.Warn("progress", "cell", c.Path(), "error", err.Error())
	}
}

// leaveData leaves what a data set was read as, for those who share the run.
func (r *run) leaveData(m record.DataManifest, fold string) error {
	if fold == "" {
		fold = "all"
	}
	return r.dir.WriteJSON(dataFolder+"/"+m.Name+"/"+fold+".json", m)
}

// readShared is the data sets that those who share a run have read, over those that are known, in the order of the
// experiment; of the first fold that somebody has read.
func readShared(dir string, e *experiment.Experiment, known []record.DataManifest) ([]record.DataManifest, error) {
	out := []record.DataManifest{}
	for i := range e.Sets {
		name := e.Sets[i].Config.Name
		at := slices.IndexFunc(known, func(d record.DataManifest) bool { return d.Name == name })
		found := at >= 0
		var m record.DataManifest
		if found {
			m = known[at]
		}
		for k, fold := range e.Sets[i].Split.FoldNames() {
			if fold == "" {
				fold = "all"
			}
			var read record.DataManifest
			err := record.ReadJSON(dir, dataFolder+"/"+name+"/"+fold+".json", &read)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if k == 0 || !found {
				m, found = read, true
			}
			break
		}
		if found {
			out = append(out, m)
		}
	}
	if len(out) == 0 && known == nil {
		return nil, nil
	}
	return out, nil
}

// finishShare is the outcome of a share.
func (r *run) finishShare(ctx context.Context, plan []experiment.Cell) (*Outcome, error) {
	o := &Outcome{Dir: r.dir.Path, Interrupted: ctx.Err() != nil, Held: r.held}
	for _, c := range plan {
		res, ok := r.results[c.Path()]
		if !ok {
			continue
		}
		switch res.Status {
		case record.OK:
		case record.Interrupted:
			o.Interrupted = true
		default:
			o.Failed++
		}
		o.Results = append(o.Results, res)
	}
	r.log.Info("share", "cells", len(plan), "not_ok", o.Failed, "held", len(o.Held), "interrupted", o.Interrupted)
	if full := context.Cause(ctx); errors.Is(full, record.ErrUnwritable) {
		return o, full
	}
	return o, nil
}
