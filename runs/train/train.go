package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/source"
	"plumbline/eval"
	"plumbline/runs"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Options is what a model is trained on and how.
type Options struct {
	Data []string // files, or one data set by its name or config
	// As is the data config that reads the files, of captures also the tool whose columns flows have; "": as inferred for
	// the first, captures as flows of zeek
	As        string
	Model     string // name of a config of models, or of a registered model
	Threshold eval.ThresholdRule
	Seed      uint64
	// Held and Last are the shares of the rows, latest first, that are not trained on: Last tells how many alarms come of
	// later traffic, Held, before it, sets the threshold.
	Held, Last float64
	Overrides  []string // of the experiment, in Hydra's spelling
	// Attacks are alerts that an analyst called true, for [Retrain]: their rows of the new files are no benign traffic.
	Attacks []alerts.Alert
	Library experiment.Library
	Builtin fs.FS // configs of the program
	Dirs    []string
	Run     runs.Options // Root is not looked at
}

// ErrSettings is wrapped by errors about what was asked for.
var ErrSettings = errors.New("cannot be trained")

// Trained is a model that was made.
type Trained struct {
	File   []byte // model file
	Bundle *bundle.Bundle
	Result record.Result
	Split  string // time or order
}

// file is an experiment file of one cell.
type file struct {
	Name      string             `yaml:"name"`
	Doc       string             `yaml:"doc"`
	Data      []settings.Node    `yaml:"data"`
	Models    []string           `yaml:"models"`
	Controls  string             `yaml:"controls"`
	Seeds     []uint64           `yaml:"seeds"`
	Split     map[string]any     `yaml:"split"`
	Threshold eval.ThresholdRule `yaml:"threshold"`
	Bootstrap int                `yaml:"bootstrap"`
	Audit     string             `yaml:"audit"`
}

// Train trains one model. Rows that labels tell to be attacks are left out; without labels all rows are taken for
// benign.
func Train(ctx context.Context, o Options) (*Trained, error) {
	doc, c, err := o.source()
	if err != nil {
		return nil, refused(err)
	}
	f := file{
		Name: "train", Doc: "one model on one's own traffic", Data: []settings.Node{doc}, Models: []string{o.Model},
		Controls: "off", Seeds: []uint64{max(1, o.Seed)}, Threshold: o.Threshold, Audit: "off",
	}
	if f.Split, err = split(ctx, c, source.NewFinder(o.Dirs...), o.Held, o.Last); err != nil {
		return nil, refused(err)
	}
	text, err := settings.Marshal(f)
	if err != nil {
		return nil, refused(err)
	}
	t, err := o.carryOut(ctx, text)
	if t != nil {
		t.Split = f.Split["kind"].(string)
	}
	return t, err
}

func refused(err error) error { return fmt.Errorf("train: %w: %w", ErrSettings, err) }

// errEnough ends a look at the first rows.
var errEnough = errors.New("enough")

// split holds the latest rows out: by time where the rows have one, else in the order of the files.
func split(ctx context.Context, c *source.Config, f source.Finder, held, last float64) (map[string]any, error) {
	kind := "order"
	look, _ := c.OfRows()
	_, err := source.Stream(ctx, look, f, 1, false, func(t *data.Table, _ float64) error {
		if at, err := t.TimeColumn(""); err == nil && !slices.Contains(at.Nanos, data.NoTime) {
			kind = "time"
		}
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return map[string]any{"kind": kind, "test": last, "validation": held / (1 - last)}, nil
}

// source is the data config of the files.
func (o *Options) source() (settings.Node, *source.Config, error) {
	name := o.As
	if name == "" {
		name = o.Data[0]
	}
	named, capture, err := o.Library.Capture(o.Data[0], o.As)
	if !capture && err == nil {
		named, err = o.Library.Data(name)
	}
	if err != nil {
		return settings.Node{}, nil, err
	}
	if !named.Inferred && o.As == "" {
		if len(o.Data) > 1 {
			return settings.Node{}, nil, fmt.Errorf("%s is a data set, so that no other file goes with it", o.Data[0])
		}
		c, err := source.DecodeConfig(named.Doc)
		if named.Dir != "" {
			o.Dirs = append(slices.Clone(o.Dirs), named.Dir)
		}
		return named.Doc, c, err
	}
	doc, err := withFiles(named.Doc, o.Data, nil)
	if err != nil {
		return settings.Node{}, nil, err
	}
	c, err := source.DecodeConfig(doc)
	return doc, c, err
}

// withFiles is a data config for other files; change, which may be nil, may do more to it.
func withFiles(doc settings.Node, files []string, change func(map[string]any)) (settings.Node, error) {
	v, err := doc.Value()
	if err != nil {
		return doc, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return doc, errors.New("the data config is no map")
	}
	paths := make([]any, len(files))
	for i, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return doc, err
		}
		if st, err := os.Stat(abs); err != nil {
			return doc, err
		} else if st.IsDir() {
			return doc, fmt.Errorf("%s is a folder", f)
		}
		paths[i] = abs
	}
	m["files"] = map[string]any{"train": paths}
	for _, key := range []string{"identify", "expect", "fetch", "test_set"} {
		delete(m, key)
	}
	if change != nil {
		change(m)
	}
	text, err := settings.Marshal(m)
	if err != nil {
		return doc, err
	}
	return settings.Parse("data config for "+files[0], text)
}

// carryOut runs an experiment of one cell in a folder that goes away, and packs the cell.
func (o *Options) carryOut(ctx context.Context, text []byte) (*Trained, error) {
	root, err := os.MkdirTemp("", "plumbline-train-")
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer os.RemoveAll(root)
	path := filepath.Join(root, "experiment.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	e, err := experiment.Load(path, experiment.LoadOptions{Overrides: o.Overrides, DataDirs: o.Dirs, Builtin: o.Builtin})
	var ps settings.Problems
	if errors.As(err, &ps) { // nobody can look into a file that is gone
		for i := range ps {
			if strings.HasPrefix(ps[i].Where, path) {
				ps[i].Where = ""
			}
		}
	}
	if err != nil {
		return nil, refused(err)
	}
	if cells := e.Plan(); len(cells) != 1 {
		return nil, refused(fmt.Errorf("%d models, data sets, folds or seeds: want one of each", len(cells)))
	}
	run := o.Run
	run.Root = filepath.Join(root, "runs")
	if say := run.Observe; say != nil {
		run.Observe = func(v runs.Event) {
			if v.Kind != runs.Planned { // it names the folder
				say(v)
			}
		}
	}
	out, err := runs.Run(ctx, e, run)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if out.Interrupted {
		return nil, fmt.Errorf("train: %w", context.Cause(ctx))
	}
	t := &Trained{Result: out.Results[0]}
	if t.Result.Status != record.OK {
		return nil, fmt.Errorf("train: %s: %s", t.Result.Status, t.Result.Error)
	}
	var b bytes.Buffer
	if err := bundle.Pack(&b, out.Dir, t.Result.Cell); err != nil {
		return nil, err
	}
	t.File = b.Bytes()
	t.Bundle, err = bundle.Read(bytes.NewReader(t.File), "the trained model")
	return t, err
}
