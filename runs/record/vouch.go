package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path"
	"path/filepath"
	"slices"

	"plumbline/eval"
)

// Fault is a file of a run that is not what the run left.
type Fault struct {
	File string `json:"file"` // within the run directory, with slashes
	What string `json:"what"` // such as "is missing"
}

// String is the fault in one line.
func (f Fault) String() string { return f.File + " " + f.What }

// maxFile is the largest file of a cell that is hashed.
const maxFile = 1 << 40

// statusFile is the file of a cell that vouches for its others, metricsFile the one that tables are made of.
const (
	statusFile  = "status.json"
	metricsFile = "metrics.json"
)

// CheckCell reads a cell's status.json and checks the cell's folder against it: the name is the cell's own, the files
// that it lists are there, of their sizes, and those that tables are made of have their hashes; with all, every one.
// Files that it does not list do not count. The status is nil where it cannot be read; of a cell that did not end there
// is neither a status nor a fault.
func CheckCell(dir, cell string, all bool) (*Status, []Fault) {
	st, _, faults := CheckCellSum(dir, cell, all)
	return st, faults
}

// CheckCellSum is [CheckCell], with the size and hash of the status.json that was read.
func CheckCellSum(dir, cell string, all bool) (*Status, FileSum, []Fault) {
	file := path.Join(cell, statusFile)
	raw, err := ReadFile(filepath.Join(dir, filepath.FromSlash(file)), MaxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, FileSum{}, nil
	}
	st := &Status{}
	if err == nil {
		err = json.Unmarshal(raw, st)
	}
	if err != nil {
		return nil, FileSum{}, []Fault{faultOf(file, err)}
	}
	st, faults := checkStatus(dir, cell, st, all)
	return st, SumOf(raw), faults
}

// checkStatus checks a cell's folder against its status.
func checkStatus(dir, cell string, st *Status, all bool) (*Status, []Fault) {
	file := path.Join(cell, statusFile)
	if st.Result.Cell != cell || st.Cell != "" && st.Cell != cell {
		name := st.Cell
		if name == "" || name == cell {
			name = st.Result.Cell
		}
		return st, []Fault{{file, fmt.Sprintf("is that of another cell, %q", name)}}
	}
	var faults []Fault
	for _, name := range slices.Sorted(maps.Keys(st.Files)) {
		at := path.Join(cell, name)
		if !filepath.IsLocal(name) || path.Base(name) != name {
			faults = append(faults, Fault{file, fmt.Sprintf("lists %q, which is no file of the cell", name)})
			continue
		}
		if f := checkFile(dir, at, st.Files[name], all || name == metricsFile); f != nil {
			faults = append(faults, *f)
		}
	}
	if _, ok := st.Files[metricsFile]; ok && faults == nil {
		var m eval.Metrics
		if err := ReadJSON(dir, path.Join(cell, metricsFile), &m); err != nil {
			return st, []Fault{faultOf(path.Join(cell, metricsFile), err)}
		}
		for _, name := range slices.Sorted(maps.Keys(m.Values)) {
			got, want := st.Result.Metric(name), m.Values[name]
			if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
				return st, []Fault{{file, fmt.Sprintf("was edited: its %s is not that of %s", name, metricsFile)}}
			}
		}
	}
	return st, faults
}

// CheckFile holds one file of the run, by its name with slashes, against what it was, content included.
func CheckFile(dir, name string, want FileSum) *Fault { return checkFile(dir, name, want, true) }

// checkFile checks one file against what it was; its content too with deep.
func checkFile(dir, name string, want FileSum, deep bool) *Fault {
	at := filepath.Join(dir, filepath.FromSlash(name))
	f, err := OpenFile(at, maxFile)
	if err == nil {
		defer f.Close()
		st, err := f.Stat()
		if err == nil && st.Size() != want.Bytes {
			return &Fault{name, fmt.Sprintf("has %d bytes, %d were written", st.Size(), want.Bytes)}
		}
	}
	if err == nil && deep {
		var got FileSum
		if got, err = Sum(at, want.Bytes); err == nil && got != want {
			return &Fault{name, fmt.Sprintf("was edited: sha256 %.12s…, %.12s… was written", got.SHA256, want.SHA256)}
		}
	}
	if err != nil {
		fault := faultOf(name, err)
		return &fault
	}
	return nil
}

// faultOf says what keeps a file from being read.
func faultOf(name string, err error) Fault {
	if errors.Is(err, fs.ErrNotExist) {
		return Fault{name, "is missing"}
	}
	return Fault{name, "cannot be read: " + err.Error()}
}

// Check is the faults of every file that the run wrote and of every cell of its plan, with all hashes. Those that
// [Open] found are among them.
func (r *Record) Check() []Fault {
	faults := slices.Clone(r.Faults)
	add := func(f Fault) {
		if !slices.ContainsFunc(faults, func(o Fault) bool { return o.File == f.File }) {
			faults = append(faults, f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Manifest.Files)) {
		if f := checkFile(r.Dir, name, r.Manifest.Files[name], true); f != nil {
			add(*f)
		}
	}
	for i := range r.Results {
		c := &r.Results[i]
		if c.Status == Interrupted || c.Status == Missing || !filepath.IsLocal(filepath.FromSlash(c.Cell)) {
			continue
		}
		st, more := CheckCell(r.Dir, c.Cell, true)
		if st == nil && more == nil {
			more = []Fault{{path.Join(c.Cell, statusFile), "is missing"}}
		}
		for _, f := range more {
			add(f)
		}
	}
	return faults
}
