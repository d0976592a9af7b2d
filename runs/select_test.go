package runs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// selection is a run on rows of which column sum tells attacks, the others nothing. Rows of the file for tests have a
// column leak that would tell them, if the selection saw them.
func selection(t *testing.T, by string) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(3, 3))
	for _, part := range []string{"train", "test"} {
		var b strings.Builder
		b.WriteString("x,y,sum,leak,label\n")
		for i := range 400 {
			label, shift, leak := "ok", 0.0, r.Float64()
			if i%4 == 0 {
				label, shift = "bad", 1.5
				if part == "test" {
					leak += 2
				}
			}
			fmt.Fprintf(&b, "%.4f,%.4f,%.4f,%.4f,%s\n", r.Float64(), r.Float64(), r.NormFloat64()+shift, leak, label)
		}
		if err := os.WriteFile(filepath.Join(dir, part+".csv"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf(`
name: chosen
data:
  - name: rows
    format: delimited
    files: {train: [%s/train.csv], test: [%s/test.csv]}
    label: {column: label, benign: [ok]}
    options: {header: true, types: {label: category}}
    split: {kind: official, attacks: split}
prep: [{step: scale, kind: zscore}, {step: select_features, keep: 1, %s}]
models: [znorm]
bootstrap: 0
`, dir, dir, by)
}

// TestSelectionByModel: every measure by labels, and permutation for models with and without labels, keeps the column
// that tells attacks in training rows.
func TestSelectionByModel(t *testing.T) {
	for _, by := range []string{"by: mutual_information", "by: permutation, model: logistic",
		"by: permutation, model: iforest"} {
		out := runSmall(t, selection(t, by), Options{})
		rec, err := record.Open(out.Dir)
		if err != nil || out.Results[0].Status != record.OK {
			t.Fatalf("%s: %+v, %v", by, out.Results, err)
		}
		raw, err := os.ReadFile(filepath.Join(out.Dir, "cells", "rows", "znorm", "s1", "prep.json"))
		if err != nil || !strings.Contains(string(raw), `"name": "sum"`) || strings.Contains(string(raw), `"name": "leak"`) {
			t.Errorf("%s: %s, %v", by, raw, err)
		}
		said := func(note string) bool { return strings.Contains(note, "1 of 4 columns are kept by") }
		if !slices.ContainsFunc(rec.Manifest.Data[0].Notes, said) {
			t.Errorf("%s: notes %q", by, rec.Manifest.Data[0].Notes)
		}
	}
	for model, want := range map[string]string{"markov": "want a model of vectors", "forest": "unknown model"} {
		file := runstest.Write(t, selection(t, "by: permutation, model: "+model))
		if _, err := experiment.Load(file, experiment.LoadOptions{Builtin: configs.Files}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", model, err)
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	e := runstest.Load(t, selection(t, "by: permutation, model: iforest"))
	out, err := Run(cancelled, e, Options{Root: t.TempDir()})
	if err == nil && !out.Interrupted {
		t.Error("a cancelled run went on")
	}
}
