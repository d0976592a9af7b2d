package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"plumbline/configs/settings"
	"plumbline/data/evasion"
	"plumbline/data/prep"
	"plumbline/data/source"
	"plumbline/data/split"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/record"
)

// Config is an experiment file as it is written.
type Config struct {
	// names the run directory
	Name string `yaml:"name"`
	// what the experiment is for
	Doc string `yaml:"doc"`
	// file with the key of pseudonyms, 64 hexadecimal digits: addresses are replaced as data is read, so that scores,
	// reports, exports and bundles hold none; none: they stay
	PseudonymKey string `yaml:"pseudonym_key"`
	// data sets: names of configs/data, or maps {data: name, …} that change something, or whole data configs
	Data []dataRef `yaml:"data" jsonschema:"minItems=1"`
	// models: names of configs/models or of registered models, or maps {model, label, params}
	Models []modelRef `yaml:"models" jsonschema:"minItems=1"`
	// models to be beaten that are added to those of the experiment, unless they are there: on (random, znorm,
	// best_feature, untrained, and one_rule and permuted where a model learns from labels; none where no model sees rows),
	// off, or a list of names
	Controls Controls `yaml:"controls"`
	// one cell for each; deterministic models run once
	Seeds []uint64 `yaml:"seeds" jsonschema:"minItems=1"`
	// which rows train, validate and test; over the data set's default
	Split settings.Node `yaml:"split"`
	// which truth models that learn from labels are shown; without it that of all training rows
	Labels *Labels `yaml:"labels"`
	// preprocessing steps; in place of the data set's default
	Prep settings.Node `yaml:"prep"`
	// traces for trace models; over the data set's default
	Traces settings.Node `yaml:"traces"`
	// how scores become decisions
	Threshold Threshold `yaml:"threshold"`
	// what operating points tell of each model besides its threshold's own
	Operating Operating `yaml:"operating"`
	// what is judged: flow, host, connection, or columns that name an entity
	Unit *Unit `yaml:"unit"`
	// units with fewer flows in the validation or test part are left out of it; not for unit flow
	MinFlows int `yaml:"min_flows" jsonschema:"minimum=0"`
	// how the scores of windows become those of flows, and these those of units: max, mean or last for both, or a map
	// {flow: max, mean or last, unit: max, mean, last or share, above: quantile}
	Aggregate Aggregate `yaml:"aggregate"`
	// how test rows are scored: batch (by the model as training left it) or prequential (in the order of their files,
	// each by what the model has learned from those before it), or a map {kind, block, order}
	Protocol Protocol `yaml:"protocol"`
	// resamples of the test units for intervals; 0: none
	Bootstrap int `yaml:"bootstrap" jsonschema:"minimum=0,maximum=100000"`
	// cells at work side by side; 0: one for each processor
	Workers int `yaml:"workers" jsonschema:"minimum=0,maximum=1024"`
	// longest time for one cell, such as 90s or 2h; empty: none
	Timeout string `yaml:"timeout"`
	// look for what makes results on a data set mean less than they seem (duplicates, overlap, shortcuts); strict:
	// findings fail the data set's cells
	Audit Audit `yaml:"audit"`
	// what a cell leaves
	Keep Keep `yaml:"keep"`
	// what sources report of these models on these data sets, to stand beside the results
	Published []record.Published `yaml:"published"`
	// values of one axis of robustness, a data set for each: contamination, irrelevant (share of columns that say
	// nothing), attack_copies, label_noise, training (share of the training rows) or drift (share of test rows that come
	// from the test files)
	Vary map[string][]float64 `yaml:"vary"`
	// values of settings to search for inside the training data; for plumbline tune
	Tune *Tune `yaml:"tune"`
	// how cells are handed to a scheduler; for --launcher
	Launch *Launch `yaml:"launch"`
}

// Threshold is how scores become decisions.
type Threshold struct {
	eval.ThresholdRule `yaml:",inline"`
	// which benign scores the rule is fitted to: those of held-out rows, or those of the rows that the model was
	// trained on, which are too low
	On string `yaml:"on" jsonschema:"enum=validation,enum=train"`
}

// Labels is how much truth models that learn from labels are shown. The training rows of other models are theirs too,
// as benign.
type Labels struct {
	// labelled attacks, drawn from the training part by the split's seed, the same ones for all cells of a fold; the
	// training part's other attacks are left out
	Attacks int `yaml:"attacks" jsonschema:"minimum=1"`
}

// Audit says whether data sets are audited: on, off or strict.
type Audit string

// Forms are a word, or true and false for on and off.
func (*Audit) Forms() []settings.Form {
	return []settings.Form{{Texts: []string{"on", "off", "strict"}}, {Bools: true}}
}

// UnmarshalSettings takes one of the words, or true and false for on and off.
func (a *Audit) UnmarshalSettings(d settings.Node) settings.Problems {
	var on bool
	if len(d.Decode(&on)) == 0 {
		*a = "off"
		if on {
			*a = "on"
		}
		return nil
	}
	var word string
	ps := d.Decode(&word)
	if len(ps) == 0 && !slices.Contains([]string{"on", "off", "strict"}, word) {
		ps = append(ps, d.Problem("%q is none of on, off and strict", word))
	}
	*a = Audit(word)
	return ps
}

// Controls are the names of the controls that an experiment adds.
type Controls struct {
	On   bool     // the usual ones
	List []string // these, in place of the usual ones
}

// Forms are a word, true and false, or names.
func (*Controls) Forms() []settings.Form {
	return []settings.Form{{Texts: []string{"on", "off"}}, {Bools: true}, {List: &settings.Form{}}}
}

// UnmarshalSettings takes on, off, true, false or a list of names.
func (c *Controls) UnmarshalSettings(d settings.Node) settings.Problems {
	*c = Controls{}
	if text, ok := d.Scalar(); ok {
		switch text {
		case "on", "true":
			c.On = true
		case "off", "false":
		default:
			return settings.Problems{d.Problem("%q is neither on nor off; a list names controls", text)}
		}
		return nil
	}
	return d.Decode(&c.List)
}

// names are the controls to add; labels says whether a model learns from labels.
func (c Controls) names(labels bool) []string {
	switch {
	case c.List != nil:
		return c.List
	case !c.On:
		return nil
	case labels:
		return []string{"random", "znorm", "best_feature", "untrained", "one_rule", "permuted"}
	}
	return []string{"random", "znorm", "best_feature", "untrained"}
}

func defaults() Config {
	return Config{
		Seeds:     []uint64{1},
		Threshold: Threshold{eval.ThresholdRule{Rule: "fpr", Value: 0.01}, "validation"},
		Operating: defaultOperating(),
		Aggregate: Aggregate{Flow: "max", Unit: "max"}, Protocol: defaultProtocol(), Bootstrap: 500, Audit: "on",
		Keep: Keep{Scores: true, Models: true, Coordinates: defaultCoordinates()}, Controls: Controls{On: true},
	}
}

// Defaults is an experiment's settings where a file is silent.
func Defaults() *Config { c := defaults(); return &c }

// dataRef is a data set as an experiment names it.
type dataRef struct{ doc settings.Node }

func (r *dataRef) UnmarshalSettings(d settings.Node) settings.Problems { r.doc = d; return nil }

// modelRef is a model as an experiment names it.
type modelRef struct {
	Model  string        `yaml:"model"`
	Label  string        `yaml:"label"`
	Doc    string        `yaml:"doc"`
	Params settings.Node `yaml:"params"`
	at     settings.Node
}

func (r *modelRef) UnmarshalSettings(d settings.Node) settings.Problems {
	if name, ok := d.Scalar(); ok {
		*r = modelRef{Model: name, at: d}
		return nil
	}
	type plain modelRef
	var p plain
	ps := d.Decode(&p)
	*r = modelRef(p)
	r.at = d
	if len(ps) == 0 && r.Model == "" {
		ps = append(ps, d.Problem("a model entry needs the key model"))
	}
	return ps
}

// Experiment is a checked experiment: every name is resolved and every setting decoded.
type Experiment struct {
	Config
	File    string
	Sets    []DataSet
	Entries []Entry
	Limit   time.Duration // of a cell; 0: none
	Finder  source.Finder
	// Inferred are the configs that were guessed for data files, by the files' names.
	Inferred map[string]*source.Config

	source string // what Load was given
	loaded LoadOptions
	trying bool // its space is not looked into: it is one point of it
}

// DataSet is one data set of an experiment with what applies to it.
type DataSet struct {
	Config *source.Config
	Split  split.SplitSpec
	Prep   prep.Spec
	Traces *prep.TraceSpec // nil: no traces
	Unit   Unit
	// MinFlows is the fewest rows of a unit of the validation or test part that is judged.
	MinFlows int
	// Attacks is how many labelled attacks models that learn from labels are shown; 0: all of training.
	Attacks    int
	Irrelevant float64              // share of the columns that are added and say nothing
	Axis       *record.Axis         // where the data set stands on an axis of robustness; nil: on none
	Evasion    *evasion.EvasionSpec // nil: attacks are tested as they are
	Doc        settings.Node        // the resolved config
}

// Entry is one model of an experiment.
type Entry struct {
	Label string
	Info  models.Info
	Spec  models.Spec
}

// UsesSeed says whether the model, with these settings, depends on the seed; otherwise it is trained once per data
// set and fold.
func (e *Entry) UsesSeed() bool { return e.Info.UsesSeed(e.Spec) }

// LoadOptions is what an experiment file does not say.
type LoadOptions struct {
	Overrides []string // in Hydra's spelling
	DataDirs  []string // looked in first for data files
	Builtin   fs.FS    // configs of the program
}

// read is the document of an experiment file, or of the experiment that a name stands for where there is no such file.
func read(file string, builtin fs.FS) (settings.Node, error) {
	raw, err := os.ReadFile(file)
	if err == nil {
		return settings.Parse(file, raw)
	}
	if !validName(file) || strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml") {
		return settings.Node{}, fmt.Errorf("runs: %w", err)
	}
	doc, err := NewLibrary("", builtin).Experiment(file)
	if errors.Is(err, errNoConfig) {
		return doc, fmt.Errorf("runs: %s is neither a file nor an experiment that has this name: %w", file, err)
	}
	return doc, err
}

// Load reads and checks an experiment file, or an experiment of configs/experiments or configs/papers by its name. The
// error, a settings.Problems, lists everything that is
// wrong with the file, the overrides and the configs that it names; no data is read.
func Load(file string, o LoadOptions) (*Experiment, error) { return loadPoint(file, o, false) }

func loadPoint(file string, o LoadOptions, trying bool) (*Experiment, error) {
	named := file
	doc, err := read(file, o.Builtin)
	if err != nil {
		return nil, err
	}
	file = doc.File
	ps := settings.ApplyOverrides(&doc, o.Overrides)
	e := &Experiment{Config: defaults(), File: file, source: named, loaded: o, trying: trying}
	ps = append(ps, doc.Decode(&e.Config)...)
	l := loader{e: e, doc: doc, lib: NewLibrary(onDisk(file), o.Builtin), found: ps}
	ps = append(ps, l.resolve()...)
	if len(ps) > 0 {
		return nil, once(ps)
	}
	e.Finder = finder(onDisk(file), o.DataDirs, l.dirs)
	return e, nil
}

// onDisk is the file, empty for one that is built into the program.
func onDisk(file string) string {
	if strings.HasPrefix(file, builtinPrefix) {
		return ""
	}
	return file
}

// FindFiles looks for the data files that cells need, before anything is read. The error names every file that is not
// there and wraps [source.ErrNoFile].
func (e *Experiment) FindFiles(cells []Cell) error {
	var errs []error
	seen := map[*DataSet]bool{}
	for _, c := range cells {
		if !seen[c.Set] {
			_, err := c.Set.Config.Paths(e.Finder)
			errs = append(errs, err)
		}
		seen[c.Set] = true
	}
	return errors.Join(errs...)
}

// once leaves out repetitions: what an experiment says of all its data sets is decoded for each of them.
func once(ps settings.Problems) settings.Problems {
	seen := map[settings.Problem]bool{}
	return slices.DeleteFunc(ps, func(p settings.Problem) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}

// finder looks for data files in the folders given, in those of the experiment file and of the data configs
// that it names, in the usual ones, and, where the file is that of a run, where that run looked.
func finder(file string, given, configs []string) source.Finder {
	dirs := slices.Clone(given)
	if file != "" {
		dirs = append(dirs, filepath.Dir(file))
	}
	dirs = append(dirs, configs...)
	f := source.NewFinder(dirs...)
	var m record.Manifest
	if record.ReadJSON(filepath.Dir(file), "manifest.json", &m) == nil {
		f.Dirs = append(f.Dirs, m.DataDirs...)
	}
	return f
}
