package compare

import (
	"strings"
	"testing"

	"plumbline/eval"
	"plumbline/runs/record"
)

// TestOperatingPoints: what a metric depends on is told where the runs agree, and warned of where they do not.
func TestOperatingPoints(t *testing.T) {
	one := &record.Record{Operating: map[string]string{"fpr": "0.01", "prevalence": "0.002", "gap": "9m"}}
	two := &record.Record{Operating: map[string]string{"fpr": "0.2", "prevalence": "0.002", "gap": "9m"}}
	old := &record.Record{} // its experiment does not say
	for _, test := range []struct {
		metrics       []string
		records       []*record.Record
		note, warning string
	}{
		{[]string{"auroc", "f1"}, []*record.Record{one, two}, "", ""},
		{[]string{"auroc", "precision_at_fpr", "recall_at_fpr"}, []*record.Record{one, old},
			"operating points: fpr 0.01, prevalence 0.002", ""},
		{[]string{"recall_at_fpr", "event_recall", "precision_at_fpr"}, []*record.Record{one, two},
			"operating points: gap 9m, prevalence 0.002",
			"operating points differ from run to run (fpr 0.01 or 0.2): recall_at_fpr, precision_at_fpr do not compare"},
		{[]string{"cost"}, []*record.Record{old}, "", ""},
	} {
		note, warning := operatingPoints(test.metrics, test.records)
		if note != test.note || warning != test.warning {
			t.Errorf("%v: %q, %q", test.metrics, note, warning)
		}
	}
	for m := range operatingOf {
		if _, ok := eval.MetricNamed(m); !ok {
			t.Errorf("%s is no metric", m)
		}
	}
	for _, m := range eval.MetricNames() {
		about, _ := eval.MetricNamed(m)
		if strings.Contains(about.Doc, "stated") && operatingOf[m] == nil && m != "precision_at_fpr" {
			t.Errorf("%s depends on what is stated somewhere (%s), and no note says where", m, about.Doc)
		}
		if strings.HasPrefix(m, "oracle") != strings.HasPrefix(eval.TitleOf(m), "oracle") {
			t.Errorf("%s has the head %q", m, eval.TitleOf(m))
		}
	}
}
