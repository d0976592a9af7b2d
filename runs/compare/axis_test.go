package compare

import (
	"slices"
	"strings"
	"testing"

	"plumbline/runs/record"
)

// TestCurve: data sets of one axis are a table with its values in their order, one for each data set that is varied.
func TestCurve(t *testing.T) {
	row := func(mean float64) []Row {
		return []Row{{Label: "iforest", OK: 1, Cells: 1, Main: Value{Mean: mean, N: 1}}}
	}
	c := &Comparison{Metric: "auroc", axes: map[string]record.Axis{}}
	for _, d := range []struct {
		name, of string
		value    float64
	}{{"a-training-1", "a", 1}, {"b-training-1", "b", 1}, {"a-training-0.05", "a", 0.05}, {"plain", "", 0}} {
		c.Groups = append(c.Groups, Group{Data: d.name, Unit: "flow", Rows: row(d.value / 2)})
		if d.of != "" {
			c.axes[d.name] = record.Axis{Name: "training", Of: d.of, Value: d.value}
		}
	}
	tables, err := c.Pivot("model", "training")
	if err != nil || len(tables) != 2 {
		t.Fatal(err, len(tables))
	}
	p := tables[0]
	if !slices.Equal(p.Columns, []string{"0.05", "1"}) || p.Cells[0][0].Mean != 0.025 || p.Cells[0][1].Mean != 0.5 ||
		p.Across != "training" || !strings.Contains(p.Title, "a, unit flow, by training") {
		t.Errorf("%+v", p)
	}
	if _, err := c.Pivot("model", "contamination"); err == nil || !strings.Contains(err.Error(), "axis of robustness") {
		t.Error(err)
	}
}
