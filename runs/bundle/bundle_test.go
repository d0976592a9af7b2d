package bundle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/source"
	"plumbline/runs"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/runstest"
)

// run carries an experiment out on simulated flows, and gives the run directory and the experiment.
func run(t testing.TB, text string, overrides ...string) (string, *experiment.Experiment) {
	t.Helper()
	e := runstest.Load(t, text, overrides...)
	out, err := runs.Run(context.Background(), e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Results {
		if r.Status != "ok" {
			t.Fatalf("%s: %s", r.Cell, r.Error)
		}
	}
	return out.Dir, e
}

// testTable is the rows of the test part alone, as a table of its own, without labels. Its categories are numbered in
// another order, and it has one more column than the data set, in front.
func testTable(t testing.TB, e *experiment.Experiment) *data.Table {
	t.Helper()
	src := &prepare.Source{Set: &e.Sets[0], Finder: e.Finder, Workers: 1}
	p, err := src.Prepare(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	whole, _, err := source.Read(context.Background(), e.Sets[0].Config, e.Finder, 1)
	if err != nil {
		t.Fatal(err)
	}
	marked := make([]bool, whole.Rows)
	for _, r := range p.Test.Rows {
		marked[r] = true
	}
	if !slices.IsSorted(p.Test.Rows) {
		t.Fatal("the rows of the test part are not in the order of the table")
	}
	whole.Keep(marked)
	whole.Attack, whole.Class, whole.Classes = nil, nil, nil
	for i := range whole.Columns {
		c := &whole.Columns[i]
		last := uint32(len(c.Levels)) - 1
		slices.Reverse(c.Levels)
		for k, code := range c.Code {
			if code != data.Missing {
				c.Code[k] = last - code
			}
		}
	}
	more := data.Column{Name: "of no use", Type: data.Address, Levels: []string{"x"}, Code: make([]uint32, whole.Rows)}
	whole.Columns = append([]data.Column{more}, whole.Columns...)
	return whole
}

// scoreTexts is the column "score" of a cell's scores, as it is written.
func scoreTexts(t testing.TB, folder string) (out []string) {
	t.Helper()
	for _, line := range runstest.Scores(t, folder)[1:] {
		out = append(out, line[2])
	}
	return out
}

const small = `
name: small
data:
  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}
models:
  - {model: ae, params: {epochs: 3}}
  - iforest
  - sequent
  - {model: lstm_pred, params: {epochs: 1, units: [8]}}
  - msm
  - markov
  - lof
seeds: [1]
split: {validation: 0.2}
traces: {events: true}
bootstrap: 0
`

// move takes a cell's folder out of its run: what is left beside it cannot be looked at.
func move(t testing.TB, dir, cell string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "cell")
	if err := os.Rename(filepath.Join(dir, "cells/synth", cell), to); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestSameScores: a bundle gives the test part, as a table, the scores that the cell gave, in every bit.
func TestSameScores(t *testing.T) {
	for _, unit := range []string{"flow", "host"} {
		dir, e := run(t, small, "+unit="+unit)
		table := testTable(t, e)
		for _, model := range []string{"ae", "iforest", "sequent", "lstm_pred", "msm", "markov", "lof"} {
			folder := move(t, dir, model+"/s1")
			b, err := bundle.Open(folder)
			if err != nil {
				t.Errorf("%s: %v", model, err)
				continue
			}
			got, err := b.Score(context.Background(), table)
			if err != nil {
				t.Errorf("%s: %v", model, err)
				continue
			}
			want := scoreTexts(t, folder)
			if len(got.Scores) != len(want) || len(want) == 0 {
				t.Errorf("%s, unit %s: %d scores, the cell has %d", model, unit, len(got.Scores), len(want))
				continue
			}
			alarms := 0
			for i, v := range got.Scores {
				if text := strconv.FormatFloat(v, 'g', -1, 64); text != want[i] {
					t.Errorf("%s, unit %s: unit %d has the score %s, in the cell %s", model, unit, i, text, want[i])
					break
				}
				if got.Alarm(i) {
					alarms++
				}
			}
			if got.Units.Truth.Attack != nil || alarms == 0 || unit == "flow" && alarms == len(want) {
				t.Errorf("%s, unit %s: %d alarms of %d; truth %v", model, unit, alarms, len(want), got.Units.Truth.Attack != nil)
			}
		}
	}
}

// TestNeeded: what a table must have is what is asked for when it is not there.
func TestNeeded(t *testing.T) {
	dir, e := run(t, small, "models=[znorm,sequent]", "+unit=connection")
	table := testTable(t, e)
	for _, model := range []string{"znorm", "sequent"} {
		b, err := bundle.Open(filepath.Join(dir, "cells/synth", model, "s1"))
		if err != nil {
			t.Fatal(err)
		}
		if b.Config().Name != "synth" || b.Label != model || b.Unit.Name != "connection" || len(b.Unit.Columns) != 2 {
			t.Errorf("%s: %+v", model, b.Manifest)
		}
		if len(b.Needed()) == 0 {
			t.Fatalf("%s needs no columns", model)
		}
		for _, c := range b.Needed() {
			less := *table
			less.Columns = slices.DeleteFunc(slices.Clone(table.Columns), func(o data.Column) bool { return o.Name == c.Name })
			_, err := b.Score(context.Background(), &less)
			if !errors.Is(err, bundle.ErrTable) || !strings.Contains(err.Error(), strconv.Quote(c.Name)) {
				t.Errorf("%s without column %s: %v", model, c.Name, err)
			}
		}
		only := *table
		only.Columns = nil
		for _, c := range b.Needed() {
			i := slices.IndexFunc(table.Columns, func(o data.Column) bool { return o.Name == c.Name })
			only.Columns = append(only.Columns, table.Columns[i])
		}
		if _, err := b.Score(context.Background(), &only); err != nil {
			t.Errorf("%s: with the needed columns alone: %v", model, err)
		}
	}
}

// TestOpenRefuses: a file that is not what was written is named.
func TestOpenRefuses(t *testing.T) {
	dir, _ := run(t, small, "models=[iforest]")
	folder := filepath.Join(dir, "cells/synth/iforest/s1")
	if _, err := bundle.Open(folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bundle.json", "spec.yaml", "prep.json", "threshold.json", "model.bin"} {
		file := filepath.Join(folder, name)
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for how, change := range map[string]struct {
			to   []byte
			want error
		}{
			"gone":      {nil, bundle.ErrIncomplete},
			"cut":       {raw[:len(raw)/2], bundle.ErrDamaged},
			"one digit": {[]byte(strings.Replace(string(raw), "1", "2", 1)), bundle.ErrDamaged},
			"longer":    {append(slices.Clone(raw), '\n'), bundle.ErrDamaged},
		} {
			os.Remove(file)
			if change.to != nil {
				if err := os.WriteFile(file, change.to, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, err := bundle.Open(folder)
			if name == "bundle.json" && change.to != nil { // it vouches for the others, status.json for it
				if how == "cut" && err == nil {
					t.Errorf("%s %s: no error", name, how)
				}
				continue
			}
			if !errors.Is(err, change.want) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: %v", name, how, err)
			}
		}
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, _ := os.ReadFile(filepath.Join(folder, "bundle.json"))
	later := strings.Replace(string(raw), `"bundle": 1`, `"bundle": 99`, 1)
	os.WriteFile(filepath.Join(folder, "bundle.json"), []byte(later), 0o644)
	if _, err := bundle.Open(folder); !errors.Is(err, bundle.ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
	none, _ := run(t, small, "models=[iforest]", "+keep={models: false}")
	if _, err := bundle.Open(filepath.Join(none, "cells/synth/iforest/s1")); !errors.Is(err, bundle.ErrIncomplete) {
		t.Errorf("without a model: %v", err)
	}
}
