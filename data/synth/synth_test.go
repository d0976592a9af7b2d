package synth

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

const synthConfig = "name: s\nformat: synth\nlabel: {column: class, benign: [benign]}\n"

func TestSynth(t *testing.T) {
	c := sourcetest.Config(t, synthConfig)
	a, _, err := source.Read(t.Context(), c, source.Finder{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := source.Read(t.Context(), sourcetest.Config(t, synthConfig), source.Finder{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("two simulations with one seed differ: %.300s", d)
	}
	other, _, err := source.Read(t.Context(), sourcetest.Config(t, synthConfig+"options: {seed: 2}\n"), source.Finder{},
		1)
	if err != nil || other.Rows == a.Rows && cmp.Equal(a.Columns[8].Num, other.Columns[8].Num) {
		t.Errorf("another seed gives the same flows (%v)", err)
	}
	n := map[string]int{}
	for _, k := range a.Class {
		n[a.Classes[k]]++
	}
	for _, class := range []string{"scan", "bruteforce", "flood", "beacon", "exfiltration"} {
		if n[class] < 50 || n[class] > a.Rows/5 {
			t.Errorf("%d flows of %s among %d", n[class], class, a.Rows)
		}
	}
	times, _ := a.Column("time")
	if !slices.IsSorted(times.Nanos) {
		t.Error("flows are not in order of time")
	}
	for _, col := range a.Columns {
		for i, v := range col.Num {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Fatalf("row %d: %s is %v", i, col.Name, v)
			}
		}
	}
	first := slices.Index(a.Attack, true)
	if at := float64(times.Nanos[first]-monday) / 3600e9; at < 0.6*24 {
		t.Errorf("the first attack is at %.1f h, before 60 %% of 24 h", at)
	}
}

// TestSynthAttacks: each attack has the traits that it is described by.
func TestSynthAttacks(t *testing.T) {
	tb, _, err := source.Read(t.Context(), sourcetest.Config(t, synthConfig), source.Finder{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	mean := func(class, column string) float64 {
		c, err := tb.Column(column)
		if err != nil {
			t.Fatal(err)
		}
		sum, n := 0.0, 0.0
		for i, k := range tb.Class {
			if tb.Classes[k] == class {
				sum += math.Log1p(c.Num[i])
				n++
			}
		}
		return sum / n
	}
	failed := func(class string) float64 {
		state, _ := tb.Column("state")
		n, bad := 0.0, 0.0
		for i, k := range tb.Class {
			if tb.Classes[k] == class {
				n++
				if s := state.Level(int32(i)); s == "S0" || s == "REJ" {
					bad++
				}
			}
		}
		return bad / n
	}
	if f := failed("scan"); f < 0.8 {
		t.Errorf("%.2f of the scan's flows fail", f)
	}
	if f := failed("benign"); f > 0.05 {
		t.Errorf("%.2f of the benign flows fail", f)
	}
	if mean("exfiltration", "src_bytes") < mean("benign", "src_bytes")+2 ||
		mean("exfiltration", "dst_bytes") > mean("benign", "dst_bytes")+2 {
		t.Error("exfiltration does not send more than it receives")
	}
	if d := mean("beacon", "src_bytes") - mean("benign", "src_bytes"); math.Abs(d) > 2 {
		t.Errorf("beacons stand out by their size: %v", d)
	}
}
