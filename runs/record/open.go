package record

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
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
	Results  []Result // of the plan's cells that have ended; of all, when the run has
	Complete bool     // the run ended and no cell was interrupted: there is nothing to resume
	// Threshold is the rule that scores became decisions by, such as "fpr 0.01 on validation"; "" if it is not known.
	Threshold string
	// Operating is the experiment's operating points by their keys, such as fpr and costs.miss; nil if they are not known.
	Operating map[string]string
	// Published is what sources report, of the experiment's own key.
	Published []Published
	// Faults are the files that are missing, damaged or edited, as far as sizes, and the hashes of tables, tell. The
	// cells that they belong to are in Results with the status Missing or Damaged, and without metrics.
	Faults []Fault
}

// maxExperiment is the largest experiment.yaml that is read.
const maxExperiment = 1 << 26

// Names of a run's own files.
const (
	experimentFile = "experiment.yaml"
	manifestFile   = "manifest.json"
	resultsFile    = "results.csv"
)

// ErrNoRun is wrapped by errors about a folder that is no run directory.
var ErrNoRun = errors.New("is not a run directory")

// NoRun is the error of a folder that lacks a file which each run directory has.
func NoRun(dir, file string) error { return fmt.Errorf("%s %w: it has no %s", dir, ErrNoRun, file) }

// Open reads a run directory, finished or not. What is wrong with its files is in the record's Faults; the error is
// about a folder that is no run directory.
func Open(dir string) (*Record, error) { return open(dir, "") }

// OpenCell is [Open] and [Record.Find]; of a run's cells it looks at those alone whose name holds that text.
func OpenCell(dir, name string) (*Record, *Result, error) {
	r, err := open(dir, name)
	if err != nil {
		return nil, nil, err
	}
	found, err := r.Find(name)
	return r, found, err
}

func open(dir, cell string) (*Record, error) {
	r := &Record{Dir: dir, Name: filepath.Base(dir)}
	there := 0
	for _, name := range []string{experimentFile, manifestFile, resultsFile, "cells"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			there++
		}
	}
	if there == 0 {
		return nil, fmt.Errorf("runs: %w", NoRun(dir, experimentFile))
	}
	manifest := r.readManifest()
	r.readExperiment()
	rows, ended := r.readResults()
	if !manifest && ended && r.Faults == nil {
		r.fault(manifestFile, "is missing")
	}
	if r.Manifest.Plan == nil {
		if !manifest && !ended && there == 1 && r.Faults != nil {
			return nil, fmt.Errorf("runs: %s is not a run directory: %s", dir, r.Faults[0])
		}
		return r, r.withoutPlan(rows, ended)
	}
	r.cells(rows, ended, cell)
	return r, nil
}

func (r *Record) fault(name, format string, args ...any) {
	r.Faults = append(r.Faults, Fault{name, fmt.Sprintf(format, args...)})
}

// readManifest says whether there is one. A run that was killed at its beginning has none.
func (r *Record) readManifest() bool {
	err := ReadJSON(r.Dir, manifestFile, &r.Manifest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.Manifest = Manifest{}
		r.Faults = append(r.Faults, faultOf(manifestFile, err))
	}
	return err == nil
}

func (r *Record) readExperiment() {
	raw, err := ReadFile(filepath.Join(r.Dir, experimentFile), maxExperiment)
	if err != nil {
		r.Faults = append(r.Faults, faultOf(experimentFile, err))
		return
	}
	if want := r.Manifest.Experiment; want != "" && want != SumOf(raw).SHA256 {
		r.fault(experimentFile, "was edited since the run began")
	}
	doc, err := settings.Parse(filepath.Join(r.Dir, experimentFile), raw)
	if err != nil {
		r.fault(experimentFile, "cannot be read: %v", err)
		return
	}
	if d, ok := doc.Get("name"); ok {
		r.Name, _ = d.Scalar()
	}
	var problems settings.Problems
	if r.Published, problems = ReadPublished(doc); len(problems) > 0 {
		r.Published = nil
		r.fault(experimentFile, "cannot be read: %v", problems)
	}
	if d, ok := doc.Get("threshold"); ok {
		rule, _ := scalarAt(d, "rule")
		value, _ := scalarAt(d, "value")
		r.Threshold = strings.TrimSpace(rule + " " + value)
		if on, ok := scalarAt(d, "on"); ok {
			r.Threshold += " on " + on
		}
	}
	if d, ok := doc.Get("operating"); ok {
		r.Operating = map[string]string{}
		for _, key := range []string{"fpr", "prevalence", "alerts", "fdr", "spot", "gap"} {
			if v, ok := scalarAt(d, key); ok {
				r.Operating[key] = v
			}
		}
		if costs, ok := d.Get("costs"); ok {
			for _, key := range []string{"alarm", "miss"} {
				if v, ok := scalarAt(costs, key); ok {
					r.Operating["costs."+key] = v
				}
			}
		}
	}
}

// scalarAt is the text of a key of a map.
func scalarAt(d settings.Node, key string) (string, bool) {
	v, ok := d.Get(key)
	if !ok {
		return "", false
	}
	return v.Scalar()
}

// readResults is the rows of results.csv, and whether it is there.
func (r *Record) readResults() (rows []Result, ended bool) {
	path := filepath.Join(r.Dir, resultsFile)
	raw, err := ReadFile(path, MaxJSON)
	want, listed := r.Manifest.Files[resultsFile]
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if listed {
			r.fault(resultsFile, "is missing")
		}
		return nil, listed
	case err != nil:
		r.fault(resultsFile, "cannot be read: %v", err)
		return nil, true
	case listed && SumOf(raw) != want:
		r.fault(resultsFile, "was edited: %d bytes, sha256 %.12s…; %d and %.12s… were written", len(raw),
			SumOf(raw).SHA256, want.Bytes, want.SHA256)
	}
	rows, err = ReadResults(bytes.NewReader(raw), path)
	if err != nil {
		r.fault(resultsFile, "cannot be read: %v", err)
	}
	return rows, true
}

// cells takes the results from the cells of the plan whose names hold a text, which vouch for themselves; rows are
// those of results.csv.
func (r *Record) cells(rows []Result, ended bool, named string) {
	r.Complete = ended
	finished := !r.Manifest.Finished.IsZero()
	byCell := map[string]*Result{}
	for i := range rows {
		byCell[rows[i].Cell] = &rows[i]
	}
	for _, p := range r.Manifest.Plan {
		if !strings.Contains(p.Cell, named) {
			continue
		}
		blank := Result{
			Data: p.Data, Model: p.Model, Label: p.Label, Seed: p.Seed, Fold: p.Fold, Unit: p.Unit, Cell: p.Cell,
			Input: p.Input, Deterministic: p.Deterministic, Valid: eval.Number(math.NaN()),
		}
		if !filepath.IsLocal(filepath.FromSlash(p.Cell)) {
			r.fault(manifestFile, "names %q, which is no cell", p.Cell)
			continue
		}
		st, sum, faults := CheckCellSum(r.Dir, p.Cell, false)
		gone := st == nil && faults == nil
		file := path.Join(p.Cell, statusFile)
		want, listed := r.Manifest.Files[file]
		switch {
		case gone && !finished && !listed:
			r.Complete = false
			if row := byCell[p.Cell]; row != nil && row.Status == Interrupted {
				r.Results = append(r.Results, *row)
			}
			continue
		case gone:
			r.fault(file, "is missing")
			blank.Status, blank.Error = Missing, file+" is missing"
		case len(faults) == 0 && listed && sum != want:
			if f := checkFile(r.Dir, file, want, true); f != nil {
				faults = append(faults, *f)
			}
		}
		if blank.Status == "" && len(faults) > 0 {
			blank.Status, blank.Error = Damaged, faults[0].String()
		}
		r.Faults = append(r.Faults, faults...)
		if blank.Status == "" {
			r.Results = append(r.Results, st.Result)
		} else {
			r.Results = append(r.Results, blank)
		}
	}
}

// withoutPlan is the results of a run of an earlier version, or of one without a manifest: those of results.csv, or
// of the cells that have ended.
func (r *Record) withoutPlan(rows []Result, ended bool) error {
	if rows == nil {
		return r.readCells()
	}
	r.Results, r.Complete = rows, ended
	for i := range r.Results {
		old := &r.Results[i]
		if old.Status != OK && filepath.IsLocal(filepath.FromSlash(old.Cell)) { // the run was resumed since
			if st, faults := CheckCell(r.Dir, old.Cell, false); st != nil && faults == nil {
				*old = st.Result
			}
		}
		r.Complete = r.Complete && old.Status != Interrupted
	}
	return nil
}

// readCells collects the cells that have ended.
func (r *Record) readCells() error {
	return filepath.WalkDir(filepath.Join(r.Dir, "cells"), func(at string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.Name() != statusFile {
			return err
		}
		rel, err := filepath.Rel(r.Dir, filepath.Dir(at))
		if err != nil {
			return err
		}
		st, faults := CheckCell(r.Dir, filepath.ToSlash(rel), false)
		if r.Faults = append(r.Faults, faults...); st != nil && faults == nil {
			r.Results = append(r.Results, st.Result)
		}
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

// Find is the cell of that name (as in the column "cell" of results.csv), or the only one that [Fitting] finds.
func (r *Record) Find(name string) (*Result, error) {
	cells := make([]string, len(r.Results))
	for i := range r.Results {
		cells[i] = r.Results[i].Cell
	}
	found := Fitting(cells, name)
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: %s has no cell %q", ErrNoCell, r.Dir, name)
	case 1:
		return &r.Results[found[0]], nil
	}
	var names []string
	for _, i := range found {
		names = append(names, cells[i])
	}
	return nil, fmt.Errorf("%w: %q fits %d cells: %s", ErrNoCell, name, len(found), strings.Join(names, ", "))
}

// Fitting is the places of the cells that a name stands for: the one that has it, else those of which it is whole parts
// (iforest/s1, or ae but not sae), else those that hold it anywhere.
func Fitting(cells []string, name string) []int {
	var whole, some []int
	for i, c := range cells {
		switch {
		case c == name:
			return []int{i}
		case strings.Contains("/"+c+"/", "/"+name+"/"):
			whole = append(whole, i)
		case strings.Contains(c, name):
			some = append(some, i)
		}
	}
	if whole != nil {
		return whole
	}
	return some
}

// SplitCell splits RUNDIR/CELL: the run directory is the nearest folder above that holds an experiment.yaml. Without
// one the whole path is the directory, and the cell is empty.
func SplitCell(path string) (dir, cell string) {
	path = filepath.Clean(path)
	for d := path; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, experimentFile)); err == nil {
			rest, _ := filepath.Rel(d, path)
			if rest == "." {
				rest = ""
			}
			return d, filepath.ToSlash(rest)
		}
		if d == filepath.Dir(d) {
			return path, ""
		}
	}
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
