package runs

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/runs/prepare"
	"plumbline/runs/runstest"
)

// TestReleasedTable: sets of other kinds, and the audit, that are asked for after the table was let go are those that
// it would have given.
func TestReleasedTable(t *testing.T) {
	text, _ := connections(t)
	sums := func(release bool) (out []string) {
		reads := 0
		e := runstest.Load(t, text)
		src := &prepare.Source{Set: &e.Sets[0], Finder: e.Finder, Workers: 2, Reading: func() { reads++ }}
		p, err := src.Prepare(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		p.MakeAll(context.Background(), []prepare.Needs{{}})
		if release {
			p.Release()
		}
		for _, n := range []prepare.Needs{{}, {Labels: true}, {Traces: true}} {
			s, err := p.Sets(context.Background(), n)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s.TrainSum, s.TestSum)
		}
		report, err := p.Audit(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{false: 1, true: 2}[release]; reads != want {
			t.Errorf("the files were read %d times, want %d", reads, want)
		}
		return append(out, report.Line())
	}
	if a, b := sums(false), sums(true); !slices.Equal(a, b) {
		t.Errorf("%v, after the table was let go %v", a, b)
	}
}

// TestPhases: the log says what each step took.
func TestPhases(t *testing.T) {
	text, _ := connections(t)
	out := runSmall(t, text, Options{})
	raw, err := os.ReadFile(filepath.Join(out.Dir, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for line := range strings.Lines(string(raw)) {
		var l struct {
			Msg, Data, Cell, Phase string
			Wall                   *float64 `json:"wall_seconds"`
			CPU                    *float64 `json:"cpu_seconds"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Msg != "phase" {
			continue
		}
		if l.Wall == nil || l.CPU == nil || *l.Wall < 0 || (l.Data == "") == (l.Cell == "") {
			t.Errorf("%s", line)
		}
		seen[l.Phase]++
	}
	cells := len(out.Results)
	for phase, want := range map[string]int{
		"reading": 1, "auditing": 3, "making sets": 3, "cells": 3, "training": cells, "scoring": cells, "metrics": cells,
		"writing": cells,
	} {
		if seen[phase] != want {
			t.Errorf("phase %s: %d lines, want %d", phase, seen[phase], want)
		}
	}
}
