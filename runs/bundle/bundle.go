package bundle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/data/profile"
	"plumbline/data/source"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Bundle is what a finished cell left, as one thing that scores. It is safe for concurrent use.
type Bundle struct {
	Manifest
	Path      string // of the cell's folder, or of the model file
	Hash      string // of all that it holds: SHA-256 in hexadecimal digits
	Info      models.Info
	Spec      models.Spec
	Detector  models.Detector
	Pipeline  *prep.Pipeline
	Tracer    *prep.Tracer // nil: the data set has no traces
	Threshold Threshold
	// Calibration gives p-values, and Profile is what the training rows look like; nil where the cell left none.
	Calibration *Calibration
	Profile     *profile.Profile

	Provenance *Provenance   // of a model file; nil: a cell's folder
	Metrics    *eval.Metrics // of a model file whose cell has some; else nil
	// Experiment is the experiment.yaml of the run, of a model file; else nil.
	Experiment []byte

	config *source.Config
	read   func(name string, limit int64) ([]byte, error)
	needed map[string]data.ColumnType
}

// Errors of [Open]. Test for them with errors.Is.
var (
	ErrIncomplete = errors.New(
		"not a complete bundle",
	) // a file is missing, such as that of a model that was not kept
	ErrDamaged = errors.New("a file is not what was written") // by its size or its hash
	ErrVersion = errors.New("written by a later plumbline")   // in a format that this one does not know
	ErrTable   = errors.New(
		"the table does not fit the model",
	) // [Bundle.Score]: columns are missing or of other types
)

// maxModel is the largest model.bin or prep.json that is read.
const maxModel = 1 << 36

// Open reads the bundle in a cell's folder, or a model file. It needs neither the run around the folder nor the data.
// Every file is checked against its hash in bundle.json first, a model file as a whole too.
func Open(path string) (*Bundle, error) {
	if st, err := os.Stat(path); err == nil && !st.IsDir() {
		return openFile(path)
	}
	return open(path, "", inFolder(path))
}

// open reads a bundle whose files are given by read. Without a hash it is that of the manifest.
func open(path, hash string, read func(name string, limit int64) ([]byte, error)) (*Bundle, error) {
	b := &Bundle{Path: path, Hash: hash, read: read}
	raw, err := read(manifestName, record.MaxJSON)
	if err != nil {
		return nil, b.fail(manifestName, err)
	}
	if hash == "" {
		b.Hash = hashOf(raw)
	}
	if err := json.Unmarshal(raw, &b.Manifest); err != nil {
		return nil, b.fail(manifestName, err)
	}
	switch v := b.Version; {
	case v > Version:
		return nil, b.fail(manifestName, fmt.Errorf("%w: format %d, and %d is the last known", ErrVersion, v, Version))
	case v < 1:
		return nil, b.fail(manifestName, fmt.Errorf("%w: it names no format", ErrIncomplete))
	}
	for _, part := range []struct {
		name string
		take func([]byte) error
	}{
		{specName, b.takeSpec}, {prepName, b.takePrep}, {thresholdName, b.takeThreshold}, {modelName, b.takeModel},
		{calibrationName, b.takeCalibration}, {profileName, b.takeProfile},
	} {
		if _, ok := b.Files[part.name]; !ok && slices.Contains(optional, part.name) {
			continue
		}
		raw, err := b.file(part.name)
		if err == nil {
			err = part.take(raw)
		}
		if err != nil {
			return nil, b.fail(part.name, err)
		}
	}
	doc, err := settings.Parse(filepath.Join(path, manifestName)+" source", []byte(b.Source))
	if err == nil {
		b.config, err = source.DecodeConfig(doc)
	}
	if err == nil {
		b.needed, err = b.neededColumns()
	}
	if err != nil {
		return nil, b.fail(manifestName, err)
	}
	if hash != "" {
		err = b.takeRecord()
	}
	b.read = nil // it holds all the bytes of a model file
	return b, err
}

// takeRecord reads what a model file says of its origin.
func (b *Bundle) takeRecord() error {
	raw, err := b.read(provenanceOf, record.MaxJSON)
	if err == nil {
		err = json.Unmarshal(raw, &b.Provenance)
	}
	if err == nil && b.Provenance == nil {
		err = fmt.Errorf("%w: it says nothing", ErrIncomplete)
	}
	if err != nil {
		return b.fail(provenanceOf, err)
	}
	for _, of := range []struct {
		name string
		take func(raw []byte) error
	}{
		{metricsName, func(raw []byte) error { return json.Unmarshal(raw, &b.Metrics) }},
		{experimentOf, func(raw []byte) error { b.Experiment = raw; return nil }},
	} {
		raw, err := b.read(of.name, record.MaxJSON)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = of.take(raw)
		}
		if err != nil {
			return b.fail(of.name, err)
		}
	}
	return nil
}

// fail names the file that an error is about.
func (b *Bundle) fail(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	return fmt.Errorf("bundle: %s: %w", filepath.Join(b.Path, name), err)
}

// file is a file of the bundle that is what was written.
func (b *Bundle) file(name string) ([]byte, error) {
	want, ok := b.Files[name]
	if !ok && name == modelName {
		return nil, fmt.Errorf("%w: the run kept no model (keep.models), or it is one from elsewhere", ErrIncomplete)
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s does not list it", ErrIncomplete, manifestName)
	}
	raw, err := b.read(name, min(want.Bytes, maxModel))
	if errors.Is(err, record.ErrUnusual) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return nil, err
	}
	if got := record.SumOf(raw); got != want {
		return nil, fmt.Errorf("%w: %d bytes, sha256 %.12s…; %d and %.12s… were written", ErrDamaged, got.Bytes, got.SHA256,
			want.Bytes, want.SHA256)
	}
	return raw, nil
}

func (b *Bundle) takeSpec(raw []byte) error {
	doc, err := settings.Parse(filepath.Join(b.Path, specName), raw)
	if err != nil {
		return err
	}
	var f struct {
		Label  string        `yaml:"label"`
		Model  string        `yaml:"model"`
		Params settings.Node `yaml:"params"`
	}
	if err := doc.Decode(&f).Err(); err != nil {
		return err
	}
	if f.Model != b.Model {
		return fmt.Errorf("the model is %q, in %s %q", f.Model, manifestName, b.Model)
	}
	if b.Info, err = models.Lookup(b.Model); err != nil {
		return err
	}
	if b.Spec, err = models.Decode(b.Model, f.Params); err == nil {
		b.Info.Needs = b.Info.NeedsOf(b.Spec)
	}
	return err
}

func (b *Bundle) takePrep(raw []byte) error {
	var f prepFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	b.Pipeline, b.Tracer = f.Pipeline, f.Traces
	switch {
	case b.Pipeline == nil:
		return errors.New("no pipeline")
	case b.Info.Needs.Input == data.Traces && b.Tracer == nil:
		return errors.New("no traces, which the model needs")
	}
	return nil
}

func (b *Bundle) takeThreshold(raw []byte) error { return json.Unmarshal(raw, &b.Threshold) }

func (b *Bundle) takeCalibration(raw []byte) error { return json.Unmarshal(raw, &b.Calibration) }

func (b *Bundle) takeProfile(raw []byte) error { return json.Unmarshal(raw, &b.Profile) }

func (b *Bundle) takeModel(raw []byte) error {
	det, err := b.Spec.New(models.Env{Seed: cmp.Or(b.ModelSeed, b.Seed)})
	if err != nil {
		return err
	}
	b.Detector = det
	return det.Load(bytes.NewReader(raw))
}

// Config is how files of the data set are read.
func (b *Bundle) Config() *source.Config { return b.config }

// Column is a column that a table must have to be scored.
type Column struct {
	data.Field
	// Levels are the categories that the preprocessing knows; all others count as unseen. Nil where it knows none.
	Levels []string `json:"levels,omitempty"`
}

// Needed is the columns that a table must have, in the order of the data set: those that the preprocessing reads, and
// those that say what a trace or a unit is. Other columns are not looked at.
func (b *Bundle) Needed() []Column {
	levels := b.levels()
	var out []Column
	for _, f := range b.Columns {
		if _, ok := b.needed[f.Name]; ok {
			out = append(out, Column{f, levels[f.Name]})
		}
	}
	return out
}

// levels is the categories that the preprocessing knows, by column.
func (b *Bundle) levels() map[string][]string {
	out := map[string][]string{}
	if b.reads() {
		for i := range b.Pipeline.Outputs {
			o := &b.Pipeline.Outputs[i]
			if o.Dummy && o.Level != "" {
				out[o.Source] = append(out[o.Source], o.Level)
			}
			out[o.Source] = append(out[o.Source], o.Codes...)
		}
	}
	if b.Info.Needs.Input == data.Traces {
		for _, c := range b.Tracer.Columns() {
			out[c] = append(out[c], b.Tracer.Levels(c)...)
		}
	}
	for c, l := range out {
		slices.Sort(l)
		if out[c] = slices.Compact(l); len(l) == 0 {
			delete(out, c)
		}
	}
	return out
}

// reads says whether the model sees the prepared matrix, as rows or as the values of events.
func (b *Bundle) reads() bool { return b.Info.Needs.Input == data.Vectors || b.Tracer.Spec.Events }

// neededColumns is what the model looks at, by type.
func (b *Bundle) neededColumns() (map[string]data.ColumnType, error) {
	var names []string
	if b.reads() {
		for i := range b.Pipeline.Outputs {
			names = append(names, b.Pipeline.Outputs[i].Source)
		}
	}
	if b.Info.Needs.Input == data.Traces {
		names = append(names, b.Tracer.Columns()...)
	}
	names = append(names, b.Unit.Columns...)
	types := map[string]data.ColumnType{}
	firstTime := ""
	for _, f := range b.Columns {
		types[f.Name] = f.Type
		if f.Type == data.Time && firstTime == "" {
			firstTime = f.Name
		}
	}
	timed := b.Info.Needs.Input == data.Traces && b.Tracer.Spec.Order == ""
	out := map[string]data.ColumnType{}
	for _, n := range names {
		switch n {
		case "@file":
			continue
		case "@day":
			timed = true
			continue
		}
		t, ok := types[n]
		if !ok {
			return nil, fmt.Errorf("column %q is used and not listed", n)
		}
		out[n] = t
	}
	if timed && firstTime != "" { // events are in the order of the first time column
		out[firstTime] = data.Time
	}
	return out, nil
}

// units is how rows are grouped.
func (b *Bundle) units() experiment.Unit {
	if len(b.Unit.Columns) == 0 {
		return experiment.Unit{Name: "flow"}
	}
	return experiment.Unit{Columns: b.Unit.Columns}
}
