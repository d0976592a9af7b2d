package export

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/configs/settings"
	"plumbline/eval"
	"plumbline/runs/record"
)

// Trackers of experiments have runs with parameters, metrics, tags and files. A run directory is one such run with one
// below it for each cell.

// Tracked is a run directory, or a cell of it, as trackers see it.
type Tracked struct {
	ID     string // of this run of the experiment and this cell, 32 hexadecimal digits; another place changes nothing
	Digest string // of what was measured: it changes where a resumed run has other results
	Name   string
	Cell   string // "" for the run directory
	Label  string
	Status string // ok, or why not
	Start  time.Time
	End    time.Time
	Params []Pair
	Points []Point // of metrics: by key, rising steps
	Tags   []Pair
	Files  []File
	Set    *record.DataManifest // what a cell was trained on; nil where it is not known
}

// Pair is a name and a text.
type Pair struct{ Key, Value string }

// Point is one value of a metric.
type Point struct {
	Key   string
	Value float64 // finite
	Step  int64   // epoch, or 0
	Time  time.Time
}

// File is a file of a run for trackers to keep.
type File struct {
	Name  string // with slashes, within the tracked run
	Path  string // on disk
	Bytes int64
}

// Files that trackers keep.
type Artifacts string

// Kinds of files, each with those of the ones before.
const (
	NoFiles    Artifacts = "none"
	SmallFiles Artifacts = "small" // settings, metrics, thresholds, histories, the report
	AllFiles   Artifacts = "all"   // scores, models and preprocessing too
)

// The files of a cell and of a run directory, and those that are large.
var (
	cellFiles  = []string{"spec.yaml", "metrics.json", "threshold.json", "history.csv", "stream.csv", "importance.json"}
	largeFiles = []string{"bundle.json", "prep.json", "calibration.json", "profile.json", "scores.csv.zst", "model.bin"}
	runFiles   = []string{"experiment.yaml", "results.csv", "summary.json", "tests.json", "report.html"}
)

// Track reads a run directory: the run, and its cells that ended. Files that are not what the run wrote are an error.
func Track(dir string, keep Artifacts) (*Tracked, []*Tracked, error) {
	rec, err := record.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	if len(rec.Faults) > 0 {
		return nil, nil, fmt.Errorf("%s: %v", dir, rec.Faults[0])
	}
	if err := rec.ReadMetrics(); err != nil {
		return nil, nil, err
	}
	root, err := trackRun(rec, keep)
	if err != nil {
		return nil, nil, err
	}
	var cells []*Tracked
	digests := sha256.New()
	fmt.Fprintln(digests, rec.Manifest.Finished)
	for i := range rec.Results {
		c, err := trackCell(rec, &rec.Results[i], keep)
		if err != nil {
			return nil, nil, err
		}
		fmt.Fprintln(digests, c.Digest)
		cells = append(cells, c)
	}
	root.Digest = hex.EncodeToString(digests.Sum(nil))[:32]
	return root, cells, nil
}

// identity is the ID of a run's cell, or of the run for "".
func identity(rec *record.Record, cell string) string {
	m := rec.Manifest
	sum := sha256.Sum256([]byte(m.Experiment + "\n" + m.Started.UTC().Format(time.RFC3339Nano) + "\n" + cell))
	return hex.EncodeToString(sum[:16])
}

func trackRun(rec *record.Record, keep Artifacts) (*Tracked, error) {
	m := rec.Manifest
	t := &Tracked{ID: identity(rec, ""), Name: filepath.Base(filepath.Clean(rec.Dir)), Start: m.Started, End: m.Finished,
		Status: record.OK}
	if t.End.IsZero() {
		t.Status, t.End = record.Interrupted, m.Started
	}
	for _, r := range rec.Results {
		if r.Status != record.OK && t.Status == record.OK {
			t.Status = record.Failed
		}
	}
	doc, err := parse(filepath.Join(rec.Dir, "experiment.yaml"))
	if err != nil {
		return nil, err
	}
	t.Params = flatten(doc, "")
	at := t.End
	t.Points = append(t.Points, Point{"cells", float64(len(rec.Results)), 0, at},
		Point{"cells_ok", float64(rec.OK()), 0, at})
	t.Points = append(t.Points, means(rec, at)...)
	t.Tags = commonTags(rec)
	t.Tags = append(t.Tags, Pair{"mlflow.note.content", runNote(rec)})
	t.Params = legalParams(t.Params)
	return t, t.addFiles(rec.Dir, keep, runFiles, nil)
}

// means is the mean of the main metrics of each model over its cells that are ok.
func means(rec *record.Record, at time.Time) (out []Point) {
	type key struct{ metric, data, label string }
	values := map[key][]float64{}
	var order []key
	for i := range rec.Results {
		r := &rec.Results[i]
		for _, name := range mainMetrics {
			if v := r.Metric(name); finite(v) {
				k := key{name, r.Data, r.Label}
				if values[k] == nil {
					order = append(order, k)
				}
				values[k] = append(values[k], v)
			}
		}
	}
	for _, k := range order {
		sum := 0.0
		for _, v := range values[k] {
			sum += v / float64(len(values[k]))
		}
		out = append(out, Point{metricKey(k.metric, k.data, k.label), sum, 0, at})
	}
	return out
}

// mainMetrics are those that a run is told by.
var mainMetrics = []string{"auroc", "auprc", "f1", "recall", "fpr"}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func trackCell(rec *record.Record, r *record.Result, keep Artifacts) (*Tracked, error) {
	folder := filepath.Join(rec.Dir, filepath.FromSlash(r.Cell))
	t := &Tracked{ID: identity(rec, r.Cell), Name: strings.TrimPrefix(r.Cell, "cells/"), Cell: r.Cell, Label: r.Label,
		Status: r.Status, Start: rec.Manifest.Started, End: rec.Manifest.Started, Tags: commonTags(rec)}
	var st record.Status
	raw, err := record.ReadFile(filepath.Join(folder, "status.json"), record.MaxJSON)
	if err == nil {
		err = record.ReadJSON(rec.Dir, r.Cell+"/status.json", &st)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		t.Start, t.End = st.Started, st.Finished
	}
	sum := sha256.Sum256(raw)
	t.Digest = hex.EncodeToString(sum[:16])
	for _, p := range [][2]string{
		{"data", r.Data}, {"model", r.Model}, {"label", r.Label}, {"seed", strconv.FormatUint(r.Seed, 10)}, {"fold", r.Fold},
		{"unit", r.Unit}, {"input", r.Input}, {"threshold_rule", rec.Threshold},
		{"n_train", strconv.Itoa(r.Train)}, {"n_features", strconv.Itoa(r.Features)},
		{"train_sha256", r.TrainSHA256}, {"test_sha256", r.TestSHA256},
	} {
		if p[1] != "" {
			t.Params = append(t.Params, Pair{p[0], p[1]})
		}
	}
	doc, err := parse(filepath.Join(folder, "spec.yaml"))
	switch {
	case errors.Is(err, fs.ErrNotExist): // a cell that failed early
	case err != nil:
		return nil, err
	default:
		if p, ok := doc.Get("params"); ok {
			t.Params = append(t.Params, flatten(p, "params.")...)
		}
	}
	if r.Error != "" {
		t.Tags = append(t.Tags, Pair{"plumbline.error", r.Error})
	}
	if len(r.Warnings) > 0 {
		t.Tags = append(t.Tags, Pair{"plumbline.warnings", strings.Join(r.Warnings, "; ")})
	}
	if err := t.addMetrics(rec, r, folder); err != nil {
		return nil, err
	}
	for i := range rec.Manifest.Data {
		if d := &rec.Manifest.Data[i]; d.Name == r.Data {
			t.Set = d
		}
	}
	t.Params = legalParams(t.Params)
	return t, t.addFiles(folder, keep, cellFiles, largeFiles)
}

// addMetrics adds the epochs' numbers, then those that the cell ended with.
func (t *Tracked) addMetrics(rec *record.Record, r *record.Result, folder string) error {
	raw, err := record.ReadFile(filepath.Join(folder, "history.csv"), record.MaxJSON)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lines, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: history.csv: %w", folder, err)
	}
	for _, series := range []struct{ column, key string }{
		{"loss", "loss"}, {"valid_loss", "valid_loss"}, {"rate", "learning_rate"},
	} {
		if len(lines) == 0 {
			break
		}
		at, epoch := slices.Index(lines[0], series.column), slices.Index(lines[0], "epoch")
		if at < 0 || epoch < 0 {
			continue
		}
		for _, line := range lines[1:] {
			v, err := strconv.ParseFloat(line[at], 64)
			n, wrong := strconv.ParseInt(line[epoch], 10, 64)
			if err == nil && wrong == nil && finite(v) {
				t.Points = append(t.Points, Point{series.key, v, n, t.End})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
		if v := r.Metrics[name]; finite(v) {
			t.Points = append(t.Points, Point{metricKey(name), v, 0, t.End})
		}
	}
	if r.Status != record.OK {
		return nil
	}
	var m eval.Metrics
	if err := record.ReadJSON(rec.Dir, r.Cell+"/metrics.json", &m); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	used := map[string]bool{}
	for _, c := range m.Classes {
		name := metricKey(c.Class)
		for used[name] { // names that differ in what keys cannot hold
			name += "_"
		}
		used[name] = true
		for _, v := range []Point{{metricKey("class_recall", name), c.Recall, 0, t.End},
			{metricKey("class_auroc", name), c.AUROC, 0, t.End}} {
			if finite(v.Value) {
				t.Points = append(t.Points, v)
			}
		}
	}
	return nil
}

func (t *Tracked) addFiles(folder string, keep Artifacts, small, large []string) error {
	names := small
	switch keep {
	case NoFiles:
		return nil
	case SmallFiles:
	case AllFiles:
		names = slices.Concat(small, large)
	default:
		return fmt.Errorf("files %q: want none, small or all", keep)
	}
	for _, name := range names {
		st, err := os.Stat(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || !st.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file: %v", filepath.Join(folder, name), err)
		}
		t.Files = append(t.Files, File{name, filepath.Join(folder, name), st.Size()})
	}
	return nil
}

// commonTags are those of every run, as MLflow names them.
func commonTags(rec *record.Record) []Pair {
	m := rec.Manifest
	out := []Pair{{"mlflow.source.type", "LOCAL"}, {"mlflow.source.name", "plumbline " + m.Version},
		{"plumbline.run", filepath.Base(filepath.Clean(rec.Dir))}, {"plumbline.experiment_sha256", m.Experiment}}
	if m.Revision != "" {
		out = append(out, Pair{"mlflow.source.git.commit", m.Revision})
	}
	return out
}

// runNote is shown on the page of the run.
func runNote(rec *record.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Experiment **%s** of plumbline, %d of %d cells ok.\n\n", plainMarkdown(rec.Name), rec.OK(),
		len(rec.Results))
	for _, d := range rec.Manifest.Data {
		fmt.Fprintf(&b, "- %s: %s; %s, %d test\n", plainMarkdown(d.Name), d.Labelled(), d.Training(), d.Test)
	}
	return b.String()
}

// parse reads a YAML file of a run.
func parse(file string) (settings.Node, error) {
	raw, err := record.ReadFile(file, record.MaxJSON)
	if err != nil {
		return settings.Node{}, err
	}
	return settings.Parse(file, raw)
}

// flatten is the scalars of a document by dotted keys, lists of scalars as one text; lists of other things are left
// out.
func flatten(d settings.Node, prefix string) (out []Pair) {
	v, err := d.Value()
	if err != nil {
		return nil
	}
	var visit func(key string, v any)
	visit = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				visit(key+"."+k, v[k])
			}
		case []any:
			var texts []string
			for _, e := range v {
				switch e.(type) {
				case map[string]any, []any:
					return
				}
				texts = append(texts, fmt.Sprint(e))
			}
			out = append(out, Pair{key, strings.Join(texts, ",")})
		case nil:
		default:
			out = append(out, Pair{key, fmt.Sprint(v)})
		}
	}
	if m, ok := v.(map[string]any); ok {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			visit(prefix+k, m[k])
		}
	}
	return out
}

// metricKey joins names to a key that every tracker takes: letters, digits and ._- in pieces between slashes.
func metricKey(names ...string) string {
	for i, name := range names {
		var b strings.Builder
		for _, r := range name {
			if r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				b.WriteRune(r)
			} else {
				b.WriteByte('_')
			}
		}
		if names[i] = b.String(); strings.Trim(names[i], ".") == "" {
			names[i] = strings.Repeat("_", max(1, len(names[i])))
		}
	}
	return shortened(strings.Join(names, "/"), maxKey)
}

// legalParams gives parameters keys that every tracker takes, each its own, and values of one line.
func legalParams(list []Pair) []Pair {
	used := map[string]bool{}
	for i, p := range list {
		key := metricKey(p.Key)
		for used[key] {
			key = shortened(key+"_", maxKey)
		}
		used[key] = true
		lines := strings.FieldsFunc(p.Value, func(r rune) bool { return r == '\n' || r == '\r' })
		list[i] = Pair{key, strings.Join(lines, " ")}
	}
	return list
}

// maxKey is the longest key that MLflow takes.
const maxKey = 250

// shortened keeps keys apart that differ in what is cut off.
func shortened(key string, most int) string {
	if len(key) <= most {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return key[:most-9] + "-" + hex.EncodeToString(sum[:4])
}

// plainMarkdown is a text that Markdown shows as it is.
func plainMarkdown(s string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[", "<", "&lt;", "|", "\\|",
		"\n", " ", "\r", " ").Replace(s)
}
