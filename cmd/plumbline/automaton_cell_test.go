package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumbline/models/automata/flexfringe"
	"plumbline/runs/runstest"
)

// TestAutomatonOfACell: the machine of a cell is drawn, and replayed over the traces that the cell was tested on.
func TestAutomatonOfACell(t *testing.T) {
	root := t.TempDir()
	code, out, errOut := plumb(t, "run", writeExperiment(t, tiny),
		"models=[markov,sequent,pdfa,iforest,{model: markov, label: sums, params: {aggregate: sum}}]", "seeds=[1]",
		"+aggregate={flow: last, unit: max}", "--out", root, "--quiet")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	dir := lines[len(lines)-1]
	for _, model := range []string{"markov", "sequent", "pdfa"} {
		code, dot, errOut := plumb(t, "automaton", "draw", dir+"/"+model)
		if code != exitOK {
			t.Errorf("draw %s: exit %d: %s", model, code, errOut)
			continue
		}
		m, err := flexfringe.ReadMachine(strings.NewReader(dot), "cell.dot")
		if err != nil || len(m.States) < 2 || len(m.To) < 2 {
			t.Errorf("draw %s: %v, %v", model, m, err)
		}
		code, table, errOut := plumb(t, "automaton", "replay", dir+"/"+model)
		if code != exitOK {
			t.Errorf("replay %s: exit %d: %s", model, code, errOut)
			continue
		}
		rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
		if err != nil || len(rows) < 10 {
			t.Fatalf("replay %s: %d rows, %v", model, len(rows), err)
		}
		if _, ok := at(rows[0], "score"); ok != (model != "markov") {
			t.Errorf("replay %s: columns %v", model, rows[0])
		}
	}
	// where a flow has the score of the window that it ends, a chain's sums are the log-probabilities of the windows
	code, table, errOut := plumb(t, "automaton", "replay", dir+"/sums")
	if code != exitOK {
		t.Fatal(errOut)
	}
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	logp, _ := at(rows[0], "logp")
	label, _ := at(rows[0], "label")
	sums := map[string]int{}
	for _, r := range rows[1:] {
		v, err := strconv.ParseFloat(r[logp], 64)
		if err != nil {
			t.Fatal(err)
		}
		sums[strconv.FormatFloat(-v, 'g', -1, 64)]++
		if r[label] == "" {
			t.Errorf("row %v has no label", r)
		}
	}
	found := 0
	scores := runstest.Scores(t, filepath.Join(dir, "cells/synth/sums/s1"))[1:]
	for _, s := range scores {
		if sums[s[2]] > 0 {
			found++
		}
	}
	if found == 0 || found < len(rows)/2 {
		t.Errorf("%d of %d scores are the log-probability of a window, there are %d windows", found, len(scores), len(rows)-1)
	}
	for _, args := range [][]string{
		{"automaton", "draw", dir + "/iforest"},
		{"automaton", "draw", dir + "/nothing"},
		{"automaton", "replay", dir + "/markov", "--correction", "2"},
		{"automaton", "replay", filepath.Join(dir, "experiment.yaml")},
	} {
		if code, _, errOut := plumb(t, args...); code != exitUsage || strings.TrimSpace(errOut) == "" {
			t.Errorf("%v: exit %d: %s", args, code, errOut)
		}
	}
	if err := os.Remove(filepath.Join(dir, "cells/synth/pdfa/s1/model.bin")); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := plumb(t, "automaton", "draw", dir+"/pdfa"); code != exitUsage ||
		!strings.Contains(errOut, "model.bin") {
		t.Errorf("without the model: exit %d: %s", code, errOut)
	}
}

// at is the place of a column.
func at(head []string, name string) (int, bool) {
	for i, h := range head {
		if h == name {
			return i, true
		}
	}
	return 0, false
}
