package record

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"plumbline/data"
	"plumbline/numeric/kernel"
	"plumbline/runs/usage"
)

// Manifest is what a run was made with: enough to repeat it, and to know when a repetition differs.
type Manifest struct {
	Version  string            `json:"plumbline"`
	Revision string            `json:"revision"` // of the code, "" when the program was built without it
	Modified bool              `json:"modified"` // the code had changes that are in no revision
	Go       string            `json:"go"`
	OS       string            `json:"os"`
	Arch     string            `json:"arch"`
	Settings map[string]string `json:"build_settings"`
	CPU      string            `json:"cpu"`
	CPUs     int               `json:"cpus"`
	Kernels  string            `json:"instruction_set"` // of the numeric kernels in force: generic, avx2 or avx512
	Modules  map[string]string `json:"modules"`
	Command  []string          `json:"command"`
	Started  time.Time         `json:"started"`
	Finished time.Time         `json:"finished,omitzero"` // when every cell had ended
	Seeds    []uint64          `json:"seeds"`
	// Experiment is the SHA-256 of experiment.yaml; Resume takes no other.
	Experiment string         `json:"experiment_sha256"`
	DataDirs   []string       `json:"data_dirs,omitempty"` // where data files were looked up; Resume looks there too
	Data       []DataManifest `json:"data"`
	// Plan is the run's cells, in their order.
	Plan []PlannedCell `json:"cells"`
	// Tuned are the models whose settings were chosen by a search inside the training data, of which this run is the
	// one reading of the test part.
	Tuned []Tuned `json:"tuned,omitempty"`
	// Files is what the run wrote besides the cells' own files, and the status.json of every cell that ended; set when
	// the run ends, by names with slashes.
	Files map[string]FileSum `json:"files,omitempty"`
}

// DataManifest is one data set as it was read.
type DataManifest struct {
	Name       string `json:"name"`
	Rows       int    `json:"rows"`
	BadRows    int    `json:"bad_rows"`
	Attacks    int    `json:"attacks"`
	Unlabelled bool   `json:"unlabelled,omitempty"` // nobody knows which rows are attacks
	Train      int    `json:"n_train"`              // benign training rows
	Valid      int    `json:"n_valid"`
	Test       int    `json:"n_test"`
	TestBenign int    `json:"n_test_benign"`
	// Shown is how many labelled attacks models that learn from labels were shown, and ShownRows where they stand; of
	// fold 0, and not there where they were shown the truth of all training rows.
	Shown     int      `json:"labelled_attacks,omitempty"`
	ShownRows []string `json:"labelled_attack_rows,omitempty"`

	// Classes is the rows of each class by part, of fold 0; of a table without labels there are none.
	Classes []ClassRows `json:"classes,omitempty"`

	Axis *Axis `json:"axis,omitempty"` // of robustness, which the data set stands on

	Files    []FileRecord `json:"files"`
	Warnings []string     `json:"warnings,omitempty"`
	Notes    []string     `json:"notes,omitempty"`
	Audit    string       `json:"audit,omitempty"` // the audit in one line; all of it is in audit/<name>.json
}

// ClassRows is the rows of one class in each part of a split. Training rows are those of the part: models that learn
// without labels do not see attacks among them, unless the split mixes some in.
type ClassRows struct {
	Name   string `json:"name"`
	Attack bool   `json:"attack,omitempty"`
	Train  int    `json:"n_train"`
	Valid  int    `json:"n_valid"`
	Test   int    `json:"n_test"`
}

// Labelled says what is known of the rows: how many are attacks, or that they have no labels.
func (d DataManifest) Labelled() string {
	if d.Unlabelled {
		return fmt.Sprintf("%d rows without labels", d.Rows)
	}
	return fmt.Sprintf("%d rows, %d attacks", d.Rows, d.Attacks)
}

// Training says what the training rows are taken for.
func (d DataManifest) Training() string {
	if d.Unlabelled {
		return fmt.Sprintf("%d train", d.Train)
	}
	return fmt.Sprintf("%d benign rows train", d.Train)
}

// FileRecord is one data file.
type FileRecord struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	Bytes  int64  `json:"bytes"`  // on disk
	SHA256 string `json:"sha256"` // of the uncompressed content
}

// Build is what is known of the program: version, revision, compiler.
func Build() Manifest {
	m := Manifest{
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), CPU: usage.Processor(),
		Kernels: kernel.Name(), Modules: map[string]string{}, Settings: map[string]string{},
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return m
	}
	m.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			m.Revision = s.Value
		case "vcs.modified":
			m.Modified = s.Value == "true"
		case "GOAMD64", "GOARM64", "CGO_ENABLED", "-tags":
			m.Settings[s.Key] = s.Value
		}
	}
	for _, d := range info.Deps {
		m.Modules[d.Path] = d.Version
	}
	return m
}

func NewFileRecord(o data.Origin) FileRecord {
	return FileRecord{Name: o.Name, Rows: o.Rows, Bytes: o.Bytes, SHA256: o.SHA256}
}

// Axis is where a data set stands on an axis of robustness.
type Axis struct {
	Name  string  `json:"name"`
	Of    string  `json:"of"` // name of the data set that is varied
	Value float64 `json:"value"`
}

// Tuned is how the settings of a model were found.
type Tuned struct {
	Label     string   `json:"label"`
	From      string   `json:"from"`   // label of the model with the settings of the file
	Search    string   `json:"search"` // name of the search's directory
	Method    string   `json:"method"`
	Objective string   `json:"objective"`
	Trials    int      `json:"trials"`
	Cells     int      `json:"cells"` // that were trained, all trials together
	Trial     int      `json:"trial"` // the one that was chosen, from 0, the settings of the file
	Values    []string `json:"values"`
}
