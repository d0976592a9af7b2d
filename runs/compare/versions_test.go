package compare

import (
	"strings"
	"testing"

	"plumbline/runs/record"
)

// TestVersions: files of one name with other content are named, and models that two runs trained on other rows; a run
// by itself, and runs that agree, are passed over.
func TestVersions(t *testing.T) {
	with := func(train, test string) *record.Record {
		files := []record.FileRecord{{Name: "a.csv", SHA256: train}, {Name: "b.csv", SHA256: test}, {}}
		return &record.Record{Manifest: record.Manifest{Data: []record.DataManifest{{Name: "flows", Files: files}}}}
	}
	records := []*record.Record{with("111111111111", "3333"), with("222222222222", "3333"), with("111111111111", "3333")}
	cell := func(run int, label, train, test string) member {
		one := record.Result{Data: "flows", Label: label, Status: record.OK, TrainSHA256: train, TestSHA256: test}
		return member{one, run}
	}
	for _, test := range []struct {
		cells []member
		want  []string
	}{
		{[]member{cell(0, "pca", "t", "u"), cell(0, "knn", "v", "u")}, nil},
		{[]member{cell(0, "pca", "t", "u"), cell(2, "pca", "t", "u")}, nil},
		{[]member{cell(0, "pca", "t", "u"), cell(2, "pca", "w", "x")}, nil}, // another warning says that test rows differ
		{[]member{cell(0, "pca", "t", "u"), cell(2, "pca", "w", "u"), cell(2, "knn", "w", "u")},
			[]string{"the runs trained pca on other rows"}},
		{[]member{cell(0, "pca", "t", "u"), cell(1, "pca", "t", "u")},
			[]string{"the runs read a.csv with other content (SHA-256 11111111…, 22222222…)"}},
	} {
		got := versionWarnings(test.cells, records)
		if len(got) != len(test.want) {
			t.Errorf("%q, want %q", got, test.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], test.want[i]) {
				t.Errorf("%q, want %q", got[i], test.want[i])
			}
		}
	}
}

// TestFailuresInEachFormat: why a cell failed stands in every format of every table that counts it.
func TestFailuresInEachFormat(t *testing.T) {
	for _, axis := range []string{"data", "metric", "seed"} {
		tables := pivot(t, twoSets(t), "auroc", "model", axis)
		for _, format := range Formats {
			var b strings.Builder
			if err := RenderPivots(&b, format, tables); err != nil {
				t.Fatal(err)
			}
			text := strings.NewReplacer("&amp;", "&", `\&`, "&", `\u0026`, "&").Replace(b.String())
			if n := strings.Count(text, "no & luck"); n == 0 || format != "csv" && n > 1 {
				t.Errorf("by %s as %s: the failure is told %d times", axis, format, n)
			}
		}
	}
}
