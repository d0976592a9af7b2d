package investigate

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/data/cache"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

const small = `
name: small
data:
  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}
models: [znorm]
seeds: [1]
`

func runSmall(t *testing.T, text string, overrides ...string) *runs.Outcome {
	t.Helper()
	out, err := runs.Run(context.Background(), runstest.Load(t, text, overrides...), runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func investigate(dir, cell string, all bool) (*Investigation, error) {
	o := Options{Load: experiment.LoadOptions{Builtin: configs.Files}, All: all}
	return Investigate(context.Background(), dir, cell, o)
}

// TestInvestigate: what is sorted is what is above the threshold, every flow is in one group, and the groups are in
// order.
func TestInvestigate(t *testing.T) {
	out := runSmall(t, small, "models=[sequent,pdfa,znorm,ae]", "seeds=[1]", "+split={validation: 0.2}")
	for _, label := range []string{"sequent", "pdfa", "znorm", "ae"} {
		var limit struct {
			Threshold float64 `json:"threshold"`
		}
		cell := "cells/synth/" + label + "/s1"
		if err := record.ReadJSON(out.Dir, cell+"/threshold.json", &limit); err != nil {
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
			for _, f := range runstest.Scores(t, filepath.Join(out.Dir, cell))[1:] {
				if v, _ := strconv.ParseFloat(f[2], 64); v > limit.Threshold {
					want++
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

// TestWithoutReasons: the alarms of a model that gives no reasons are one list, highest score first.
func TestWithoutReasons(t *testing.T) {
	out := runSmall(t, small, "models=[rrcf,hst]", "seeds=[1]", "+split={validation: 0.2}")
	for _, label := range []string{"rrcf", "hst"} {
		inv, err := investigate(out.Dir, label, false)
		if err != nil {
			t.Errorf("%s: %v", label, err)
			continue
		}
		if inv.Reasons || len(inv.Groups) != 1 || inv.Groups[0].Cause != "" || inv.Alarms == 0 {
			t.Errorf("%s: reasons %v, %d groups, %d alarms", label, inv.Reasons, len(inv.Groups), inv.Alarms)
			continue
		}
		top := math.Inf(1)
		for _, f := range inv.Groups[0].Flows {
			if f.Score > top || f.Score <= float64(inv.Threshold) || f.Where == "" || len(f.Values) == 0 {
				t.Errorf("%s: %+v", label, f)
			}
			top = f.Score
		}
	}
}

// TestFromTheCache: an investigation is the same without a cache, with an empty one and with a full one.
func TestFromTheCache(t *testing.T) {
	var b strings.Builder
	b.WriteString("ts,host,service,size,label\n")
	for i := range 3000 {
		label, size := "normal", float64(i%7)+0.25*float64(i%3)
		if i%50 == 49 {
			label, size = "scan", 40+float64(i%11)
		}
		fmt.Fprintf(&b, "%d,10.0.0.%d,s%d,%g,%s\n", 1700000000+i, i%9, i%4, size, label)
	}
	file := filepath.Join(t.TempDir(), "flows.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	out := runSmall(t, fmt.Sprintf(`
name: cached
data:
  - name: flows
    format: delimited
    files: {train: [%s]}
    label: {column: label, benign: [normal]}
    options:
      header: true
      columns: [{name: ts, type: time}, {name: host, type: address}, {name: service, type: category}, {name: size, type: number}, {name: label, type: category}]
    split: {kind: random, test: 0.4, validation: 0.2}
    prep: [onehot, {step: scale, kind: zscore}]
    traces: {key: [host], symbols: [service, {column: size, bins: 3}], window: {length: 5, stride: 2}}
models: [znorm, markov]
`, file))
	store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 30}
	for _, cell := range []string{"znorm", "markov"} {
		var want *Investigation
		for i, c := range []*cache.Store{nil, store, store} {
			o := Options{Load: experiment.LoadOptions{Builtin: configs.Files}, Cache: c, All: cell == "markov"}
			inv, err := Investigate(context.Background(), out.Dir, cell, o)
			if err != nil {
				t.Fatalf("%s: %v", cell, err)
			}
			if want == nil {
				want = inv
			}
			if inv.Alarms == 0 || !reflect.DeepEqual(inv, want) {
				t.Errorf("%s, time %d:\n%+v\nwithout a cache:\n%+v", cell, i, inv, want)
			}
		}
	}
}

// TestInvestigateHosts: where hosts are judged, the flows of alarming hosts are sorted.
func TestInvestigateHosts(t *testing.T) {
	out := runSmall(
		t,
		small,
		"models=[znorm]",
		"+unit=host",
		"+aggregate={flow: max, unit: share, above: 0.9}",
		"+split={validation: 0.3}",
	)
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
	for _, f := range runstest.Scores(t, filepath.Join(out.Dir, out.Results[0].Cell))[1:] {
		if v, _ := strconv.ParseFloat(f[2], 64); v > float64(inv.Threshold) {
			over++
			if !hosts[f[1]] {
				t.Errorf("host %s is over the threshold and has no flow", f[1])
			}
		}
	}
	if over != len(hosts) {
		t.Errorf("%d hosts in groups, %d over the threshold", len(hosts), over)
	}
}

func TestInvestigateRefuses(t *testing.T) {
	out := runSmall(t, small, "models=[random,znorm]", "seeds=[1]", "+keep={models: false}")
	for cell, want := range map[string]error{
		"nothing": record.ErrNoCell, "s1": record.ErrNoCell, "znorm": ErrInvestigate,
	} {
		if _, err := investigate(out.Dir, cell, false); !errors.Is(err, want) {
			t.Errorf("%s: %v", cell, err)
		}
	}
	kept := runSmall(t, small, "models=[random,znorm]", "seeds=[1]")
	file := filepath.Join(kept.Dir, "experiment.yaml")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(raw), "rate: 4", "rate: 5", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := investigate(kept.Dir, "znorm", true); !errors.Is(err, ErrInvestigate) ||
		!strings.Contains(err.Error(), "experiment.yaml was edited") {
		t.Errorf("another experiment: %v", err)
	}
	var m record.Manifest
	if err := record.ReadJSON(kept.Dir, "manifest.json", &m); err != nil {
		t.Fatal(err)
	}
	m.Experiment = ""
	if err := record.NewDirectory(kept.Dir).WriteJSON("manifest.json", m); err != nil {
		t.Fatal(err)
	}
	if _, err := investigate(kept.Dir, "znorm", true); !errors.Is(err, ErrInvestigate) ||
		!strings.Contains(err.Error(), "differs from the one that it scored") {
		t.Errorf("other data: %v", err)
	}
}
