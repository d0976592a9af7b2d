package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"plumbline/runs/compare"
	"plumbline/runs/record"
)

// TestDraw: a strip for each model, the best furthest to the right, and the bars of a cell's scores.
func TestDraw(t *testing.T) {
	dir, _ := runDir(t)
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	table, err := compare.Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := drawGroups(&b, table.Groups); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.Trim(b.String(), "\n"), "\n")
	rows := table.Groups[0].Rows
	if len(lines) != 1+len(rows) {
		t.Fatalf("%d lines for %d models:\n%s", len(lines), len(rows), &b)
	}
	last := 1 << 30
	for i, r := range rows {
		at := strings.IndexRune(strings.ReplaceAll(lines[1+i], "─", "-"), '●')
		if !strings.HasPrefix(lines[1+i], r.Label) || at < 0 || at > last {
			t.Errorf("%s: %q", r.Label, lines[1+i])
		}
		last = at
	}
	b.Reset()
	cell := rows[0].Results()[0]
	if err := drawCell(&b, rec, &cell); err != nil || strings.Count(b.String(), "▁") < 5 {
		t.Errorf("%v\n%s", err, &b)
	}
}

// TestDrawCurves: the values .5, .75 and 1 of one model and .5, undefined, 1 of another, in eighths of the range.
func TestDrawCurves(t *testing.T) {
	p := &compare.Pivot{Metric: "auroc", Down: "model", Across: "contamination", Rows: []string{"a", "bb"},
		Columns: []string{"0", "0.01", "0.1"}, Cells: make([][]compare.PivotCell, 2)}
	for i, means := range [][]float64{{1, 0.75, 0.5}, {0.5, math.NaN(), 1}} {
		for _, m := range means {
			p.Cells[i] = append(p.Cells[i], compare.PivotCell{Value: compare.Value{Mean: m}})
		}
	}
	classes := *p
	classes.Across = "class"
	var b bytes.Buffer
	if err := drawCurves(&b, []*compare.Pivot{&classes, p}); err != nil {
		t.Fatal(err)
	}
	want := "\ncontamination  auroc from 0 to 0.1, bars from 0.5000 to 1.0000\na              █▅▁\nbb             ▁ █\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
