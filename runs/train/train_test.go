package train_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/configs"
	"plumbline/data"
	"plumbline/data/source"
	"plumbline/data/synth"
	"plumbline/eval"
	_ "plumbline/models/all"
	"plumbline/runs"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/train"
)

// flows is benign simulated flows without labels in a file; change, which may be nil, changes a row.
func flows(t testing.TB, name string, seed uint64, change func(row map[string]string)) string {
	t.Helper()
	s := &synth.Synth{Hosts: 6, Hours: 18, Rate: 6, AttackFrom: 0.9, Seed: seed}
	table, err := s.Generate("synth")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var head []string
	for i := range table.Columns {
		head = append(head, table.Columns[i].Name)
	}
	w.Write(head)
	for r := range int32(table.Rows) {
		if table.Attack[r] {
			continue
		}
		row := map[string]string{}
		for i := range table.Columns {
			row[head[i]] = string(table.Columns[i].AppendText(nil, r))
		}
		if change != nil {
			change(row)
		}
		var line []string
		for _, name := range head {
			line = append(line, row[name])
		}
		w.Write(line)
	}
	w.Flush()
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func options(files ...string) train.Options {
	return train.Options{
		Data: files, Model: "iforest", Threshold: eval.ThresholdRule{Rule: "conformal", Value: 0.05}, Seed: 3,
		Held: 0.2, Last: 0.1, Library: experiment.NewLibrary("", configs.Files), Builtin: configs.Files,
		Overrides: []string{"+models.0.params.trees=20"},
	}
}

// TestTrain: a model of unlabelled flows keeps the later ones for its threshold, and the same files give the same
// scores.
func TestTrain(t *testing.T) {
	file := flows(t, "monday.csv", 1, nil)
	made, err := train.Train(context.Background(), options(file))
	if err != nil {
		t.Fatal(err)
	}
	b, r := made.Bundle, made.Result
	if made.Split != "time" || b.Threshold.Rule != "conformal" || b.Seed != 3 || b.Calibration.N != int(r.Valid) ||
		r.Train == 0 || r.Test == 0 || b.Profile == nil || b.Experiment == nil {
		t.Errorf("%+v %+v", b.Manifest, r)
	}
	all := float64(r.Train) + float64(r.Valid) + float64(r.Test)
	if held := float64(r.Valid) / all; held < 0.17 || held > 0.23 {
		t.Errorf("%.3f of the rows are held out, want 0.2", held)
	}
	if v := r.Metric("alarms"); !(v >= 0 && v < 0.3) {
		t.Errorf("of the latest %v are alarms", v)
	}
	again, err := train.Train(context.Background(), options(file))
	if err != nil {
		t.Fatal(err)
	}
	if again.Bundle.Files["model.bin"] != b.Files["model.bin"] || again.Bundle.Threshold.Score != b.Threshold.Score {
		t.Error("trained twice, another model")
	}
	o := options(file)
	o.Model = "no such model"
	if _, err := train.Train(context.Background(), o); !errors.Is(err, train.ErrSettings) ||
		strings.Contains(err.Error(), os.TempDir()) { // the experiment is gone when its place is read
		t.Errorf("a model that is not there: %v", err)
	}
	o = options(file)
	o.Run.Observe = func(e runs.Event) {
		if e.Kind == runs.Planned {
			t.Errorf("%s is named, which goes away", e.Dir)
		}
	}
	if _, err := train.Train(context.Background(), o); err != nil {
		t.Error(err)
	}
	o = options(file + ".gone")
	if _, err := train.Train(context.Background(), o); !errors.Is(err, train.ErrSettings) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestRetrain: the settings stay, what moved is said, and the new model knows it; of files with other columns too.
func TestRetrain(t *testing.T) {
	made, err := train.Train(context.Background(), options(flows(t, "monday.csv", 1, nil)))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.plumb")
	if err := os.WriteFile(path, made.File, 0o644); err != nil {
		t.Fatal(err)
	}
	old, err := bundle.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	longer := func(row map[string]string) { row["duration"] += "7"; row["service"] = "x" + row["service"] }
	o := options(flows(t, "tuesday.csv", 2, longer))
	o.Overrides = nil
	r, err := train.Retrain(context.Background(), old, o)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%+v", r.Bundle.Spec) != fmt.Sprintf("%+v", old.Spec) || r.Bundle.Seed != old.Seed ||
		r.Bundle.Threshold.Rule != old.Threshold.Rule || r.Bundle.Threshold.Value != old.Threshold.Value {
		t.Errorf("the settings are %+v, were %+v", r.Bundle.Spec, old.Spec)
	}
	if !slices.Contains(r.Before.Moved, "service") || slices.Contains(r.After.Moved, "service") {
		t.Errorf("moved %v, after %v", r.Before.Moved, r.After.Moved)
	}
	if !(r.Before.PerDay >= 0 && r.After.PerDay >= 0) || r.Before.Rows != r.After.Rows || r.Before.Rows == 0 {
		t.Errorf("%+v\n%+v", r.Before, r.After)
	}
	old.Experiment = nil
	if _, err := train.Retrain(context.Background(), old, o); !errors.Is(err, train.ErrSettings) ||
		!strings.Contains(err.Error(), "settings") {
		t.Errorf("without an experiment: %v", err)
	}
}

// TestVerdicts: rows that an analyst called true are attacks in retraining: no benign row is learned from them, and the
// latest of them count as such; stores whose alerts are of other traffic say that nothing fits.
func TestVerdicts(t *testing.T) {
	file := flows(t, "monday.csv", 1, nil)
	made, err := train.Train(context.Background(), options(file))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.plumb")
	if err := os.WriteFile(path, made.File, 0o644); err != nil {
		t.Fatal(err)
	}
	old, err := bundle.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	in, err := old.Input(context.Background(), []string{file}, bundle.InputOptions{Library: experiment.NewLibrary("",
		configs.Files)})
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := source.Read(context.Background(), in.Config, in.Finder, 1)
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) *data.Column {
		c, err := table.Column(name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	o := options(file)
	o.Overrides = nil
	at, src, dst := column("time"), column("src"), column("dst")
	for r := 0; r < table.Rows; r += 5 {
		o.Attacks = append(o.Attacks, alerts.Alert{Time: time.Unix(0, at.Nanos[r]), Source: src.Level(int32(r)),
			Dest: dst.Level(int32(r)), Verdict: alerts.True})
	}
	r, err := train.Retrain(context.Background(), old, o)
	if err != nil {
		t.Fatal(err)
	}
	if less := made.Result.Train - r.Result.Train; less < made.Result.Train/6 || less > made.Result.Train/4 {
		t.Errorf("trained on %d rows, with every fifth called an attack on %d", made.Result.Train, r.Result.Train)
	}
	if n := r.Result.Metric("prevalence"); !(n > 0.1 && n < 0.3) {
		t.Errorf("of the latest rows %v are attacks", n)
	}
	for i := range o.Attacks {
		o.Attacks[i].Source = "name-of-nobody"
	}
	said := ""
	o.Run.Observe = func(e runs.Event) { said += e.Text + "\n" }
	r, err = train.Retrain(context.Background(), old, o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, "fits a row") || r.Result.Train != made.Result.Train {
		t.Errorf("%d rows, said %q", r.Result.Train, said)
	}
	o.Attacks = []alerts.Alert{{Verdict: alerts.True}}
	if _, err := train.Retrain(context.Background(), old, o); !errors.Is(err, train.ErrSettings) ||
		!strings.Contains(err.Error(), "called true") {
		t.Errorf("an alert without time and address: %v", err)
	}
}
