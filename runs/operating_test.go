package runs

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"plumbline/eval"
	"plumbline/runs/record"
)

// TestOperatingPoints: a cell's metrics have the operating points of the file, and follow its settings.
func TestOperatingPoints(t *testing.T) {
	const file = "name: points\ndata: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]\nmodels: [znorm, tree]\n" +
		"controls: off\nbootstrap: 0\nsplit: {kind: random, attacks: split}\n"
	read := func(text string) map[string]*eval.Metrics {
		out := runSmall(t, file+text, Options{})
		got := map[string]*eval.Metrics{}
		for _, r := range out.Results {
			var m eval.Metrics
			if err := record.ReadJSON(out.Dir, r.Cell+"/metrics.json", &m); err != nil {
				t.Fatal(err)
			}
			got[r.Label] = &m
			if _, err := os.Stat(filepath.Join(out.Dir, r.Cell, "threshold.json")); err != nil {
				t.Error(err)
			}
		}
		return got
	}
	if m := read("")["znorm"]; !math.IsNaN(m.Value("spot_fpr")) || math.IsNaN(m.Value("conformal_recall")) {
		t.Error("SPOT is taken without being asked for, or conformal p-values are not")
	}
	standard := read("operating: {spot: 0.001}\n")["znorm"]
	for _, k := range eval.MetricTable() {
		switch k.Name {
		case "recall_at_fpr", "precision_at_fpr", "precision_at_prevalence", "alerts_per_day", "recall_at_alerts", "cost",
			"oracle_cost", "conformal_recall", "spot_recall", "spot_fpr", "events", "event_recall", "point_adjusted_f1",
			"point_adjusted_f1_random":
			if math.IsNaN(standard.Value(k.Name)) {
				t.Errorf("no %s", k.Name)
			}
		}
	}
	if got, want := standard.Value("recall_at_fpr"), standard.Value("tpr_at_1fpr"); got != want {
		t.Errorf("recall at 1 %%: %v and %v", got, want)
	}
	c := standard.Confusion
	want := 0.01 * c.Recall() / (0.01*c.Recall() + 0.99*c.FPR())
	if got := standard.Value("precision_at_prevalence"); math.Abs(got-want) > 1e-12 {
		t.Errorf("precision at 1 %%: %v, want %v", got, want)
	}
	if got, lowest := standard.Value("cost"), standard.Value("oracle_cost"); got < lowest {
		t.Errorf("cost %v is below the lowest, %v", got, lowest)
	}
	// half a day of flows
	if days := float64(c.TP+c.FP) / standard.Value("alerts_per_day"); days < 0.4 || days > 0.51 {
		t.Errorf("the test has %v days", days)
	}
	other := read("operating: {fpr: 0.001, prevalence: 0.2, alerts: 1000000, gap: 1000h, costs: {alarm: 1, miss: 4}}\n" +
		"threshold: {rule: cost, value: 4}\n")
	m := other["znorm"]
	if got, want := m.Value("recall_at_fpr"), m.Value("tpr_at_01fpr"); got != want {
		t.Errorf("recall at 0.1 %%: %v and %v", got, want)
	}
	if m.Value("recall_at_alerts") != 1 || !(m.Value("oracle_cost") < 0.8) || !math.IsNaN(m.Value("threshold")) {
		t.Errorf("%v", m.Values)
	}
	m = other["tree"]
	if m.Value("threshold") != 0.2 || !(m.Value("cost") < 0.2) {
		t.Errorf("a classifier: %v", m.Values)
	}
	// without gaps there is one event for each class and source at most
	if few, many := m.Value("events"), standard.Value("events"); !(few > 0 && few <= many) {
		t.Errorf("%v events without gaps, %v with", few, many)
	}
}
