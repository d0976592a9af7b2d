package runs

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/data/cache"
	"plumbline/runs/compare"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// unlabelled is an experiment on connections, without labels or with those that label says.
func unlabelled(t *testing.T, label, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "connections.csv")
	var b bytes.Buffer
	for i := range 600 {
		fmt.Fprintf(&b, "%d,10.0.0.%d,%s,%d,-\n", 1_700_000_000+60*i, i%11, []string{"dns", "http", "ssh"}[i*i%3], i*i%101)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
name: found
data:
  - name: connections
    format: delimited
    files: {train: [%s]}
    %s
    options:
      columns: [{name: ts, type: time}, {name: host, type: address}, {name: service, type: category},
        {name: size, type: number}, {name: verdict, type: category}]
      missing: [""]
    drop: [%s]
    split: {kind: time, test: 0.4, validation: 0.2}
    prep: [impute, onehot, {step: scale, kind: zscore}]
    traces: {key: [host], symbols: [service, {column: size, bins: 3}], window: {length: 5, stride: 2}}
models: [znorm, iforest, kmeans, markov]
bootstrap: 20
%s
`, file, label, map[bool]string{true: "verdict"}[label == ""], more)
}

// TestWithoutLabels: models that need no labels learn from rows without them as from rows that are all benign, with
// thresholds and alarms, and nothing that labels would be needed for is made up.
func TestWithoutLabels(t *testing.T) {
	store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 30}
	for _, unit := range []string{"unit: flow", "unit: host"} {
		text := unlabelled(t, "", unit)
		out := runSmall(t, text, Options{Cache: store})
		again := runSmall(t, text, Options{Cache: store})
		if results(t, out.Dir) != results(t, again.Dir) || !maps.Equal(scores(t, out.Dir), scores(t, again.Dir)) {
			t.Error("what the cache has gives other results")
		}
		for _, r := range out.Results {
			if r.Status != record.OK || r.Train == 0 || r.Test == 0 || math.IsNaN(r.Metric("threshold")) ||
				math.IsNaN(r.Metric("alarms")) {
				t.Errorf("%s: %+v", unit, r)
			}
			for name := range r.Metrics {
				switch name {
				case "threshold", "alarms", "distinct_scores", "fit_seconds", "score_seconds", "peak_rss_mb", "silhouette",
					"davies_bouldin", "calinski_harabasz":
				default:
					t.Errorf("%s: %s has a %s", unit, r.Label, name)
				}
			}
		}
		benign := runSmall(t, unlabelled(t, `label: {column: verdict, benign: ["-"]}`, unit), Options{})
		for cell, lines := range scores(t, benign.Dir) {
			if bare := strings.ReplaceAll(lines, ",0,-\n", ",,\n"); bare != scores(t, out.Dir)[cell] {
				t.Errorf("%s: %s: scores are not those of benign rows", unit, cell)
			}
		}
		rec, err := record.Open(out.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if d := rec.Manifest.Data[0]; !d.Unlabelled || d.Labelled() != "600 rows without labels" ||
			!strings.Contains(strings.Join(d.Warnings, "\n"), "the data has no labels") || d.Audit == "" {
			t.Errorf("manifest %+v", d)
		}
		c, err := compare.Compare([]*record.Record{rec}, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range compare.Formats {
			var b strings.Builder
			if err := c.Render(&b, format); err != nil {
				t.Errorf("%s: %v", format, err)
			}
			if format == "table" && (!strings.Contains(b.String(), "scored, no labels\n  #  model    AUROC  95 % interval  "+
				"over  alarms  threshold  fit s  ok/n") || !strings.Contains(b.String(), "warning: the data has no labels")) {
				t.Error(b.String())
			}
		}
		if _, err := compare.TestPair(rec, "znorm", "iforest"); err == nil ||
			!strings.Contains(err.Error(), "no labels") {
			t.Errorf("a test without labels: %v", err)
		}
		v, err := Verify(context.Background(), out.Dir, experiment.LoadOptions{Builtin: configs.Files})
		if err != nil || len(v.Faults) > 0 || v.Metrics == 0 {
			t.Errorf("%+v, %v", v, err)
		}
	}
}

// TestWithoutLabelsRefused: what needs labels is said before anything is read.
func TestWithoutLabelsRefused(t *testing.T) {
	for more, want := range map[string]string{
		"models=[logistic,znorm]":                 "no labels, which logistic needs",
		"split={contamination: 0.1}":              "no labels, which contamination needs",
		"split={kind: leave_out, leave_out: [x]}": "no labels, which kind leave_out needs",
		"data.0.evasion={kind: padding}":          "no labels, which evasion needs",
	} {
		_, err := experiment.Load(runstest.Write(t, unlabelled(t, "", "")), experiment.LoadOptions{
			Builtin: configs.Files, Overrides: []string{"++" + more}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", more, err)
		}
	}
}
