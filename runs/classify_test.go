package runs

import (
	"math"
	"testing"

	"plumbline/eval"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// TestClassifiers: classifiers are judged by their classes, for one class of attacks and for several, and where hosts
// are the units; what the class metrics say follows from the confusion matrix beside them. Other models have none.
func TestClassifiers(t *testing.T) {
	models := `models=[znorm, tree, {model: tree, label: families, params: {target: class, max_depth: 6}},` +
		` {model: bagging, params: {models: 3}}]`
	for unit, overrides := range map[string][]string{"flow": {}, "host": {"+unit=host"}} {
		t.Run(unit, func(t *testing.T) {
			overrides = append(overrides, models, "seeds=[1]", "+split={kind: random, attacks: split, validation: 0.1}")
			out := runSmall(t, runstest.Small, Options{}, overrides...)
			for _, r := range out.Results {
				if r.Status != record.OK {
					t.Fatalf("%s: %s", r.Label, r.Error)
				}
				var m eval.Metrics
				if err := record.ReadJSON(out.Dir, r.Cell+"/metrics.json", &m); err != nil {
					t.Fatal(err)
				}
				c := m.Classification
				if r.Label == "znorm" {
					if c != nil || !math.IsNaN(r.Metric("brier")) {
						t.Errorf("a model without labels has class metrics: %+v", c)
					}
					continue
				}
				if c == nil {
					t.Fatalf("%s has no class metrics", r.Label)
				}
				classes, right, all := len(c.Classes), 0, 0
				for k, row := range c.Confusion {
					right += row[k]
					for _, n := range row {
						all += n
					}
				}
				if several := r.Label == "families" && unit == "flow"; several != (classes > 2) {
					t.Errorf("%s: classes %v", r.Label, c.Classes)
				}
				if all != r.Test || r.Metric("micro_f1") != float64(right)/float64(all) || !(r.Metric("brier") < 0.25) ||
					unit == "flow" && !(r.Metric("macro_f1") > 0.5) {
					t.Errorf("%s: %d of %d called right, %+v", r.Label, right, all, r.Metrics)
				}
			}
		})
	}
}
