package runs

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumbline"
)

func investigate(dir, cell string, all bool) (*Investigation, error) {
	return Investigate(context.Background(), dir, cell, LoadOptions{Builtin: plumbline.Configs}, all)
}

// TestInvestigate: what is sorted is what is above the threshold, every flow is in one group, and the groups are in order.
func TestInvestigate(t *testing.T) {
	out := runSmall(t, small, Options{}, "models=[sequent,pdfa,znorm,ae]", "seeds=[1]", "~bootstrap", "+split={validation: 0.2}")
	for _, label := range []string{"sequent", "pdfa", "znorm", "ae"} {
		var limit struct {
			Threshold float64 `json:"threshold"`
		}
		cell := "cells/synth/" + label + "/s1"
		if err := readJSON(out.Dir, cell+"/threshold.json", &limit); err != nil {
			t.Fatal(err)
		}
		inv, err := investigate(out.Dir, cell, false)
		if err != nil {
			t.Errorf("%s: %v", label, err)
			continue
		}
		total, before := 0, 1<<60
		for _, g := range inv.Groups {
			if g.Alarms != len(g.Flows) || g.Alarms > before || g.Alarms == 0 {
				t.Errorf("%s: group %s of %d alarms and %d flows after one of %d", label, g.Cause, g.Alarms, len(g.Flows), before)
			}
			attacks := 0
			for i, f := range g.Flows {
				if f.Score <= limit.Threshold || i > 0 && f.Score > g.Flows[i-1].Score || len(f.Values) != len(inv.Columns) {
					t.Errorf("%s: group %s, flow %d: %+v", label, g.Cause, i, f)
				}
				if f.Attack {
					attacks++
				}
			}
			if attacks != g.Attacks {
				t.Errorf("%s: group %s: %d attacks, want %d", label, g.Cause, g.Attacks, attacks)
			}
			before = g.Alarms
			total += g.Alarms
		}
		if label == "znorm" { // flows are its samples, and scores.csv has them all
			want := 0
			for name, text := range scores(t, out.Dir) {
				if !strings.Contains(name, label) {
					continue
				}
				for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
					if v, _ := strconv.ParseFloat(strings.Split(line, ",")[2], 64); v > limit.Threshold {
						want++
					}
				}
			}
			if total != want || want == 0 {
				t.Errorf("%s: %d alarms, %d scores are above the threshold", label, total, want)
			}
		}
		if total != inv.Alarms || len(inv.Groups) == 0 {
			t.Errorf("%s: %d alarms in %d groups, %d in all", label, total, len(inv.Groups), inv.Alarms)
		}
		f, err := os.Open(filepath.Join(out.Dir, filepath.FromSlash(cell), "investigation.csv"))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil || len(lines) != total+1 {
			t.Errorf("%s: investigation.csv has %d lines, %v", label, len(lines), err)
		}
		whole, err := investigate(out.Dir, cell, true)
		if err != nil || whole.Alarms != whole.Samples || whole.Alarms < inv.Alarms {
			t.Errorf("%s: %+v, %v", label, whole, err)
		}
	}
}

// TestInvestigateHosts: where hosts are judged, the flows of alarming hosts are sorted.
func TestInvestigateHosts(t *testing.T) {
	out := runSmall(t, small, Options{}, "models=[znorm]", "+unit=host", "+aggregate={flow: max, unit: share, above: 0.9}", "+split={validation: 0.3}")
	inv, err := investigate(out.Dir, "znorm", false)
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]bool{}
	at := -1
	for i, c := range inv.Columns {
		if c == "src" {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("columns %v", inv.Columns)
	}
	for _, g := range inv.Groups {
		for _, f := range g.Flows {
			hosts[f.Values[at]] = true
		}
	}
	over := 0
	for _, text := range scores(t, out.Dir) {
		for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
			f := strings.Split(line, ",")
			if v, _ := strconv.ParseFloat(f[2], 64); v > float64(inv.Threshold) {
				over++
				if !hosts[f[1]] {
					t.Errorf("host %s is over the threshold and has no flow", f[1])
				}
			}
		}
	}
	if over != len(hosts) {
		t.Errorf("%d hosts in groups, %d over the threshold", len(hosts), over)
	}
}

func TestInvestigateRefuses(t *testing.T) {
	out := runSmall(t, small, Options{}, "models=[random,znorm]", "seeds=[1]", "+keep={models: false}")
	for cell, want := range map[string]error{"nothing": ErrNoCell, "s1": ErrNoCell, "znorm": ErrInvestigate} {
		if _, err := investigate(out.Dir, cell, false); !errors.Is(err, want) {
			t.Errorf("%s: %v", cell, err)
		}
	}
	kept := runSmall(t, small, Options{}, "models=[random,znorm]", "seeds=[1]")
	if _, err := investigate(kept.Dir, "random", true); !errors.Is(err, ErrInvestigate) {
		t.Errorf("a model without reasons: %v", err)
	}
	file := filepath.Join(kept.Dir, "experiment.yaml")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(raw), "rate: 4", "rate: 5", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := investigate(kept.Dir, "znorm", true); !errors.Is(err, ErrInvestigate) || !strings.Contains(err.Error(), "differs from the one that it scored") {
		t.Errorf("other data: %v", err)
	}
}
