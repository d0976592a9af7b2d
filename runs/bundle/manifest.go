package bundle

import (
	"encoding/json"
	"fmt"
	"io"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/data/profile"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Version is the format of bundle.json. [Open] refuses a later one.
const Version = 1

// Manifest is bundle.json: what a cell is, and what its other files do not say.
type Manifest struct {
	Version int    `json:"bundle"`
	Program string `json:"plumbline"` // version of the program that wrote it
	Data    string `json:"data"`      // name of the data set
	Model   string `json:"model"`     // registered name
	Label   string `json:"label"`     // name in the experiment
	Seed    uint64 `json:"seed"`
	Fold    string `json:"fold,omitempty"`
	// ModelSeed is the seed of the model where the split has folds. 0: Seed.
	ModelSeed uint64 `json:"model_seed,omitempty"`
	// Source is the data config in YAML: how files of this data set are read.
	Source  string       `json:"source"`
	Columns []data.Field `json:"columns"` // of the table that Source reads
	Unit    Unit         `json:"unit"`
	// MinFlows is how many flows a unit had at least to set the threshold and to be judged.
	MinFlows  int       `json:"min_flows,omitempty"`
	Aggregate Aggregate `json:"aggregate"`
	// Files are those that belong to the bundle, with what they held when they were written.
	Files map[string]record.FileSum `json:"files"`
}

// Unit is what is judged.
type Unit struct {
	Name    string   `json:"name"`              // flow, host, connection, or the columns in brackets
	Columns []string `json:"columns,omitempty"` // that name an entity; none for flows
}

// Aggregate is [experiment.Aggregate] as bundle.json holds it.
type Aggregate struct {
	Flow  string  `json:"flow"`
	Unit  string  `json:"unit"`
	Above float64 `json:"above,omitempty"`
}

// Threshold is threshold.json: what makes a score an alarm.
type Threshold struct {
	Rule  string  `json:"rule"`
	Value float64 `json:"value"`
	On    string  `json:"on"` // benign scores that the rule was fitted to: validation or train
	// Score is the threshold: a unit of a higher score is an alarm. NaN where there is none.
	Score eval.Number `json:"threshold"`
	// FlowLimit is the score above which a flow counts, where units are judged by the share of such flows; else NaN.
	FlowLimit eval.Number `json:"flow_limit"`
}

// prepFile is prep.json.
type prepFile struct {
	Pipeline *prep.Pipeline `json:"pipeline"`
	Traces   *prep.Tracer   `json:"traces"`
}

// specFile is spec.yaml.
type specFile struct {
	Label  string `yaml:"label"`
	Model  string `yaml:"model"`
	Params any    `yaml:"params"`
}

// The files of a bundle, in a cell's folder.
const (
	manifestName  = "bundle.json"
	specName      = "spec.yaml"
	prepName      = "prep.json"
	thresholdName = "threshold.json"
	modelName     = "model.bin"

	// not of those that were written before these files were
	calibrationName = "calibration.json"
	profileName     = "profile.json"
)

// Parts is what a bundle is made of, for [Write].
type Parts struct {
	Cell       experiment.Cell
	Columns    []data.Field // of the table
	Pipeline   *prep.Pipeline
	Tracer     *prep.Tracer // nil: no traces
	Detector   models.Detector
	NoModel    bool // leave model.bin out: the bundle can be read, not opened
	Threshold  Threshold
	Aggregate  experiment.Aggregate
	Calibrated []float64        // scores of benign units that were held out; nil: none
	Profile    *profile.Profile // of the benign training rows
	Program    string           // version
}

// Write writes the files of a bundle into a cell's folder, bundle.json last.
func Write(to *record.Folder, p Parts) error {
	set, entry := p.Cell.Set, p.Cell.Entry
	spec, err := settings.Marshal(specFile{entry.Label, entry.Info.Name, entry.Spec})
	if err != nil {
		return fmt.Errorf("runs: %s: %w", specName, err)
	}
	source, err := settings.Marshal(set.Doc)
	if err != nil {
		return fmt.Errorf("runs: %s: %w", manifestName, err)
	}
	unit, err := set.Unit.Resolve(set.Config.Name, p.Columns)
	if err != nil {
		return err
	}
	if err := to.Write(specName, func(w io.Writer) error { _, err := w.Write(spec); return err }); err != nil {
		return err
	}
	if err := to.WriteJSON(prepName, prepFile{p.Pipeline, p.Tracer}); err != nil {
		return err
	}
	if err := to.WriteJSON(thresholdName, p.Threshold); err != nil {
		return err
	}
	names := []string{specName, prepName, thresholdName}
	if !p.NoModel {
		if err := to.Write(modelName, p.Detector.Save); err != nil {
			return err
		}
		names = append(names, modelName)
	}
	if p.Calibrated != nil {
		if err := to.Write(calibrationName, compact(NewCalibration(p.Calibrated))); err != nil {
			return err
		}
		names = append(names, calibrationName)
	}
	if p.Profile != nil {
		if err := to.Write(profileName, compact(p.Profile)); err != nil {
			return err
		}
		names = append(names, profileName)
	}
	m := Manifest{
		Version: Version, Program: p.Program, Data: set.Config.Name, Model: entry.Info.Name, Label: entry.Label,
		Seed: p.Cell.Seed, Fold: p.Cell.Fold, Source: string(source), Columns: p.Columns,
		Unit: Unit{set.Unit.String(), unit}, MinFlows: set.MinFlows,
		Aggregate: Aggregate{p.Aggregate.Flow, p.Aggregate.Unit, p.Aggregate.Above}, Files: map[string]record.FileSum{},
	}
	if p.Cell.Fold != "" {
		m.ModelSeed = p.Cell.ModelSeed()
	}
	written := to.Files()
	for _, name := range names {
		m.Files[name] = written[name]
	}
	return to.WriteJSON(manifestName, m)
}

// compact writes a value as JSON in one line.
func compact(v any) func(io.Writer) error {
	return func(w io.Writer) error { return json.NewEncoder(w).Encode(v) }
}
