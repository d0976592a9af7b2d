package foreign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/data"
	"plumbline/data/input"
	"plumbline/models"
)

// Command is a program that learns from files and scores rows. For each cell it gets a folder with
//
//	task.json       seed, model_seed (to train with), workers, data, label, fold, format, settings, score (the parts
//	                to score: valid, test, or train too)
//	manifest.json   features, and rows, columns and hashes of the parts
//	train.*         what models of its kind learn from; attack and class with command_labels alone
//	valid.*         held-out benign rows
//	test.*          rows to be judged, without labels
//
// and writes scores.csv there, with the columns row and score, for every row of the parts to score, higher meaning more
// anomalous. What it prints is program.log in the cell's folder. It is killed, with the processes that it began, when
// the cell is cancelled, its time is over or its memory is more than it may have.
type Command struct {
	// program and arguments; {folder}, {data}, {label}, {seed}, {model_seed} and {fold} stand for those of the cell, names
	// of settings for their values; where no argument has {folder}, it is added as the last. A name that is a file beside
	// the experiment file, or where data files are, is that file
	Run []string `yaml:"run"`
	// of the method, for task.json and, by {name}, in the arguments; what "tune" may search over as
	// models.LABEL.settings.NAME
	Settings map[string]string `yaml:"settings,omitempty"`
	// format of the parts. npy: matrix and rows apart; csv, parquet: a column row, then one for each feature
	Format string `yaml:"format" jsonschema:"enum=npy,enum=csv,enum=parquet"`
	// longest time, such as 90s or 2h; empty: that of the experiment alone
	Timeout string `yaml:"timeout"`
	// most memory in MB that the program and the processes that it began may have resident together; 0: any. Linux only
	MemoryMB int `yaml:"memory_mb" jsonschema:"minimum=0"`
	// the program does not use the seed, so that one cell is enough
	IgnoresSeed bool `yaml:"ignores_seed"`

	name string
}

const command = "command"

func init() {
	for _, labels := range []models.Labels{models.NoLabels, models.AllLabels} {
		name, doc := command, "A program that learns from files of benign rows and scores rows."
		if labels.Any() {
			name, doc = command+"_labels", "The same with a program that learns from labelled rows."
		}
		models.Register(models.Info{
			Name: name, Doc: doc, Paper: "none: the method is elsewhere",
			Needs:    models.Needs{Input: data.Vectors, Labels: labels},
			Seeded:   func(s models.Spec) bool { return !s.(*Command).IgnoresSeed },
			Defaults: func() models.Spec { return &Command{name: name, Format: "npy", Timeout: "1h"} },
		})
	}
}

// New checks the settings.
func (c *Command) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(c.name, c); err != nil {
		return nil, err
	}
	fail := func(format string, args ...any) (models.Detector, error) {
		return nil, fmt.Errorf("%s: %w: %s", c.name, models.ErrSpec, fmt.Sprintf(format, args...))
	}
	if len(c.Run) == 0 || c.Run[0] == "" {
		return fail("params.run must name a program")
	}
	known := append([]string{"folder", "model_seed"}, placeholders...)
	for _, name := range slices.Sorted(maps.Keys(c.Settings)) {
		if slices.Contains(known, name) || !isName(name) {
			return fail("settings: %q: want a name of letters a to z and _ that is none of %s", name,
				strings.Join(known, ", "))
		}
		known = append(known, name)
	}
	for _, arg := range c.Run {
		if name, bad := unknownPlaceholder(arg, known...); bad {
			return fail("{%s} in %q stands for nothing; known: {%s}", name, arg, strings.Join(known, "}, {"))
		}
	}
	d := &commandDetector{cell: cell{model: c.name, env: env}, spec: *c}
	if c.Timeout != "" {
		var err error
		if d.limit, err = time.ParseDuration(c.Timeout); err != nil || d.limit <= 0 {
			return fail("timeout %q is not a time such as 90s or 2h", c.Timeout)
		}
	}
	if c.MemoryMB > 0 && !canWatch {
		return fail("memory_mb: the memory of a program can be watched on Linux alone")
	}
	return d, nil
}

type commandDetector struct {
	cell
	spec  Command
	limit time.Duration
}

// task is task.json.
type task struct {
	Seed uint64 `json:"seed"`
	// ModelSeed is the seed to train with: the cell's, or one of the fold's own.
	ModelSeed uint64 `json:"model_seed"`
	Workers   int    `json:"workers"`
	Data      string `json:"data"`
	Label     string `json:"label"`
	Fold      string `json:"fold"`
	Format    string `json:"format"`
	// Settings are numbers and truth values where they read as such, and texts.
	Settings map[string]any `json:"settings,omitempty"`
	Score    []string       `json:"score"`
}

// values are the settings for JSON.
func (c *Command) values() map[string]any {
	out := map[string]any{}
	for name, text := range c.Settings {
		out[name] = text
		var v any
		if err := json.Unmarshal([]byte(text), &v); err == nil {
			switch v.(type) {
			case float64, bool:
				out[name] = json.RawMessage(text)
			}
		}
	}
	return out
}

// taskFolder is the folder of a cell that the program works in; scoresName is what it leaves there.
const (
	taskFolder = "task"
	scoresName = "scores.csv"
)

// Fit writes the files, runs the program and reads its scores. The files are taken away again.
func (d *commandDetector) Fit(ctx context.Context, _ *data.Set) error {
	d.table = nil
	if d.at == nil {
		return fmt.Errorf("%s: %w", d.model, errNoCell)
	}
	folder, err := filepath.Abs(filepath.Join(d.at.Folder, taskFolder))
	if err == nil {
		err = os.RemoveAll(folder)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.model, err)
	}
	defer os.RemoveAll(folder)
	if err := d.write(ctx, folder); err != nil {
		return fmt.Errorf("%s: %w", d.model, err)
	}
	argv, err := d.arguments(folder)
	if err != nil {
		return fmt.Errorf("%s: %w", d.model, err)
	}
	if err := d.run(ctx, argv, folder); err != nil {
		return fmt.Errorf("%s: %s: %w", d.model, strings.Join(d.spec.Run, " "), err)
	}
	t, err := readTable(filepath.Join(folder, scoresName), scoresName, d.at.Prepared.Info.Rows)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("the program left no %s in its folder (what it printed is in %s)", scoresName, logName)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.model, err)
	}
	d.table = t
	return nil
}

func (d *commandDetector) write(ctx context.Context, folder string) error {
	s := d.at.Sets
	parts := []Part{{"train", s.Train, s.TrainSum}, {"valid", s.Valid, ""}, {"test", s.Test, s.TestSum}}
	if _, err := WriteFolder(ctx, folder, d.spec.Format, d.at.Program, d.at.Prepared, d.at.Fold, parts); err != nil {
		return err
	}
	t := task{Seed: d.at.Seed, ModelSeed: d.env.Seed, Workers: d.env.Parallel(), Data: d.at.Data, Label: d.at.Label,
		Fold: d.at.Fold, Format: d.spec.Format, Settings: d.spec.values(), Score: []string{"valid", "test"}}
	if d.at.Train {
		t.Score = append(t.Score, "train")
	}
	return writeJSON(filepath.Join(folder, "task.json"), t)
}

// arguments is the program and its arguments, and leaves in origin.json what they are and which files they name.
func (d *commandDetector) arguments(folder string) ([]string, error) {
	from := origin{Run: slices.Clone(d.spec.Run), Files: []originFile{}}
	var argv []string
	var pairs []string
	for name, value := range d.spec.Settings {
		pairs = append(pairs, "{"+name+"}", value)
	}
	values := strings.NewReplacer(pairs...) // in one pass: a value that holds another's name stays as it is
	hasFolder := false
	for _, arg := range d.spec.Run {
		hasFolder = hasFolder || strings.Contains(arg, "{folder}")
		text := strings.ReplaceAll(d.fill(arg), "{folder}", folder)
		text = values.Replace(text)
		if text == arg {
			path, file, err := named(arg, d.at.Find)
			if err != nil {
				return nil, err
			}
			if file != nil {
				text = path
				from.Files = append(from.Files, *file)
			}
		}
		argv = append(argv, text)
	}
	if !hasFolder {
		argv = append(argv, folder)
	}
	return argv, d.at.Files.WriteJSON("origin.json", from)
}

// named is the file that an argument names beside the experiment file, or where data files are, if it does.
func named(arg string, find func(string) (string, error)) (path string, file *originFile, err error) {
	if path, err = find(arg); err != nil {
		return "", nil, nil // it is no file
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", nil, err
	}
	sum, size, err := input.Sum(path)
	if err != nil {
		return "", nil, err
	}
	return path, &originFile{arg, size, sum}, nil
}

// FilesOf are the files that a program is made of, as far as the arguments name them, with their hashes: what a model
// depends on besides its settings. Other models have none.
func FilesOf(s models.Spec, find func(string) (string, error)) (string, error) {
	c, ok := s.(*Command)
	if !ok {
		return "", nil
	}
	var out strings.Builder
	for _, arg := range c.Run {
		_, file, err := named(arg, find)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		if file != nil {
			fmt.Fprintf(&out, "%s %s\n", file.Name, file.SHA256)
		}
	}
	return out.String(), nil
}

// logName is what a program printed, in the cell's folder.
const logName = "program.log"

func (d *commandDetector) run(ctx context.Context, argv []string, folder string) error {
	limited := ctx
	if d.limit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, d.limit)
		defer cancel()
	}
	p := program{
		argv: argv, folder: folder, memory: int64(d.spec.MemoryMB) << 20,
		env: []string{"PLUMBLINE_FOLDER=" + folder, "PLUMBLINE_SEED=" + strconv.FormatUint(d.at.Seed, 10),
			"PLUMBLINE_MODEL_SEED=" + strconv.FormatUint(d.env.Seed, 10),
			"PLUMBLINE_WORKERS=" + strconv.Itoa(d.env.Parallel())},
	}
	err := p.run(limited)
	if logErr := d.at.Files.Write(logName, func(w io.Writer) error { return p.output.writeTo(w) }); logErr != nil {
		return errors.Join(err, logErr)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("killed after %v (timeout): %w", d.limit, context.DeadlineExceeded)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	}
	if last := p.output.last(); last != "" {
		return fmt.Errorf("%w; its last line: %s (all of it in %s)", err, last, logName)
	}
	return fmt.Errorf("%w; it printed nothing", err)
}
