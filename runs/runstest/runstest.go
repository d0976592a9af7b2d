// Package runstest is what tests of experiments share: a small experiment on simulated flows, with every model
// registered, and a reader of scores files that does not use the program's own. It carries nothing out.
package runstest

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"plumbline/configs"
	_ "plumbline/models/all"
	"plumbline/runs/experiment"
)

// Small is an experiment of a few seconds.
const Small = `
name: small
data:
  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}
models: [iforest, lof, markov, znorm, random]
seeds: [1, 2]
bootstrap: 50
`

// Write puts the text of an experiment into a file of a folder of its own. Where it says nothing of controls there are
// none, so that its cells are those of the models that it names.
func Write(t testing.TB, text string) (file string) {
	t.Helper()
	if !strings.Contains(text, "controls:") {
		text = strings.TrimRight(text, "\n") + "\ncontrols: off\n"
	}
	file = filepath.Join(t.TempDir(), "experiment.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// Load reads the text of an experiment, which has to be without a fault, with the shipped configs at hand.
func Load(t testing.TB, text string, overrides ...string) *experiment.Experiment {
	t.Helper()
	e, err := experiment.Load(Write(t, text), experiment.LoadOptions{Overrides: overrides, Builtin: configs.Files})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Scores is the lines of the scores file in a cell's folder, the header first.
func Scores(t testing.TB, folder string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, "scores.csv.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	lines, err := csv.NewReader(z).ReadAll()
	if err != nil || len(lines) < 2 {
		t.Fatalf("%s: %d lines of scores: %v", folder, len(lines), err)
	}
	return lines
}
