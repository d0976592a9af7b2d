package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/eval"
	"plumbline/runs/record"
)

// record is a run with cells that a person can add up: a has AUROC .8 and .9, b one failed cell and one
// ok, c one run with a bootstrap interval.
func testRecord(t *testing.T) *record.Record {
	t.Helper()
	const file = `data,model,label,seed,unit,status,error,n_train,n_test,auroc,fit_seconds,auroc_low,auroc_high,warnings
d,m,a,1,flow,ok,,10,20,0.8,1,,,
d,m,a,2,flow,ok,,10,20,0.9,3,,,
d,m,b,1,flow,failed,"no | room",10,20,,,,,
d,m,b,2,flow,ok,,10,20,0.7,1,,,small class
d,n,c,1,flow,ok,,10,20,0.95,1,0.9,0.97,
e,n,c,1,host,ok,,10,20,,1,,,
`
	results, err := record.ReadResults(strings.NewReader(file), "r.csv")
	if err != nil {
		t.Fatal(err)
	}
	return &record.Record{Dir: "x", Complete: true, Results: results}
}

func TestCompare(t *testing.T) {
	c, err := Compare([]*record.Record{testRecord(t)}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Groups) != 2 || c.Groups[1].Unit != "host" {
		t.Fatalf("%+v", c.Groups)
	}
	g := c.Groups[0]
	if g.Rows[0].Label != "c" || g.Rows[1].Label != "a" || g.Rows[2].Label != "b" || g.Rows[2].Rank != 3 {
		t.Fatalf("order %+v", g.Rows)
	}
	a := g.Rows[1].Main
	// t(1, .975) = 12.706204736432095 (tables); sd of .8 and .9 is .0707106781
	// on the logit scale
	half := 12.706204736432095 * 0.07071067811865474 / math.Sqrt2 / (0.85 * 0.15)
	high := 1 / (1 + math.Exp(-math.Log(0.85/0.15)-half))
	if a.N != 2 || math.Abs(a.Mean-0.85) > 1e-12 || math.Abs(a.Interval.High-high) > 1e-9 || a.Over != "seeds" {
		t.Errorf("a: %+v", a)
	}
	if top := g.Rows[0].Main; top.Over != "units" || top.Interval.Low != 0.9 || top.Interval.High != 0.97 {
		t.Errorf("c: %+v", top)
	}
	if b := g.Rows[2]; b.OK != 1 || b.Cells != 2 || len(b.Errors) != 1 {
		t.Errorf("b: %+v", b)
	}
	if r := c.Groups[1].Rows[0]; r.Rank != 0 || !math.IsNaN(r.Main.Mean) {
		t.Errorf("undefined: %+v", r)
	}
	if !strings.Contains(strings.Join(g.Warnings, "\n"), "b: small class") ||
		!strings.Contains(strings.Join(g.Warnings, "\n"), "seeds are few") {
		t.Errorf("warnings %q", g.Warnings)
	}
	fast, err := Compare([]*record.Record{testRecord(t)}, "fit_seconds", nil)
	if err != nil || fast.Groups[0].Rows[2].Label != "a" {
		t.Errorf("by time: %+v, %v", fast, err)
	}
	if _, err := Compare([]*record.Record{testRecord(t)}, "auc", nil); err == nil || !strings.Contains(err.Error(),
		`did you mean "auroc"?`) {
		t.Errorf("error %v", err)
	}
	if _, err := Compare(nil, "", nil); err == nil {
		t.Error("nothing is compared without an error")
	}
}

func TestRender(t *testing.T) {
	c, err := Compare([]*record.Record{testRecord(t)}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Groups[0].Audit = []string{"audit: clean"}
	for format, want := range map[string][]string{
		"table": {"d, unit flow: 20 judged", "audit: clean", "2  a      0.8500 ± 0.0707", "[0.9000, 0.9700]  20 units",
			"2 seeds", "intervals over units are about", "1/2", "b failed: no | room", "warning: "},
		"markdown": {"| 2 | a | *0.8500 ± 0.0707* | [0.0374, 0.9988] |", "### e, unit host"},
		"latex":    {`\toprule`, `2 & a & \textit{0.8500 $\pm$ 0.0707} &`, `b failed: no \textbar{} room\par`, "warning: "},
		"html":     {"<td>a</td><td><i>0.8500 ± 0.0707</i></td>", "<li>b failed: no | room</li>", "<li>warning: "},
		"csv": {"d,flow,1,c,n,auroc,1,1,0.95,,0.9,0.97,units", "e,host,0,c,n,auroc,0,1,,,,,",
			"failed: no | room; "},
		"json": {`"mean": null`, `"audit: clean"`, `"interval": "units"`},
	} {
		var b strings.Builder
		if err := c.Render(&b, format); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %q:\n%s", format, w, b.String())
			}
		}
		if format == "json" && !json.Valid([]byte(b.String())) {
			t.Error("not JSON")
		}
	}
	if err := c.Render(&strings.Builder{}, "pdf"); err == nil {
		t.Error("an unknown format is accepted")
	}
}

// runOf is a run of one model, iforest, and one that ignores its seed, znorm.
func runOf(t *testing.T, dir, sum string, seeds ...string) *record.Record {
	t.Helper()
	file := "data,model,label,seed,unit,status,n_test,prevalence,auroc,auroc_low,auroc_high,test_sha256,input," +
		"deterministic\n" +
		"d,znorm,znorm,1,flow,ok,20,0.5,0.8,0.7,0.9," + sum + ",vectors,true\n" +
		"d,markov,markov,1,flow,ok,20,0.5,0.8,0.7,0.9,other,traces,true\n"
	for i, s := range seeds {
		file += fmt.Sprintf("d,iforest,iforest,%s,flow,ok,20,0.5,0.%d,,,%s,vectors,false\n", s, 6+i, sum)
	}
	results, err := record.ReadResults(strings.NewReader(file), "r.csv")
	if err != nil {
		t.Fatal(err)
	}
	return &record.Record{Dir: dir, Complete: true, Results: results}
}

// TestSeveralRuns: the same model in two runs is two rows; a seed that was run twice must not pass for two.
func TestSeveralRuns(t *testing.T) {
	a, b := runOf(t, "runs/a", "x", "1", "2"), runOf(t, "runs/b", "y", "1", "2")
	c, err := Compare([]*record.Record{a, b}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	g := c.Groups[0]
	if len(g.Rows) != 6 {
		t.Fatalf("%d rows: %+v", len(g.Rows), g.Rows)
	}
	for _, r := range g.Rows {
		want := map[string]int{"znorm": 1, "markov": 1, "iforest": 2}[r.Model]
		if r.Cells != want || r.Label != r.Model+" ("+r.Run+")" || r.Main.Over == "units" != (want == 1) {
			t.Errorf("%+v", r)
		}
	}
	warnings := strings.Join(g.Warnings, "\n")
	if !strings.Contains(warnings, "models of vectors saw 2 different test sets") ||
		strings.Contains(warnings, "models of traces") {
		t.Errorf("warnings %s", warnings)
	}
	if _, err := Compare([]*record.Record{a, runOf(t, "runs/../runs/a", "x")}, "", nil); err == nil ||
		!strings.Contains(err.Error(), "given twice") {
		t.Errorf("error %v", err)
	}
	// one name, two folders: told apart by the whole path
	if c, err = Compare([]*record.Record{a, runOf(t, "old/a", "x", "1")}, "", nil); err != nil ||
		c.Groups[0].Rows[0].Run == c.Groups[0].Rows[1].Run {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestWarningsNameTheirModels: each once, with the models that it is about and how many of their cells carry it.
func TestWarningsNameTheirModels(t *testing.T) {
	cell := func(label string, warnings ...string) member {
		return member{Result: record.Result{Label: label, Status: record.OK, Warnings: warnings}}
	}
	failed := cell("b", "never read")
	failed.Status = record.Failed
	got := cellWarnings([]member{cell("a", "few", "flat"), cell("a", "few"), cell("b", "few", "coarse"), failed,
		cell("c", "few", "coarse")})
	want := []string{"all models: few", "a: flat (1 of 2 cells)", "b, c: coarse"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := cellWarnings([]member{cell("a", "few")}); !slices.Equal(got, []string{"a: few"}) {
		t.Errorf("one model: %q", got)
	}
}

func TestWarnings(t *testing.T) {
	one := runOf(t, "a", "x", "1")
	c, err := Compare([]*record.Record{one}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Groups[0].Warnings; len(w) != 1 || !strings.HasPrefix(w[0], "one seed of iforest:") {
		t.Errorf("warnings %q", w)
	}
	for _, r := range c.Groups[0].Rows {
		if strings.Contains(r.Label, "(") {
			t.Errorf("label %q in a comparison of one run", r.Label)
		}
	}
	five := runOf(t, "a", "x", "1", "2", "3", "4")
	five.Results = append(five.Results, five.Results[2])
	five.Results[6].Seed = 5
	if c, err = Compare([]*record.Record{five}, "", nil); err != nil || len(c.Groups[0].Warnings) != 0 {
		t.Errorf("five seeds: %q, %v", c.Groups[0].Warnings, err)
	}
	five.Results[6].Metrics = maps.Clone(five.Results[6].Metrics)
	five.Results[6].Set("auroc", math.NaN())
	five.Results[5].Test = 19
	if c, err = Compare([]*record.Record{five}, "", nil); err != nil {
		t.Fatal(err)
	}
	warnings := strings.Join(c.Groups[0].Warnings, "\n")
	for _, want := range []string{"iforest: undefined for 1 of 5 cells",
		"not all are judged on the same units (20 with 50.0 % attacks; 19 with"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings lack %q:\n%s", want, warnings)
		}
	}
	unfinished := runOf(t, "a", "x", "1")
	unfinished.Complete = false
	if c, err = Compare([]*record.Record{unfinished}, "", nil); err != nil || len(c.Warnings) != 1 {
		t.Errorf("%q, %v", c.Warnings, err)
	}
}

// TestFoldsDiffer: folds have other rows by design; what differs within one is a warning.
func TestFoldsDiffer(t *testing.T) {
	const file = `data,model,label,seed,fold,unit,status,n_train,n_test,auroc,prevalence,train_sha256,test_sha256,input
d,m,a,1,f1,flow,ok,10,20,0.8,0.5,x,y1,vectors
d,m,a,1,f2,flow,ok,10,21,0.9,0.5,x,y2,vectors
d,n,b,1,f1,flow,ok,10,20,0.7,0.5,x,y1,vectors
d,n,b,1,f2,flow,ok,10,21,0.7,0.5,x,%s,vectors
`
	for sum, warned := range map[string]bool{"y2": false, "y3": true} {
		results, err := record.ReadResults(strings.NewReader(fmt.Sprintf(file, sum)), "r.csv")
		if err != nil {
			t.Fatal(err)
		}
		c, err := Compare([]*record.Record{{Dir: "x", Complete: true, Results: results}}, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(c.Groups[0].Warnings, "\n")
		if strings.Contains(text, "test_sha256") != warned || strings.Contains(text, "same units") ||
			!strings.Contains(text, "2 folds are few") {
			t.Errorf("%s: %s", sum, text)
		}
	}
}

// TestFoldsAndSeeds: seeds are averaged within a fold, and the interval over the folds' means is that of Nadeau and
// Bengio.
func TestFoldsAndSeeds(t *testing.T) {
	const file = `data,model,label,seed,fold,unit,status,n_train,n_test,auroc,mcc
d,m,a,1,f1,flow,ok,10,20,0.80,0.5
d,m,a,2,f1,flow,ok,10,20,0.84,0.5
d,m,a,1,f2,flow,ok,10,20,0.90,0.5
d,m,a,2,f2,flow,ok,10,20,0.90,0.5
d,m,a,1,f3,flow,ok,10,20,0.70,0.5
d,m,a,2,f3,flow,failed,10,20,,
`
	results, err := record.ReadResults(strings.NewReader(file), "r.csv")
	if err != nil {
		t.Fatal(err)
	}
	interval := func(mean, overlap float64) (low, high float64) {
		// the folds' means are .82, .9 and .7; t(2, .975) = 4.302652729911275 (SciPy 1.10.1)
		sd := math.Sqrt(((0.82-mean)*(0.82-mean) + (0.9-mean)*(0.9-mean) + (0.7-mean)*(0.7-mean)) / 2)
		half := 4.302652729911275 * sd * math.Sqrt(1.0/3+overlap) / (mean * (1 - mean))
		at := func(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
		logit := math.Log(mean / (1 - mean))
		return at(logit - half), at(logit + half)
	}
	rec := &record.Record{Dir: "x", Complete: true, Results: results}
	for _, overlap := range []float64{0.5, 0.25} { // 1/(3−1) by the names, or what the manifest says
		c, err := Compare([]*record.Record{rec}, "", []string{"mcc"})
		if err != nil {
			t.Fatal(err)
		}
		v := c.Groups[0].Rows[0].Main
		low, high := interval((0.82+0.9+0.7)/3, overlap)
		if v.N != 3 || v.Over != "folds" || math.Abs(v.Interval.Low-low) > 1e-9 || math.Abs(v.Interval.High-high) > 1e-9 {
			t.Errorf("%+v, want [%v, %v] over 3 folds", v, low, high)
		}
		if m := c.Groups[0].Rows[0].Others["mcc"]; m.Interval.Defined() || m.Mean != 0.5 || m.SD != 0 {
			t.Errorf("of values that are all equal: %+v", m)
		}
		var b strings.Builder
		if err := c.Render(&b, "table"); err != nil || !strings.Contains(b.String(), "3 folds") ||
			!strings.Contains(b.String(), "averaged within a fold") {
			t.Errorf("%v\n%s", err, b.String())
		}
		told := strings.Contains(strings.Join(c.Groups[0].Warnings, "\n"), "all 15 attacks test in every fold")
		if told != (rec.Manifest.Data != nil) {
			t.Errorf("warnings %q", c.Groups[0].Warnings)
		}
		rec.Manifest.Data = []record.DataManifest{{Name: "d", Attacks: 15, Train: 80, Test: 35, TestBenign: 20}}
	}
	for i := range rec.Results {
		rec.Results[i].Fold = strings.Replace(rec.Results[i].Fold, "f", "c", 1)
	}
	c, err := Compare([]*record.Record{rec}, "", nil)
	if v := c.Groups[0].Rows[0].Main; err != nil || v.Interval.Defined() || v.N != 3 {
		t.Errorf("classes left out are no sample: %+v, %v", v, err)
	}
}

// TestThresholdsOfRuns: two runs with other rules are told apart, two with one rule are not.
func TestThresholdsOfRuns(t *testing.T) {
	a, b := testRecord(t), testRecord(t)
	a.Dir, b.Dir = "x", "y"
	a.Threshold, b.Threshold = "fpr 0.01 on validation", "fpr 0.2 on validation"
	for _, differ := range []bool{true, false} {
		c, err := Compare([]*record.Record{a, b}, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(c.Groups[0].Warnings, "\n")
		if strings.Contains(text, "(fpr 0.01 on validation; fpr 0.2 on validation)") != differ {
			t.Errorf("warnings %q", c.Groups[0].Warnings)
		}
		b.Threshold = a.Threshold
	}
}

// TestMetricsOfCells: a metric that results.csv lacks comes from the cells' files, and one that describes ranks
// nothing.
func TestMetricsOfCells(t *testing.T) {
	const file = "data,model,label,seed,unit,status,auroc,cell\nd,m,a,1,flow,ok,0.8,cells/d/a/s1\n" +
		"d,m,b,1,flow,ok,0.7,cells/d/b/s1\n"
	results, err := record.ReadResults(strings.NewReader(file), "r.csv")
	if err != nil {
		t.Fatal(err)
	}
	rec := &record.Record{Dir: t.TempDir(), Complete: true, Results: results}
	if _, err := Compare([]*record.Record{rec}, "oracle_f1", nil); err == nil {
		t.Error("no metrics.json is missed")
	}
	for cell, text := range map[string]string{"a": `{"auroc": 0.1, "oracle_f1": 0.25, "distinct_scores": 9}`,
		"b": `{"oracle_f1": 0.5, "distinct_scores": 12}`} {
		dir := filepath.Join(rec.Dir, "cells", "d", cell, "s1")
		if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, "metrics.json"), []byte(text),
			0o666)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Compare([]*record.Record{rec}, "oracle_f1", []string{"auroc"})
	if err != nil {
		t.Fatal(err)
	}
	if top := c.Groups[0].Rows[0]; top.Label != "b" || top.Rank != 1 || top.Main.Mean != 0.5 ||
		c.Groups[0].Rows[1].Others["auroc"].Mean != 0.8 {
		t.Errorf("%+v", c.Groups[0].Rows)
	}
	if c, err = Compare([]*record.Record{rec}, "distinct_scores", nil); err != nil {
		t.Fatal(err)
	}
	if top := c.Groups[0].Rows[0]; top.Label != "a" || top.Rank != 0 || top.Main.Mean != 9 {
		t.Errorf("%+v", top)
	}
	for _, m := range eval.MetricNames() {
		if _, err := Compare([]*record.Record{rec}, m, nil); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
}

// TestOffRatesAreNamed: models whose thresholds do not hold stand in one warning, with their mean rates over such
// cells.
func TestOffRatesAreNamed(t *testing.T) {
	off := func(label string, seed uint64, fpr float64, warnings ...string) record.Result {
		r := record.Result{Data: "d", Unit: "flow", Label: label, Model: label, Seed: seed, Status: record.OK,
			Warnings: warnings}
		r.Set("fpr", fpr)
		r.Set("fpr_asked", 0.01)
		r.Set("auroc", 0.9)
		return r
	}
	rec := testRecord(t)
	rec.Results = []record.Result{
		off("a", 1, 0.7, eval.OffRate+"1 %, got 70 %"), off("a", 2, 0.9, eval.OffRate+"1 %, got 90 %"),
		off("b", 1, 0.02, eval.OffRate+"1 %, got 2 %"), off("c", 1, 0.011), off("c", 2, 0.5),
	}
	c, err := Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	warnings := strings.Join(c.Groups[0].Warnings, "\n")
	if n := strings.Count(warnings, "asked for"); n != 1 ||
		!strings.Contains(warnings, "asked for 1.0 % false positives, got a 80.0 %, b 2.0 %:") {
		t.Errorf("warnings %s", warnings)
	}
	if v := c.Groups[0].Rows[0].Others["fpr"]; math.IsNaN(v.Mean) {
		t.Error("the achieved rate is not among the shown columns")
	}
}

// TestWhatWasLeftOut: what left rows of a data set out is below its table.
func TestWhatWasLeftOut(t *testing.T) {
	d := record.DataManifest{
		Name: "d", BadRows: 7, Notes: []string{"12 of 90 rows are left out by the filters", "column host is not a feature"},
	}
	got := shrunk(d)
	want := []string{
		"data: 7 rows cannot be read and are left out", "data: 12 of 90 rows are left out by the filters",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	g := Group{Data: "d", Shrunk: got}
	if notes := g.notes(); !slices.Equal(notes, want) {
		t.Errorf("below the table: %q", notes)
	}
}

// TestMarksComeLast: the values of a printed table stand as they are, the marks in a column of their own at the end.
func TestMarksComeLast(t *testing.T) {
	c, err := Compare([]*record.Record{testRecord(t)}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := c.Render(&b, "table"); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] != "1" && fields[0] != "2" {
			continue
		}
		mark := map[string]string{"1": "*", "2": "="}[fields[0]]
		if got := fields[len(fields)-1]; got != mark || strings.Count(line, mark) != 1 {
			t.Errorf("%q ends with %q, want %q", line, got, mark)
		}
	}
}

// TestPointAdjustedBesideChance: the one is not shown without the other.
func TestPointAdjustedBesideChance(t *testing.T) {
	rec := testRecord(t)
	rec.Results = []record.Result{{Data: "d", Label: "a", Status: record.Failed, Cell: "c"}}
	for _, metric := range []string{"point_adjusted_f1", "auroc"} {
		c, err := Compare([]*record.Record{rec}, metric, []string{"point_adjusted_f1"})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(c.Columns, []string{"point_adjusted_f1", eval.PointAdjustedRandom}) {
			t.Errorf("%s: %v", metric, c.Columns)
		}
	}
}
