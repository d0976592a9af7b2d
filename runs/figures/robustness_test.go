package figures

import (
	"strings"
	"testing"

	"plumbline/eval"
	"plumbline/runs/compare"
)

// TestAlong: a model's values against the axis with their band, in a table that repeats them; a model without
// intervals has no band, and what has one value or none is not drawn.
func TestAlong(t *testing.T) {
	cell := func(mean, low, high float64) compare.PivotCell {
		return compare.PivotCell{Value: compare.Value{Mean: mean, Interval: eval.Interval{Low: low, High: high}}}
	}
	p := &compare.Pivot{Metric: "auroc", Title: "AUROC, a, unit flow, by contamination",
		Columns: []string{"0", "0.05", "0.1"}, Rows: []string{"iforest", "ae"}, Cells: [][]compare.PivotCell{
			{cell(0.95, 0.94, 0.96), cell(0.91, 0.9, 0.92), cell(0.85, 0.8, 0.9)},
			{cell(0.9, 0.9, 0.9), cell(0.7, 0.7, 0.7), cell(0.6, 0.6, 0.6)},
		}}
	f := along(p, "contamination", 500)
	if f == nil {
		t.Fatal("no figure")
	}
	var csv, svg strings.Builder
	if err := f.CSV(&csv); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(&svg, "svg"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"contamination", "iforest", "ae", "0.05", "0.91", "0.92", "0.6"} {
		if !strings.Contains(csv.String(), want) {
			t.Errorf("no %s in %s", want, csv.String())
		}
	}
	if !strings.Contains(svg.String(), "by contamination") {
		t.Error("no title")
	}
	p.Columns = p.Columns[:1]
	if along(p, "contamination", 500) != nil {
		t.Error("one value is drawn")
	}
}
