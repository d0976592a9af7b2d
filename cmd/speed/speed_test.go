package main

import (
	"context"
	"math"
	"slices"
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

// TestDetectors: rows are drawn, written and read, the model runs on them, and its line has as many cells as the head.
func TestDetectors(t *testing.T) {
	for _, d := range detectors {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.train, d.test = 400, 200
			if d.columns > 0 {
				d.columns = 100
			}
			dir := t.TempDir()
			if err := d.write(dir); err != nil {
				t.Fatal(err)
			}
			train, err := d.set(dir, "train")
			if err != nil {
				t.Fatal(err)
			}
			attacks := 0
			for _, a := range train.Attack {
				if a {
					attacks++
				}
			}
			scaled := slices.Min(train.X) == 0 && slices.Max(train.X) == 1
			if train.N != 400 || scaled == d.raw || d.labels != (attacks > 100) {
				t.Errorf("%d training rows, %d attacks, numbers from %v to %v", train.N, attacks, slices.Min(train.X),
					slices.Max(train.X))
			}
			c, err := d.alone(context.Background(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if !(c.Fit > 0) || d.unscored != math.IsNaN(c.Score) || d.labels && c.AUROC < 0.8 {
				t.Errorf("cost %+v", c)
			}
			if got, want := strings.Count(d.line(c, c, true), "|"), strings.Count(detectorHead, "|")/2; got != want {
				t.Errorf("%d bars, the head has %d", got, want)
			}
		})
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
		"-workloads E":  "there is no \"E\"",
		"-detectors x":  "there is no \"x\"",
		"-rooms attic":  "unknown room",
		"-threads none": "no number of threads",
		"-rounds 0":     "at least one round",
		"more":          "no arguments",
	} {
		if err := run(context.Background(), strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", args, err, want)
		}
	}
}
