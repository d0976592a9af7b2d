package main

import (
	"context"
	"math"
	"strings"
	"testing"
)

// TestWorkloads: what is written is read back, and trained on by one and two threads with the same losses.
func TestWorkloads(t *testing.T) {
	for _, w := range workloads {
		w.rows = 300
		dir := t.TempDir()
		if err := w.write(dir); err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		one, err := w.own(context.Background(), dir, 1, 2)
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		two, err := w.own(context.Background(), dir, 2, 2)
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if err := agree(one.losses, two.losses); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
		if !(one.losses[0] > 0) || math.IsInf(one.losses[0], 0) || !w.score && one.losses[1] >= one.losses[0] {
			t.Errorf("%s: losses %v", w.name, one.losses)
		}
		if !(w.flops > 0) {
			t.Errorf("%s: %v operations", w.name, w.flops)
		}
	}
}

func TestAgree(t *testing.T) {
	if err := agree([]float64{1, 2}, []float64{1.00009, 2}); err != nil {
		t.Error(err)
	}
	for _, other := range [][]float64{{1}, {1, 2.001}} {
		if agree([]float64{1, 2}, other) == nil {
			t.Errorf("%v agree with 1, 2", other)
		}
	}
}

func TestArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-workloads E":  "unknown workload",
		"-threads none": "no number of threads",
		"-rounds 0":     "at least one round",
		"more":          "no arguments",
	} {
		if err := run(context.Background(), strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", args, err, want)
		}
	}
}
