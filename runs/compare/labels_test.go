package compare

import (
	"strings"
	"testing"

	_ "plumbline/models/classic"
	_ "plumbline/models/supervised"
	"plumbline/runs/record"
)

// TestSawLabels: a table with a model that learns from labels says of each model what it saw; others do not.
func TestSawLabels(t *testing.T) {
	of := func(names ...string) string {
		c := &Comparison{Metric: "auroc"}
		g := Group{Data: "d", Unit: "flow"}
		for _, name := range names {
			cell := record.Result{Label: name, Model: name, Status: record.OK, Metrics: map[string]float64{"auroc": 0.9}}
			row := c.row([]member{{Result: cell}}, nil, 0)
			row.Label = name
			g.Rows = append(g.Rows, row)
		}
		c.Groups = []Group{g}
		var b strings.Builder
		if err := c.Render(&b, "table"); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if text := of("znorm", "tree"); !strings.Contains(text, "saw\n") || strings.Count(text, "labels") != 1 ||
		strings.Count(text, "benign") != 1 {
		t.Errorf("a tree and znorm:\n%s", text)
	}
	if text := of("znorm", "iforest"); strings.Contains(text, "saw") {
		t.Errorf("no model saw labels:\n%s", text)
	}
}
