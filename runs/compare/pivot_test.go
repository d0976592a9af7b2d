package compare

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/eval"
	"plumbline/runs/record"
)

// results is a run from rows of a results.csv.
func results(t testing.TB, dir, file string) *record.Record {
	t.Helper()
	rows, err := record.ReadResults(strings.NewReader(file), "r.csv")
	if err != nil {
		t.Fatal(err)
	}
	return &record.Record{Dir: dir, Complete: true, Results: rows}
}

// twoSets: on d the models b and a are 1st and 2nd by their means over three seeds, on e they are equal, and x lacks e.
func twoSets(t testing.TB) *record.Record {
	return results(t, "runs/two", `data,model,label,seed,unit,status,error,n_test,auroc,f1,auroc_low,auroc_high
d,m,a,1,flow,ok,,20,0.79,0.1,,
d,m,a,2,flow,ok,,20,0.80,0.2,,
d,m,a,3,flow,ok,,20,0.81,0.3,,
d,m,b,1,flow,ok,,20,0.89,0.1,,
d,m,b,2,flow,ok,,20,0.90,0.1,,
d,m,b,3,flow,failed,no & luck,20,,,,
d,m,x,1,flow,ok,,20,0.99,0.9,0.98,1
e,m,a,1,flow,ok,,20,0.5,0.5,,
e,m,b,1,flow,ok,,20,0.5,0.4,,
`)
}

func pivot(t testing.TB, rec *record.Record, metric, down, across string) []*Pivot {
	t.Helper()
	c, err := Compare([]*record.Record{rec}, metric, []string{"auroc", "f1"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Pivot(down, across)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPivotData: ranks are 1 and 2 on d and shared on e, which makes 1.25 and 1.75 of two; x lacks e and has none.
func TestPivotData(t *testing.T) {
	p := pivot(t, twoSets(t), "auroc", "model", "data")[0]
	if !slices.Equal(p.Rows, []string{"b", "a", "x"}) || !slices.Equal(p.Columns, []string{"d", "e"}) {
		t.Fatalf("%q %q", p.Rows, p.Columns)
	}
	if p.Ranks[0] != 1.25 || p.Ranks[1] != 1.75 || !math.IsNaN(p.Ranks[2]) {
		t.Errorf("ranks %v", p.Ranks)
	}
	b := p.Cells[0][0]
	if math.Abs(b.Mean-0.895) > 1e-12 || b.OK != 2 || b.Cells != 3 || b.Best {
		t.Errorf("%+v", b)
	}
	if x := p.Cells[2][0]; !x.Best || x.Even {
		t.Errorf("the best of d: %+v", x)
	}
	if a, b := p.Cells[1][1], p.Cells[0][1]; a.Best == b.Best || a.Even == b.Even {
		t.Errorf("equal on e, one best and one not worse: %+v %+v", a, b)
	}
	// by a metric that is better when it is smaller, ranks are the other way round
	rec := twoSets(t)
	for i := range rec.Results {
		r := &rec.Results[i]
		r.Set("fpr_at_95tpr", r.Metric("auroc"))
	}
	p = pivot(t, rec, "fpr_at_95tpr", "model", "data")[0]
	if p.Rows[0] != "a" || p.Ranks[0] != 1.25 || !p.Cells[0][0].Best {
		t.Errorf("%q %v %+v", p.Rows, p.Ranks, p.Cells[0][0])
	}
	turned := pivot(t, twoSets(t), "auroc", "data", "model")[0]
	if !slices.Equal(turned.Columns, []string{"b", "a", "x"}) || turned.Cells[0][2].Mean != 0.99 ||
		turned.Ranks[0] != 1.25 {
		t.Errorf("%+v", turned)
	}
}

// TestPivotSeedsAndMetrics: one table for each data set, marks in the direction of each metric.
func TestPivotSeedsAndMetrics(t *testing.T) {
	p := pivot(t, twoSets(t), "auroc", "model", "seed")
	if len(p) != 2 || !slices.Equal(p[0].Columns, []string{"1", "2", "3"}) ||
		!strings.HasPrefix(p[1].Title, "AUROC, e, ") {
		t.Fatalf("%+v", p)
	}
	at := slices.Index(p[0].Rows, "b")
	if c := p[0].Cells[at][2]; !math.IsNaN(c.Mean) || c.Cells != 1 || c.OK != 0 {
		t.Errorf("the failed cell: %+v", c)
	}
	m := pivot(t, twoSets(t), "auroc", "metric", "model")
	if len(m) != 2 || !slices.Equal(m[0].Rows, []string{"auroc", "f1"}) {
		t.Fatalf("%+v", m[0])
	}
	x, a := slices.Index(m[0].Columns, "x"), slices.Index(m[0].Columns, "a")
	if f1 := m[0].Cells[1]; math.Abs(f1[a].Mean-0.2) > 1e-12 || !f1[x].Best {
		t.Errorf("%+v", f1)
	}
	c, err := Compare([]*record.Record{twoSets(t)}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, axes := range [][2]string{{"model", "model"}, {"data", "seed"}, {"model", "colour"}} {
		if _, err := c.Pivot(axes[0], axes[1]); err == nil {
			t.Errorf("%v is a pivot", axes)
		}
	}
}

// TestPivotClasses: recall of each class over the seeds, from the cells' metrics.json.
func TestPivotClasses(t *testing.T) {
	dir := t.TempDir()
	rec := results(t, dir, `data,model,label,seed,unit,status,n_test,recall,cell
d,m,a,1,flow,ok,20,0.5,c1
d,m,a,2,flow,ok,20,0.5,c2
d,m,b,1,flow,failed,20,,c3
`)
	for i, cell := range []string{"c1", "c2"} {
		m := eval.Metrics{Values: map[string]float64{}, Classes: []eval.ClassMetrics{
			{Class: "scan", Samples: 50, Recall: 0.4 + 0.2*float64(i), AUROC: 0.9},
			{Class: "flood", Samples: 50, Recall: 1, AUROC: 0.8}}}
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, cell), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, cell, "metrics.json"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := pivot(t, rec, "recall", "class", "model")[0]
	if !slices.Equal(p.Rows, []string{"flood", "scan"}) || math.Abs(p.Cells[1][0].Mean-0.5) > 1e-12 ||
		p.Cells[1][0].N != 2 {
		t.Errorf("%+v", p)
	}
	c, err := Compare([]*record.Record{rec}, "f1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pivot("model", "class"); err == nil || !strings.Contains(err.Error(), "auroc and recall") {
		t.Error(err)
	}
}

// TestPivotText: an interval whose half width would leave the metric's range is shown by its ends.
func TestPivotText(t *testing.T) {
	cell := PivotCell{Value: Value{N: 5, Mean: 0.9, Interval: eval.Interval{Low: 0.85, High: 0.93}}, OK: 5, Cells: 5,
		metric: "auroc"}
	if got := cell.text(); got != "0.9000 ± 0.0400 (5/5)" {
		t.Error(got)
	}
	cell.Mean, cell.Interval = 0.99, eval.Interval{Low: 0.95, High: 0.998}
	if got := cell.text(); got != "0.9900 [0.9500, 0.9980] (5/5)" {
		t.Error(got)
	}
}

// TestGroupKeys: cells of two runs are joined where the run is no key, and what they differ in is said.
func TestGroupKeys(t *testing.T) {
	a := results(t, "runs/a", "data,model,label,seed,unit,status,n_test,auroc,n_features\n"+
		"d,m,one,1,flow,ok,20,0.8,4\nd,m,one,2,flow,ok,20,0.9,4\nd,m,two,1,flow,ok,20,0.5,4\n")
	b := results(t, "runs/b", "data,model,label,seed,unit,status,n_test,auroc,n_features\n"+
		"d,m,one,2,flow,ok,20,0.7,5\nd,m,one,3,flow,ok,20,0.6,5\n")
	rows := func(keys ...string) (names, warnings []string) {
		t.Helper()
		c, err := CompareBy([]*record.Record{a, b}, "", nil, keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range c.Groups[0].Rows {
			names = append(names, fmt.Sprintf("%s %d", r.Label, r.Cells))
		}
		return names, c.Groups[0].Warnings
	}
	if names, _ := rows("label", "run"); !slices.Equal(names, []string{"one (a) 2", "one (b) 2", "two 1"}) {
		t.Errorf("%q", names)
	}
	names, warnings := rows("label")
	all := strings.Join(warnings, "\n")
	if !slices.Equal(names, []string{"one 4", "two 1"}) ||
		!strings.Contains(all, "one: its mean is over cells that differ in run (a, b)") ||
		!strings.Contains(all, "differ in columns (4, 5)") ||
		!strings.Contains(all, "one: one seed or fold is in its mean more than once") {
		t.Errorf("%q\n%s", names, all)
	}
	names, warnings = rows("model")
	if !slices.Equal(names, []string{"m 5"}) ||
		!strings.Contains(strings.Join(warnings, "\n"), "differ in label (one, two)") {
		t.Errorf("%q\n%s", names, warnings)
	}
	if _, err := CompareBy([]*record.Record{a}, "", nil, []string{"colour"}); err == nil {
		t.Error("an unknown key is taken")
	}
}

// evil is text of data that each format would take for its own.
const evil = "a|b_c <script>&amp;</script> `x` *y* $1^2$ 100% [l](x) #1 ~{\\input{x}}\n\x1b[31m\u202e \"q\" é 日"

// TestTextOfData: what stands in errors and warnings is text in every format.
func TestTextOfData(t *testing.T) {
	rec := twoSets(t)
	rec.Results[5].Error = evil
	rec.Results[0].Warnings = []string{evil}
	c, err := Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	pivots, err := c.Pivot("model", "data")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range Formats {
		var one, two strings.Builder
		if err := c.Render(&one, format); err != nil {
			t.Fatal(err)
		}
		if err := RenderPivots(&two, format, pivots); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{one.String(), two.String()} {
			var bad []string
			switch format {
			case "markdown":
				bad = []string{"<script", "\x1b", "\u202e", "| b_c", "&amp;", " [l](x)"}
				if !strings.Contains(text, `a\|b_c \<script>\&amp;`) {
					t.Errorf("%s", text)
				}
				text = strings.NewReplacer(`\<`, "", `\&`, "").Replace(text)
			case "html":
				bad = []string{"<script", "\x1b", "\u202e"}
			case "latex":
				bad = []string{`\input{x}`, "\x1b", "\u202e", " 100% ", "$1", "#1 ", "日"}
				text = strings.NewReplacer(`\#`, "", `\$`, "").Replace(text)
			case "csv":
				if _, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil {
					t.Error(err)
				}
			case "json":
				if !json.Valid([]byte(text)) {
					t.Error("not JSON")
				}
			}
			for _, b := range bad {
				if strings.Contains(text, b) {
					t.Errorf("%s holds %q:\n%s", format, b, text)
				}
			}
			if !strings.Contains(text, "d") || format != "json" && format != "csv" && !strings.Contains(text, "warning: ") {
				t.Errorf("%s lacks the warning:\n%s", format, text)
			}
		}
	}
	var b strings.Builder
	if err := errors.Join(c.Render(&b, "latex"), RenderPivots(&b, "latex", pivots)); err != nil {
		t.Fatal(err)
	}
	latexCompiles(t, b.String())
}

// TestTwoThousandCells: a comparison of 20 data sets, 20 models and 5 seeds is read and made in no time.
func TestTwoThousandCells(t *testing.T) {
	dir := t.TempDir()
	var m record.Manifest
	write := func(name string, v any) record.FileSum {
		t.Helper()
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return record.SumOf(raw)
	}
	for set := range 20 {
		for model := range 20 {
			for seed := range 5 {
				cell := fmt.Sprintf("cells/d%d/m%d/s%d", set, model, seed+1)
				res := record.Result{Data: fmt.Sprint("d", set), Model: "iforest", Label: fmt.Sprint("m", model),
					Seed: uint64(seed + 1), Unit: "flow", Status: record.OK, Test: 1000, Cell: cell, Input: "vectors"}
				metrics := eval.Metrics{Samples: 1000, Values: map[string]float64{}, Intervals: map[string]eval.Interval{}}
				for i, k := range eval.MetricTable() {
					if k.Measured() {
						metrics.Values[k.Name] = 0.5 + 0.4*float64((set*7+model*3+seed+i)%11)/11
					}
				}
				for class := range 10 {
					metrics.Classes = append(metrics.Classes, eval.ClassMetrics{Class: fmt.Sprint("c", class), Samples: 40})
				}
				res.Judge(&metrics)
				sums := map[string]record.FileSum{"metrics.json": write(cell+"/metrics.json", metrics)}
				write(cell+"/status.json", record.Status{Cell: cell, Status: record.OK, Files: sums, Result: res})
				m.Plan = append(m.Plan, record.PlannedCell{Cell: cell, Data: res.Data, Model: res.Model, Label: res.Label,
					Seed: res.Seed, Unit: "flow", Input: "vectors"})
			}
		}
	}
	write("manifest.json", m)
	if err := os.WriteFile(filepath.Join(dir, "experiment.yaml"), []byte("name: large\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	rec, err := record.Open(dir)
	if err != nil || rec.OK() != 2000 {
		t.Fatalf("%d cells, %v", rec.OK(), err)
	}
	p := pivot(t, rec, "auroc", "model", "data")
	var b strings.Builder
	if err := RenderPivots(&b, "latex", p); err != nil || len(p[0].Rows) != 20 || len(p[0].Columns) != 20 {
		t.Fatal(err)
	}
	took := time.Since(begun)
	t.Logf("2000 cells in %v", took)
	if took > 20*time.Second { // two on a machine of its own; tests share theirs
		t.Errorf("2000 cells took %v", took)
	}
}
