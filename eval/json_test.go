package eval

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v    float64
		text string
	}{{1.5, "1.5"}, {math.NaN(), "null"}, {math.Inf(1), "null"}, {math.Inf(-1), "null"}, {0.1, "0.1"}} {
		raw, err := json.Marshal(Number(c.v))
		if err != nil || string(raw) != c.text {
			t.Errorf("%v as %s, %v", c.v, raw, err)
		}
	}
	var v []Number
	if err := json.Unmarshal([]byte("[2, null]"), &v); err != nil || v[0] != 2 || !math.IsNaN(float64(v[1])) {
		t.Errorf("%v, %v", v, err)
	}
	if err := json.Unmarshal([]byte(`["x"]`), &v); err == nil {
		t.Error("a text is taken for a number")
	}
}

// TestUndefinedIsNull: what is written with NaN is null, and read back it is NaN again, also where a key is absent.
func TestUndefinedIsNull(t *testing.T) {
	nan := math.NaN()
	for _, v := range []any{
		&ClassMetrics{Class: "a", Samples: 3, Recall: nan, AUROC: 0.5},
		&Interval{nan, 2},
		&Repeats{N: 2, Over: "seeds", Mean: nan, SD: 1, Interval: noInterval, Warnings: []string{"w"}},
		&ClusterMetric{Cluster: 1, AUROC: nan, AUPRC: 0.25},
		&ClusterMetrics{
			Clusters:      []ClusterMetric{{AUROC: nan, AUPRC: nan}},
			WeightedAUROC: nan, WeightedAUPRC: 1, ZeroFilledAUROC: nan,
		},
	} {
		raw, err := json.Marshal(v)
		if err != nil || !strings.Contains(string(raw), "null") || strings.Contains(string(raw), "NaN") {
			t.Errorf("%T as %s, %v", v, raw, err)
		}
		into := reflect.New(reflect.TypeOf(v).Elem())
		if err := json.Unmarshal(raw, into.Interface()); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(into.Interface())
		if err != nil || string(again) != string(raw) {
			t.Errorf("%s is read as %s, %v", raw, again, err)
		}
	}
	var i Interval
	if err := json.Unmarshal([]byte(`{"low": 1}`), &i); err != nil || i.Low != 1 || !math.IsNaN(i.High) {
		t.Errorf("%v, %v", i, err)
	}
	for _, v := range []any{Difference{P: nan}, Ranks{P: nan}, Test{P: nan, Warnings: []string{"few"}}} {
		raw, err := json.Marshal(v)
		if err != nil || !strings.Contains(string(raw), `"p":null`) || !json.Valid(raw) {
			t.Errorf("%s, %v", raw, err)
		}
	}
}

// TestMetricsJSON: the keys of metrics.json in their order, and back.
func TestMetricsJSON(t *testing.T) {
	truth := Truth{
		Attack: []bool{false, true, false, true}, Class: []uint32{0, 1, 0, 1}, Names: []string{"benign", "scan"},
	}
	m, err := Summarise([]float64{1, 3, 2, 2}, truth, math.NaN(), 50, 1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	depth := 0
	for prev := json.Token(nil); dec.More() || depth > 0; {
		token, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch d, _ := token.(json.Delim); {
		case d == '{' || d == '[':
			depth++
		case d == '}' || d == ']':
			depth--
		case depth == 1 && prev != json.Token("key"):
			if s, ok := token.(string); ok {
				keys = append(keys, s)
				token = json.Token("key")
			}
		}
		prev = token
	}
	want := []string{
		"samples", "attacks", "prevalence", "auroc", "auroc_interval", "auprc", "auprc_interval", "fpr_at_95tpr",
		"tpr_at_1fpr", "tpr_at_01fpr", "partial_auroc", "prauc_trapezoid", "oracle_f1", "oracle_threshold",
		"threshold", "confusion", "accuracy",
		"balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "distinct_scores", "classes", "warnings",
	}
	at := -1
	for _, k := range want { // other metrics may stand between them
		i := slices.Index(keys, k)
		if i <= at {
			t.Errorf("key %q stands at %d of %q", k, i, keys)
		}
		at = i
	}
	var back Metrics
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(raw) {
		t.Errorf("%s\nis read as\n%s, %v", raw, again, err)
	}
	near(t, "AUROC read back", back.Value("auroc"), m.Value("auroc"), 0)
	near(t, "F1 read back", back.Value("f1"), math.NaN(), 0)
	if back.Interval("auroc") != m.Interval("auroc") {
		t.Errorf("%+v", back)
	}
	err = json.Unmarshal([]byte(`{"samples": 3, "auroc": 0.5}`), &back)
	if err != nil || back.Samples != 3 || !math.IsNaN(back.Value("auprc")) {
		t.Errorf("%+v, %v", back, err)
	}
	for _, bad := range []string{`[]`, `{"auroc": "x"}`, `{"samples": 1.5}`, `{"auroc_interval": 3}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestMetricTable: names are unique, ranges and directions make sense, and values of random scores keep to them.
func TestMetricTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range MetricTable() {
		if seen[m.Name] || m.Title == "" || m.Doc == "" || strings.HasSuffix(m.Doc, ".") || m.Range.Low >= m.Range.High {
			t.Errorf("%+v", m)
		}
		seen[m.Name] = true
		if got, ok := MetricNamed(m.Name); !ok || got.Title != m.Title {
			t.Errorf("%s is not found by its name", m.Name)
		}
	}
	if _, ok := MetricNamed("auc"); ok || len(MetricNames()) != len(seen) {
		t.Error("a metric of no name is found")
	}
	if f, _ := MetricNamed("fit_seconds"); f.Measured() || f.Better != Lower {
		t.Errorf("%+v", f)
	}
	truth := Truth{Attack: []bool{false, true, false, true, true, false}}
	m, err := Summarise([]float64{1, 4, 2, 2, 7, 3}, truth, 2.5, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Classify([]string{"benign", "attack"},
		[][]float64{{0.9, 0.1}, {0, 1}, {1, 0}, {1, 0}, {0, 1}, {1, 0}}, truth)
	if err != nil {
		t.Fatal(err)
	}
	m.Classify(c)
	for _, k := range keptByRunner { // what runs a model measures them
		m.Values[k.Name] = 0.5
	}
	for _, k := range MetricTable() {
		v := m.Value(k.Name)
		if k.Measured() && (v < k.Range.Low || v > k.Range.High || math.IsNaN(v)) || !k.Measured() && !math.IsNaN(v) {
			t.Errorf("%s = %v", k.Name, v)
		}
	}
	if m.Interval("f1").Defined() || m.Interval("auroc").Defined() {
		t.Error("there is an interval that nobody asked for")
	}
}
