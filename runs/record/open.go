package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/eval"
)

// Record is a run directory as it is found on disk.
type Record struct {
	Dir      string
	Name     string
	Manifest Manifest
	Results  []Result // of results.csv, or of the cells that have ended when the run has not
	Complete bool     // results.csv is there and no cell was interrupted: there is nothing to resume
}

// Open reads a run directory, finished or not.
func Open(dir string) (*Record, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "experiment.yaml"))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("runs: %s is not a run directory: it has no experiment.yaml", dir)
		}
		return nil, fmt.Errorf("runs: %w", err)
	}
	r := &Record{Dir: dir}
	doc, err := settings.Parse(filepath.Join(dir, "experiment.yaml"), raw)
	if err != nil {
		return nil, err
	}
	if d, ok := doc.Get("name"); ok {
		r.Name, _ = d.Scalar()
	}
	if err := ReadJSON(dir, "manifest.json", &r.Manifest); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, "results.csv"))
	switch {
	case err == nil:
		defer f.Close()
		if r.Results, err = ReadResults(f, filepath.Join(dir, "results.csv")); err != nil {
			return nil, err
		}
		r.bringUpToDate()
		return r, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("runs: %w", err)
	}
	return r, r.readCells()
}

// bringUpToDate replaces the rows of cells that were not ok when results.csv was written and have ended
// since: the run was resumed, and killed or still at work.
func (r *Record) bringUpToDate() {
	r.Complete = true
	for i := range r.Results {
		old := &r.Results[i]
		var st Status
		if old.Status != OK && filepath.IsLocal(filepath.FromSlash(old.Cell)) && ReadJSON(r.Dir, old.Cell+"/status.json", &st) == nil && st.Result.Cell == old.Cell {
			*old = st.Result
		}
		r.Complete = r.Complete && old.Status != Interrupted
	}
}

// readCells collects the cells that have ended.
func (r *Record) readCells() error {
	return filepath.WalkDir(filepath.Join(r.Dir, "cells"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.Name() != "status.json" {
			return err
		}
		var st Status
		if err := ReadJSON(filepath.Dir(path), "status.json", &st); err != nil {
			return err
		}
		r.Results = append(r.Results, st.Result)
		return nil
	})
}

// ReadMetrics takes over from the cells' metrics.json the metrics that results.csv does not have.
func (r *Record) ReadMetrics() error {
	for i := range r.Results {
		c := &r.Results[i]
		if c.Status != OK || !filepath.IsLocal(filepath.FromSlash(c.Cell)) {
			continue
		}
		var m eval.Metrics
		if err := ReadJSON(r.Dir, c.Cell+"/metrics.json", &m); err != nil {
			return err
		}
		for name, v := range m.Values {
			if !InResults(name) {
				c.Set(name, v)
			}
		}
	}
	return nil
}

// ErrNoCell is wrapped by the errors of [Record.Find].
var ErrNoCell = errors.New("no such cell")

// Find is the cell of that name (as in the column "cell" of results.csv), or the only one whose name holds it.
func (r *Record) Find(name string) (*Result, error) {
	var found []string
	var at *Result
	for i := range r.Results {
		c := &r.Results[i]
		if c.Cell == name {
			return c, nil
		}
		if strings.Contains(c.Cell, name) {
			found, at = append(found, c.Cell), c
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: %s has no cell %q", ErrNoCell, r.Dir, name)
	case 1:
		return at, nil
	}
	return nil, fmt.Errorf("%w: %q fits %d cells: %s", ErrNoCell, name, len(found), strings.Join(found, ", "))
}

// OK is how many cells are ok.
func (r *Record) OK() int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Status == OK {
			n++
		}
	}
	return n
}

// List finds the run directories below root, oldest first. A folder that cannot be read as a run is left out.
func List(root string) ([]*Record, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	var out []*Record
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if r, err := Open(filepath.Join(root, e.Name())); err == nil {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Record) int { return strings.Compare(filepath.Base(a.Dir), filepath.Base(b.Dir)) })
	return out, nil
}
