package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"plumbline/runs/record"
)

// Provenance is provenance.json of a model file: where the model comes from, and what was measured of it.
type Provenance struct {
	Run      string    `json:"run"` // name of the run directory
	Cell     string    `json:"cell"`
	Program  string    `json:"plumbline"` // version of the program that trained it
	Revision string    `json:"revision,omitempty"`
	Modified bool      `json:"modified,omitempty"` // the code had changes that are in no revision
	Go       string    `json:"go"`
	Platform string    `json:"platform"`
	Kernels  string    `json:"instruction_set"`
	Trained  time.Time `json:"trained"` // when the cell was finished
	// Data is the data set as it was read: files with their hashes, rows by part.
	Data   record.DataManifest `json:"data"`
	Result record.Result       `json:"result"` // sizes, hashes of the sets, metrics
}

// ErrRefused is wrapped by errors about what stands at a name and is no bundle that can be opened.
var ErrRefused = errors.New("cannot be opened as a model")

// OpenCell opens the bundle of a run's cell by its name (see [record.Record.Find]). A cell that is not ok, or one of a
// run whose experiment or manifest was edited, is refused.
func OpenCell(dir, cell string) (*Bundle, *record.Record, *record.Result, error) {
	rec, result, err := record.OpenCell(dir, cell)
	if err != nil {
		return nil, nil, nil, err
	}
	if result.Status != record.OK {
		return nil, rec, result, fmt.Errorf("its status is %s: %s", result.Status, result.Error)
	}
	for _, f := range rec.Faults {
		if f.File == "experiment.yaml" || f.File == "manifest.json" {
			return nil, rec, result, fmt.Errorf("%v", f)
		}
	}
	b, err := Open(filepath.Join(dir, filepath.FromSlash(result.Cell)))
	return b, rec, result, err
}

// Load opens what a command line names as a model: a model file, RUNDIR/CELL, or the folder of a cell without its run.
// What stands there and cannot be opened wraps ErrRefused.
func Load(name string) (*Bundle, error) {
	b, err := load(name)
	if err != nil {
		err = fmt.Errorf("%s %w: %w", name, ErrRefused, err)
	}
	return b, err
}

func load(name string) (*Bundle, error) {
	if st, err := os.Stat(name); err == nil && !st.IsDir() {
		return Open(name)
	}
	dir, cell := record.SplitCell(name)
	if cell != "" {
		b, _, _, err := OpenCell(dir, cell)
		return b, err
	}
	_, err := os.Stat(filepath.Join(name, manifestName))
	switch {
	case err == nil:
		return Open(name)
	case dir != name:
		return nil, fmt.Errorf("it names no cell of the run; \"plumbline show %s\" lists them", dir)
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is neither a model file nor a cell of a run of this name")
	}
	return nil, fmt.Errorf("it names no cell; \"plumbline show %s\" lists those of a run directory", name)
}

// Pack writes a cell of a run as one model file. The cell is opened first, so that what cannot be opened is not packed.
func Pack(w io.Writer, dir, cell string) error {
	b, rec, result, err := OpenCell(dir, cell)
	if err != nil {
		return fmt.Errorf("bundle: %s %w: %w", filepath.Join(dir, cell), ErrRefused, err)
	}
	var st record.Status
	if err := record.ReadJSON(dir, result.Cell+"/status.json", &st); err != nil {
		return err
	}
	m := rec.Manifest
	p := Provenance{
		Run: filepath.Base(filepath.Clean(dir)), Cell: result.Cell, Program: m.Version, Revision: m.Revision,
		Modified: m.Modified, Go: m.Go, Platform: m.OS + "/" + m.Arch, Kernels: m.Kernels, Trained: st.Finished,
		Result: st.Result,
	}
	if i := slices.IndexFunc(m.Data, func(d record.DataManifest) bool { return d.Name == b.Data }); i >= 0 {
		p.Data = m.Data[i]
	}
	contents := map[string][]byte{}
	read := inFolder(b.Path)
	for _, name := range members {
		if name == provenanceOf {
			continue
		}
		from := read
		if name == experimentOf {
			from = inFolder(dir)
		}
		raw, err := from(name, maxModel)
		switch {
		case errors.Is(err, fs.ErrNotExist) && slices.Contains(optional, name):
			continue
		case err != nil:
			return b.fail(name, err)
		}
		contents[name] = raw
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		return b.fail(provenanceOf, err)
	}
	contents[provenanceOf] = text.Bytes()
	return pack(w, contents)
}
