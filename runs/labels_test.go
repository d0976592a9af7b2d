package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "plumbline/models/deep"
	_ "plumbline/models/supervised"
	"plumbline/runs/record"
)

// weak is an experiment on files of its own: 200 benign rows and 60 attacks to train on, 100 and 40 to test.
func weak(t *testing.T, more string, testLabel func(i int, attack bool) string) string {
	t.Helper()
	dir := t.TempDir()
	for name, n := range map[string][2]int{"train.csv": {200, 60}, "test.csv": {100, 40}} {
		var b strings.Builder
		b.WriteString("a,b,class\n")
		for i := range n[0] + n[1] {
			attack := i >= n[0]
			x, class := float64(i*37%101)/50, "benign"
			if attack {
				x, class = x+1.5, "scan"
			}
			if name == "test.csv" && testLabel != nil {
				class = testLabel(i, attack)
			}
			fmt.Fprintf(&b, "%g,%g,%s\n", x, float64(i*53%97)/50, class)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf(`
name: weak
data:
  - name: own
    format: delimited
    files: {train: [%s], test: [%s]}
    label: {column: class, benign: [benign]}
    options: {header: true, types: {a: number, b: number, class: category}}
    prep: [impute, {step: scale, kind: zscore}]
split: {kind: official, validation: 0.1%s}
models: [{model: devnet, params: {epochs: 3}}, {model: deep_sad, params: {epochs: 3, pretrain: 2}}, tree, znorm]
bootstrap: 0
audit: off
labels: {attacks: 7}
`, filepath.Join(dir, "train.csv"), filepath.Join(dir, "test.csv"), more)
}

// TestFewLabelledAttacks: models with labels are shown the attacks asked for and the benign rows of all models, models
// without none, and what is shown is in results and manifest.
func TestFewLabelledAttacks(t *testing.T) {
	for name, c := range map[string]struct {
		more  string
		train int // rows that models without labels see
		own   int // rows of the attacks shown that these do not see
	}{"plain": {"", 180, 7}, "contaminated": {", contamination: 0.1", 200, 7}, "all": {", unlabelled: all", 240, 0}} {
		out := runSmall(t, weak(t, c.more, nil), Options{})
		for _, r := range out.Results {
			want, seen := c.train+c.own, 7.0
			if r.Model == "znorm" {
				want, seen = c.train, 0
			}
			got := r.Metric("n_train_attacks")
			if r.Model == "znorm" && got != got {
				got = 0
			}
			if r.Status != record.OK || r.Train != want || got != seen {
				t.Errorf("%s, %s: %d training rows, %v attacks seen, want %d and %v (%s)", name, r.Label, r.Train, got, want,
					seen, r.Error)
			}
		}
		m, err := record.Open(out.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if d := m.Manifest.Data[0]; d.Shown != 7 || len(d.ShownRows) != 7 || !strings.Contains(d.ShownRows[0], "train.csv:") {
			t.Errorf("%s: the manifest says %d, %v", name, d.Shown, d.ShownRows)
		}
	}
}

// TestTestLabelsAreOutOfReach: scores do not change when test rows have other labels, or other names of classes.
func TestTestLabelsAreOutOfReach(t *testing.T) {
	base := scores(t, runSmall(t, weak(t, "", nil), Options{}).Dir)
	turned := scores(t, runSmall(t, weak(t, "", func(i int, attack bool) string {
		return []string{"benign", "other", "scan"}[i%3]
	}), Options{}).Dir)
	if len(base) != 4 || len(turned) != 4 {
		t.Fatalf("scores of %d and %d cells", len(base), len(turned))
	}
	for cell, text := range base {
		one, two := column(text, 2), column(turned[cell], 2)
		if one == "" || one != two {
			t.Errorf("%s: scores depend on the labels of test rows", cell)
		}
	}
}

// column is a column of a CSV text without quotes.
func column(text string, k int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if f := strings.Split(strings.TrimSpace(line), ","); k < len(f) {
			b.WriteString(f[k] + "\n")
		}
	}
	return b.String()
}

// TestTooFewAttacksToShow: where training has fewer attacks than are to be shown, models with labels fail and say so,
// and others do not.
func TestTooFewAttacksToShow(t *testing.T) {
	out := runSmall(t, weak(t, "", nil), Options{}, "labels.attacks=61")
	for _, r := range out.Results {
		if failed := r.Status == record.Failed; failed != (r.Model != "znorm") ||
			failed && !strings.Contains(r.Error, "61 labelled attacks are asked for") {
			t.Errorf("%s: %s %s", r.Label, r.Status, r.Error)
		}
	}
}
