package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumbline/eval"
)

// decode is what a command prints with --json.
func decode[T any](t *testing.T, args ...string) (v T) {
	t.Helper()
	code, out, errOut := plumb(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != exitOK {
		t.Fatalf("%v: exit %d, %v: %.300s%s", args, code, err, out, errOut)
	}
	return v
}

// TestJSONSaysWhatTheTextSays holds the values of --json against those that the run directory and the texts have.
func TestJSONSaysWhatTheTextSays(t *testing.T) {
	dir, root := runDir(t)
	list := decode[[]runView](t, "list", root)
	if len(list) != 1 || list[0].Run != dir || list[0].State != "finished" || list[0].OK != 4 || list[0].Cells != 4 ||
		list[0].Best == nil {
		t.Fatalf("%+v", list)
	}
	if empty := decode[[]runView](t, "list", t.TempDir()); empty == nil || len(empty) != 0 {
		t.Errorf("a folder without runs is %v, want a list of none", empty)
	}
	shown := decode[struct {
		runView
		Manifest struct{ Seeds []uint64 }
		Results  []map[string]any
	}](t, "show", dir)
	best := 0.0
	for _, r := range shown.Results {
		if v := r["auroc"].(float64); v > best {
			best = v
		}
	}
	if len(shown.Manifest.Seeds) != 2 || len(shown.Results) != 4 || best != list[0].Best.AUROC {
		t.Errorf("%+v; best %v", shown, best)
	}
	cell := decode[struct {
		Cell   string
		Status struct{ Status string }
		Spec   struct {
			Model  string
			Params struct{ Trees int }
		}
		Metrics  struct{ AUROC float64 }
		Clusters any
	}](t, "show", dir+"/iforest/s2")
	if cell.Cell != "cells/synth/iforest/s2" || cell.Status.Status != "ok" || cell.Spec.Params.Trees != 20 ||
		!(cell.Metrics.AUROC > 0) || cell.Clusters != nil {
		t.Errorf("%+v", cell)
	}
	plan := decode[planView](t, "check", dir+"/experiment.yaml")
	if plan.Cells != 4 || len(plan.Models) != 3 || !plan.Models[0].IgnoresSeed || plan.Models[2].Cells != 2 ||
		plan.Data[0].Prepared == nil ||
		plan.Data[0].Prepared.Test != int(shown.Results[0]["n_test"].(float64)) {
		t.Errorf("%+v", plan)
	}
	inv := decode[investigationView](t, "investigate", dir+"/znorm", "--groups", "1", "--flows", "2")
	if len(inv.Groups) != 1 || len(inv.Groups[0].Flows) != 2 || inv.Groups[0].Flows[0].Values["src"] == "" ||
		inv.Alarms < inv.Groups[0].Alarms {
		t.Errorf("%+v", inv)
	}
	if one := decode[dataView](t, "data", "synth"); !one.BuiltIn || len(one.Files) != 0 {
		t.Errorf("%+v", one)
	}
	for _, d := range decode[[]dataView](t, "data", "--data", t.TempDir()) {
		if d.Name == "nsl-kdd" && (len(d.Files) != 2 || d.Files[0].Name != "KDDTrain+.txt") {
			t.Errorf("%+v", d)
		}
	}
}

// TestCheckJSONOfMissingFiles: what is known is printed, and the exit code says that files are missing.
func TestCheckJSONOfMissingFiles(t *testing.T) {
	t.Setenv("PLUMBLINE_DATA", "")
	code, out, errOut := plumb(t, "check", "nsl-kdd-baselines", "--json", "--data", t.TempDir())
	var p planView
	if err := json.Unmarshal([]byte(out), &p); code != exitUsage || err != nil || len(p.Data) != 1 ||
		p.Data[0].Files[0].Error == "" || !strings.Contains(errOut, "KDDTest+.txt") {
		t.Errorf("exit %d, %v: %s%s", code, err, out, errOut)
	}
}

// TestReplayJSON checks the objects of replay against its CSV.
func TestReplayJSON(t *testing.T) {
	machine := filepath.Join(t.TempDir(), "m.json")
	type learned struct {
		Traces          string
		States, Symbols int
	}
	sum := decode[learned](t, "automaton", "learn", letterFile, "-o", machine)
	if sum.States < 1 || sum.Symbols < 1 || sum.Traces != letterFile {
		t.Errorf("%+v", sum)
	}
	if code, _, errOut := plumb(t, "automaton", "learn", letterFile, "--json"); code != exitUsage ||
		!strings.Contains(errOut, "--out") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	args := []string{"automaton", "replay", machine, letterFile, "--train", letterFile, "--sd", "1", "--symbols"}
	code, text, errOut := plumb(t, args...)
	if code != exitOK {
		t.Fatal(errOut)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	_, out, _ := plumb(t, append(args, "--json")...)
	dec := json.NewDecoder(strings.NewReader(out))
	for _, row := range rows[1:] {
		var v struct {
			Trace, Length   int
			Label           string
			LogP            eval.Number
			States, Symbols []any
			Score           *eval.Number
			Alarm           *bool
		}
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]string{
			"trace": strconv.Itoa(v.Trace), "label": v.Label, "length": strconv.Itoa(v.Length),
			"logp":  strconv.FormatFloat(float64(v.LogP), 'g', -1, 64),
			"score": strconv.FormatFloat(float64(*v.Score), 'g', -1, 64),
			"alarm": strconv.FormatBool(*v.Alarm),
		} {
			if got != row[at[name]] {
				t.Errorf("trace %d: %s is %s in JSON, %s in CSV", v.Trace, name, got, row[at[name]])
			}
		}
		if states := strings.Fields(row[at["states"]]); len(v.States) != len(states) || len(v.Symbols) != v.Length {
			t.Errorf("trace %d: %d states and %d symbols, want %d", v.Trace, len(v.States), len(v.Symbols), len(states))
		}
	}
	if dec.More() {
		t.Error("JSON has more traces than CSV")
	}
}
