package runs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"plumbline/numeric/parallel"
	"plumbline/runs/claim"
	"plumbline/runs/experiment"
)

// Remote is where a run directory lives of which this machine has a copy, such as in a bucket. Files go by their names
// in the run directory, with slashes.
type Remote interface {
	// Send hands on a file of the copy, over the one that may be there.
	Send(name string) error
	// Gone removes a file that the copy has no longer.
	Gone(name string) error
	// Grows sends what is appended to a file, now and then; Grown sends the rest of it.
	Grows(name string)
	Grown(name string) error
	// Fetch makes a folder of the copy what it is there.
	Fetch(ctx context.Context, folder string) error
	// Claims is where claims are kept, in place of the copy.
	Claims() claim.Files
}

// attach has the run's files handed on where the run directory lives elsewhere.
func (r *run) attach() (err error) {
	if r.opt.Remote == nil {
		return nil
	}
	if r.remote, err = r.opt.Remote(r.dir.Path); err != nil {
		return err
	}
	if r.remote != nil {
		r.dir.Sent, r.dir.Gone = r.remote.Send, r.remote.Gone
	}
	return nil
}

// newBoard is the claims on the run's cells.
func (r *run) newBoard() *claim.Board {
	b := Board(r.dir.Path, r.opt.TakeOver)
	if r.remote != nil {
		b.Files = r.remote.Claims()
	}
	return b
}

// grows has a file sent on as it grows.
func (r *run) grows(name string) {
	if r.remote != nil {
		r.remote.Grows(name)
	}
}

// fetching is how many cells are fetched at the same time.
const fetching = 8

// fetchCells brings the cells of a share, which the copy lacks.
func (r *run) fetchCells(ctx context.Context, plan []experiment.Cell) error {
	if r.remote == nil || r.opt.Share == nil {
		return nil
	}
	errs := make([]error, len(plan))
	err := parallel.Blocks(ctx, fetching, len(plan), 1, func(i, _ int) {
		errs[i] = r.remote.Fetch(ctx, plan[i].Path())
	})
	return errors.Join(append(errs, err)...)
}

// cellLog is the log of one cell, of all attempts at it. Its status does not list it.
const cellLog = "log.jsonl"

// keepLog has what is logged of the cell in a file of its own too, and says who is at work on it. The result ends that.
func (j *job) keepLog() (end func()) {
	name := j.cell.Path() + "/" + cellLog
	f, err := openLog(filepath.Join(j.dir.Path, filepath.FromSlash(name)))
	if err != nil {
		j.log.Warn("the cell has no log of its own", "cell", j.cell.Path(), "error", err.Error())
		return func() {}
	}
	if j.remote != nil {
		j.remote.Grows(name)
	}
	j.log = slog.New(slog.NewMultiHandler(j.log.Handler(), slog.NewJSONHandler(f, nil)))
	attrs := []any{"cell", j.cell.Path(), "host", j.owner.Host, "pid", j.owner.PID}
	if j.owner.Job != nil {
		attrs = append(attrs, "job", fmt.Sprint(j.owner.Job))
	}
	j.log.Info("cell begins", attrs...)
	return func() {
		j.log.Info("cell ends", "cell", j.cell.Path(), "status", j.result.Status)
		err := f.Close()
		if j.remote != nil {
			err = errors.Join(err, j.remote.Grown(name))
		}
		if err != nil {
			j.log.Warn("log", "cell", j.cell.Path(), "error", err.Error())
		}
	}
}
