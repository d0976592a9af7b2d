package compare

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/runs/record"
)

// referenceRun is a run directory's record with a folder of settings for each cell.
func referenceRun(t *testing.T, spec string, cells ...record.Result) *record.Record {
	t.Helper()
	dir := t.TempDir()
	for _, c := range cells {
		folder := filepath.Join(dir, c.Cell)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "spec.yaml"), []byte(spec), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &record.Record{Dir: dir, Name: "e", Complete: true, Results: cells}
}

func referenceCell(label, cell string, auroc float64) record.Result {
	return record.Result{Data: "d", Label: label, Cell: cell, Status: record.OK, Train: 10, Test: 20,
		Metrics: map[string]float64{"auroc": auroc, "auprc": math.NaN()}}
}

// TestBands: a band worked out by hand. Seeds at .90, .92 and .94 have the mean .92 and the deviation .02; t(.995; 2)
// is 9.92484 (tables), so that a run of two cells may be off by 9.92484 · .02 · √(1/2 + 1/3) + .0001 = .18130.
func TestBands(t *testing.T) {
	run := referenceRun(t, "a: 1\n", referenceCell("a", "a1", 0.90), referenceCell("a", "a2", 0.92),
		referenceCell("a", "a3", 0.94), referenceCell("b", "b1", 0.5))
	all, err := ReferenceOf(run)
	if err != nil || len(all) != 2 || all[0].Cells != 3 || math.Abs(all[0].SD-0.02) > 1e-12 || all[1].SD != 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	var file strings.Builder
	if err := WriteReference(&file, all, true); err != nil {
		t.Fatal(err)
	}
	if all, err = ReadReference(strings.NewReader(file.String())); err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}

	two := referenceRun(t, "a: 1\n", referenceCell("a", "a1", 0.75), referenceCell("a", "a2", 0.73),
		referenceCell("b", "b1", 0.50009))
	bands, err := Bands(two, all)
	if err != nil || len(bands) != 2 {
		t.Fatalf("%+v, %v", bands, err)
	}
	if b := bands[0]; math.Abs(b.High-b.Low-2*0.18130) > 2e-5 || b.Verdict != Within || b.Cells != 2 {
		t.Errorf("%+v", b)
	}
	if b := bands[1]; b.Verdict != Within || math.Abs(b.Low-0.4999) > 1e-9 {
		t.Errorf("%+v", b)
	}
	for _, c := range []struct {
		name, verdict, why string
		run                *record.Record
	}{
		{"below", Outside, "", referenceRun(t, "a: 1\n", referenceCell("a", "a1", 0.70), referenceCell("a", "a2", 0.73))},
		{"one draw where none is made", Outside, "", referenceRun(t, "a: 1\n", referenceCell("b", "b1", 0.5002))},
		{"settings", NotComparable, "other settings", referenceRun(t, "a: 2\n", referenceCell("a", "a1", 0.92))},
		{"rows", NotComparable, "other rows: 11 train and 20 test, 10 and 20 in the reference",
			referenceRun(t, "a: 1\n", func() record.Result { r := referenceCell("a", "a1", 0.92); r.Train = 11; return r }())},
		{"failed", NotComparable, "a value in 1 of 2 cells", referenceRun(t, "a: 1\n", referenceCell("a", "a1", 0.92),
			func() record.Result { r := referenceCell("a", "a2", 0); r.Status = record.Failed; return r }())},
	} {
		bands, err := Bands(c.run, all)
		if err != nil || len(bands) != 1 || bands[0].Verdict != c.verdict || bands[0].Why != c.why {
			t.Errorf("%s: %+v, %v", c.name, bands, err)
		}
	}
	if _, err := Bands(&record.Record{Name: "other", Results: two.Results, Dir: two.Dir}, all); err == nil ||
		!strings.Contains(err.Error(), `"other"`) {
		t.Errorf("another experiment: %v", err)
	}
}

// TestReadReference: what is no reference file is an error that says where.
func TestReadReference(t *testing.T) {
	head := strings.Join(referenceHead, ",") + "\n"
	for text, want := range map[string]string{
		"":                                   "EOF",
		"a,b\n":                              "want experiment,data",
		head + "e,d,l,auroc,0,.5,0,1,1,s\n":  "line 2: 0 cells",
		head + "e,d,l,auroc,1,x,0,1,1,s\n":   `line 2: strconv.ParseFloat: parsing "x"`,
		head + "e,d,l,auroc,1,.5,-1,1,1,s\n": "sd -1",
		head + "e,d,l\n":                     "wrong number of fields",
	} {
		if _, err := ReadReference(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if all, err := ShippedReference(); err != nil || len(all) < 4 {
		t.Errorf("%d shipped, %v", len(all), err)
	}
}
