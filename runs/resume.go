package runs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Resume takes up a run that was killed or interrupted, or some of whose cells failed: cells that are ok
// are kept, the others are done again. The experiment and the data must be the same as before.
func Resume(ctx context.Context, path string, lo experiment.LoadOptions, o Options) (*Outcome, error) {
	r, err := open(path, lo, o)
	if err != nil {
		return nil, err
	}
	return r.carryOut(ctx)
}

// open takes up the run of a directory.
func open(path string, lo experiment.LoadOptions, o Options) (*run, error) {
	file := filepath.Join(path, "experiment.yaml")
	if len(lo.Overrides) > 0 {
		return nil, errors.New("runs: a run is resumed as it was begun: no overrides")
	}
	raw, err := record.ReadFile(file, record.MaxJSON)
	if errors.Is(err, os.ErrNotExist) {
		err = record.NoRun(path, "experiment.yaml")
	}
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	e, err := experiment.Load(file, lo)
	if err != nil {
		return nil, err
	}
	var before record.Manifest
	if err := record.ReadJSON(path, "manifest.json", &before); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	now := record.Build()
	now.Experiment = record.SumOf(raw).SHA256
	if before.Experiment != "" && before.Experiment != now.Experiment {
		return nil, fmt.Errorf("runs: %s was changed since the run began, and cells of two experiments do not belong "+
			"together; start a new run with it", file)
	}
	now.Command, now.Started, now.Seeds = o.Command, before.Started, e.Seeds
	now.Tuned = before.Tuned
	now.Data, now.DataDirs = slices.Clone(before.Data), before.DataDirs
	if o.Share != nil { // what the processes that share the run have read
		var err error
		if now.Data, err = readShared(path, e, now.Data); err != nil {
			return nil, err
		}
	}
	if now.Data == nil { // killed before the manifest stood
		now.Data, now.DataDirs, now.Started = []record.DataManifest{}, e.Finder.Absolute(), time.Now().UTC()
	}
	r := &run{exp: e, dir: record.NewDirectory(path), opt: o, manifest: now, before: before}
	return r, r.attach()
}

// planned is the plan as the manifest has it.
func planned(plan []experiment.Cell) []record.PlannedCell {
	out := make([]record.PlannedCell, len(plan))
	for i, c := range plan {
		b := blankResult(c)
		out[i] = record.PlannedCell{
			Cell: b.Cell, Data: b.Data, Model: b.Model, Label: b.Label, Seed: b.Seed, Fold: b.Fold, Unit: b.Unit,
			Input: b.Input, Deterministic: b.Deterministic,
		}
	}
	return out
}

// resumeFinished keeps the cells of an earlier attempt that are ok: whose status is their own, and whose files are all
// as they were written.
func (r *run) resumeFinished(plan []experiment.Cell) {
	for _, c := range plan {
		st, faults := record.CheckCell(r.dir.Path, c.Path(), true)
		if want, ok := r.before.Files[c.Path()+"/status.json"]; ok && st != nil && faults == nil {
			if f := record.CheckFile(r.dir.Path, c.Path()+"/status.json", want); f != nil {
				faults = append(faults, *f)
			}
		}
		switch {
		case st == nil && faults == nil: // it did not end
		case len(faults) == 0 && st.Files == nil && st.Status == record.OK:
			r.again = append(r.again, c.Path()+"/status.json lists no files: it is of an earlier version")
		case len(faults) > 0:
			for _, f := range faults {
				r.again = append(r.again, f.String())
			}
		case st.Status == record.OK && st.Result.ModelSeed != blankResult(c).ModelSeed:
			r.again = append(r.again, c.Path()+"/status.json is of an earlier version, in which all folds shared a seed")
		case st.Status == record.OK:
			r.results[c.Path()] = st.Result
			r.done++
			r.step(c, st.Result, 0)
		}
	}
	for _, why := range r.again {
		r.log.Warn("a cell is done again", "why", why)
	}
}

// revoke takes back that cells were ok.
func (r *run) revoke(cells []experiment.Cell, why error) {
	r.log.Error("data", "error", why.Error())
	for _, c := range cells {
		r.mu.Lock()
		was, ok := r.results[c.Path()] // not where another process has the cell
		ended := ok && was.Status != record.Interrupted
		r.mu.Unlock()
		if !ended {
			continue
		}
		res := blankResult(c)
		res.Status, res.Error = record.Failed, oneLine(why.Error())
		if err := r.leaveStatus(c, res); err != nil {
			r.log.Error("cell", "cell", c.Path(), "error", err.Error())
		}
		r.mu.Lock()
		r.results[c.Path()] = res
		r.mu.Unlock()
	}
	r.observe(Event{Kind: Warned, Data: cells[0].Set.Config.Name, Text: why.Error()})
}

func sameFiles(a, b []record.FileRecord) bool {
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
