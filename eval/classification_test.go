package eval

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// classifications are class probabilities with what scikit-learn 1.2.1 says of them: testdata/classification.py.
type classifications struct {
	Cases []struct {
		Name                  string
		Known, Classes        []string
		Y                     []uint32
		P                     [][]float64
		Confusion             [][]int
		Precision, Recall, F1 []float64
		Support               []int
		Macro, Micro          []float64
		BalancedAccuracy      float64 `json:"balanced_accuracy"`
		Brier                 float64
		LogLoss               float64 `json:"log_loss"`
		ClassLogLoss          float64 `json:"class_log_loss"`
		ClassBrier            float64 `json:"class_brier"`
	}
}

// truthOf is classes as the truth of units; class 0 is benign.
func truthOf(y []uint32, names []string) Truth {
	t := Truth{Class: y, Names: names}
	for _, c := range y {
		t.Attack = append(t.Attack, c > 0)
	}
	return t
}

// TestClassifyScikitLearn: matrices, averages and losses of scikit-learn 1.2.1, for two classes and for families, with
// classes that the classifier does not know, that are absent, and with equal probabilities.
func TestClassifyScikitLearn(t *testing.T) {
	raw, err := os.ReadFile("testdata/classification.json")
	var f classifications
	if err == nil {
		err = json.Unmarshal(raw, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		t.Run(c.Name, func(t *testing.T) {
			got, err := Classify(c.Known, c.P, truthOf(c.Y, c.Classes))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Classes, c.Classes) || !reflect.DeepEqual(got.Confusion, c.Confusion) {
				t.Fatalf("classes %v, confusion %v; want %v, %v", got.Classes, got.Confusion, c.Classes, c.Confusion)
			}
			for k, one := range got.PerClass {
				if one.Samples != c.Support[k] {
					t.Errorf("%s has %d units, want %d", one.Class, one.Samples, c.Support[k])
				}
				near(t, "precision", zeroed(one.Precision), c.Precision[k], 1e-12)
				near(t, "recall", zeroed(one.Recall), c.Recall[k], 1e-12)
				near(t, "F1", zeroed(one.F1), c.F1[k], 1e-12)
			}
			near(t, "macro precision", got.MacroPrecision, c.Macro[0], 1e-12)
			near(t, "macro recall", got.MacroRecall, c.Macro[1], 1e-12)
			near(t, "macro F1", got.MacroF1, c.Macro[2], 1e-12)
			for _, micro := range c.Micro {
				near(t, "micro", got.MicroF1, micro, 1e-12)
			}
			near(t, "balanced accuracy", got.BalancedAccuracy, c.BalancedAccuracy, 1e-12)
			near(t, "Brier", got.AttackBrier, c.Brier, 1e-12)
			near(t, "log loss", got.AttackLogLoss, c.LogLoss, 1e-9)
			near(t, "class log loss", got.ClassLogLoss, c.ClassLogLoss, 1e-9)
			near(t, "class Brier", got.ClassBrier, c.ClassBrier, 1e-12)
			if unknown := c.Classes[len(c.Known):]; !slices.Equal(got.Unknown, unknown) && len(unknown) > 0 {
				t.Errorf("unknown classes %v, want %v", got.Unknown, unknown)
			}
		})
	}
}

// TestClassifyMetrics: what Classify adds stands in the table's metrics and in metrics.json, which is read back as it
// was; other models have none of it.
func TestClassifyMetrics(t *testing.T) {
	truth := truthOf([]uint32{0, 0, 1, 2, 3, 1}, []string{"normal", "dos", "scan", "worm"})
	p := [][]float64{{0.7, 0.2, 0.1}, {0.2, 0.5, 0.3}, {0.1, 0.8, 0.1}, {0.4, 0.1, 0.5}, {0.6, 0.3, 0.1}, {0.5, 0.5, 0}}
	scores := []float64{0.3, 0.8, 0.9, 0.6, 0.4, 0.5}
	m, err := Summarise(scores, truth, 0.55, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := json.Marshal(m); err != nil || strings.Contains(string(plain), "brier") {
		t.Errorf("metrics of a model without probabilities: %s, %v", plain, err)
	}
	c, err := Classify([]string{"benign", "dos", "scan"}, p, truth)
	if err != nil {
		t.Fatal(err)
	}
	m.Classify(c)
	// by hand: called benign, dos, dos, scan, benign, benign (a tie goes to the first)
	want := [][]int{{1, 1, 0, 0}, {1, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 0}}
	if !reflect.DeepEqual(c.Confusion, want) || !slices.Equal(c.Unknown, []string{"worm"}) {
		t.Errorf("confusion %v, unknown %v", c.Confusion, c.Unknown)
	}
	near(t, "micro F1", m.Value("micro_f1"), 3.0/6, 1e-15)
	near(t, "macro recall", m.Value("macro_recall"), (0.5+0.5+1+0)/4, 1e-15)
	near(t, "macro precision", m.Value("macro_precision"), (1.0/3+0.5+1+0)/4, 1e-15)
	near(t, "Brier", m.Value("brier"), (0.09+0.64+0.01+0.16+0.36+0.25)/6, 1e-15)
	if !strings.Contains(strings.Join(m.Warnings, "\n"), "1 test units are of 1 classes") {
		t.Errorf("warnings %q", m.Warnings)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back Metrics
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(raw) {
		t.Errorf("%s\nis read as\n%s, %v", raw, again, err)
	}
	for _, k := range MetricTable() {
		if slices.ContainsFunc(keptByRunner, func(r Metric) bool { return r.Name == k.Name }) {
			continue // of what runs a model
		}
		if v := m.Value(k.Name); k.Measured() && (v < k.Range.Low || v > k.Range.High || math.IsNaN(v)) {
			t.Errorf("%s = %v", k.Name, v)
		}
	}
}

// TestClassifyRefuses: what does not fit is an error.
func TestClassifyRefuses(t *testing.T) {
	good, truth := [][]float64{{0.5, 0.5}}, Truth{Attack: []bool{true}}
	three := []string{"benign", "a", "b"}
	for name, err := range map[string]error{
		"more labels": second(Classify([]string{"benign", "attack"}, good, Truth{Attack: []bool{true, false}})),
		"one class":   second(Classify([]string{"benign"}, [][]float64{{1}}, truth)),
		"a short row": second(Classify(three, good, truth)),
		"NaN":         second(Classify([]string{"benign", "attack"}, [][]float64{{math.NaN(), 1}}, truth)),
		"above 1":     second(Classify([]string{"benign", "attack"}, [][]float64{{0, 1.5}}, truth)),
		"no classes":  second(Classify(three, [][]float64{{0.5, 0.5, 0}}, truth)),
		"a class too far": second(Classify(three, [][]float64{{0.5, 0.5, 0}},
			Truth{Attack: []bool{true}, Class: []uint32{9}})),
	} {
		if !errors.Is(err, ErrScores) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := Classify([]string{"benign", "dos"}, good, truth) // two classes need no names
	if err != nil || c.Confusion[1][0] != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err = Classify(three, nil, Truth{Class: []uint32{}}); err != nil || !math.IsNaN(c.MicroF1) {
		t.Errorf("no units: %+v, %v", c, err)
	}
}
