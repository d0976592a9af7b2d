package compare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/runs/record"
)

// TestJoinedSettings: cells that are joined over runs and differ in settings or training rows are warned of by name,
// those that are alike in both are not.
func TestJoinedSettings(t *testing.T) {
	records := make([]*record.Record, 3)
	for i, spec := range []string{
		"label: forest\nmodel: iforest\nparams:\n    trees: 10\n    max_samples: 64\n",
		"label: forest\nmodel: iforest\nparams:\n    trees: 10\n    max_samples: 64\n    extension: 2\n",
		"label: other\nmodel: iforest\nparams:\n    trees: 900\n    max_samples: 64\n",
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "cell"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cell", "spec.yaml"), []byte(spec), 0o644); err != nil {
			t.Fatal(err)
		}
		records[i] = &record.Record{Dir: dir}
	}
	of := func(run int, seed uint64, label, train string) member {
		return member{record.Result{Label: label, Model: "iforest", Seed: seed, Status: record.OK, Cell: "cell", Train: 50,
			TrainSHA256: train, Input: "vectors"}, run}
	}
	names := []string{"r0", "r1", "r2"}
	for _, test := range []struct {
		cells      []member
		want, none string
	}{
		{[]member{of(0, 1, "forest", "aaaaaaaaaaaa"), of(0, 2, "forest", "aaaaaaaaaaaa")}, "", "differ"},
		{[]member{of(0, 1, "forest", "aaaaaaaaaaaa"), of(1, 2, "forest", "aaaaaaaaaaaa")},
			"differ in settings (without these; extension: 2)", "training rows"},
		{[]member{of(1, 1, "forest", "aaaaaaaaaaaa"), of(2, 2, "other", "aaaaaaaaaaaa")},
			"differ in settings (trees: 10, extension: 2; trees: 900)", "training rows"},
		{[]member{of(0, 1, "forest", "aaaaaaaaaaaa"), of(0, 2, "forest", "bbbbbbbbbbbb")},
			"differ in training rows (50 of sha256 aaaaaaaa…, 50 of sha256 bbbbbbbb…)", "settings"},
	} {
		got := strings.Join(joinWarnings("row", test.cells, names, records), "\n")
		if !strings.Contains(got, test.want) || strings.Contains(got, test.none) {
			t.Errorf("%q: want %q, not %q", got, test.want, test.none)
		}
	}
	failed := of(1, 3, "forest", "")
	failed.Status = "failed"
	if got := joinWarnings("row", []member{of(0, 1, "forest", "a"), failed}, names, records); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// TestFewWarning: models that ignore their seed say nothing of seeds; folds count where there are some.
func TestFewWarning(t *testing.T) {
	cells := func(n int, fixed, folds bool) (out []record.Result) {
		for i := range n {
			r := record.Result{Seed: uint64(i), Deterministic: fixed}
			if folds {
				r.Seed, r.Fold = 1, string(rune('a'+i))
			}
			out = append(out, r)
		}
		return out
	}
	for _, test := range []struct {
		want string
		of   [][]record.Result
	}{
		{"", [][]record.Result{cells(1, true, false), cells(1, true, false)}},
		{"", [][]record.Result{cells(5, false, false), cells(1, true, false), nil}},
		{"1 seed:", [][]record.Result{cells(1, false, false), cells(7, false, false)}},
		{"4 seeds:", [][]record.Result{cells(1, true, false), cells(4, false, false)}},
		{"3 folds:", [][]record.Result{cells(3, true, true), cells(5, false, true)}},
	} {
		if got := fewWarning(test.of...); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
