package eval

import (
	"encoding/json"
	"math"
	"testing"
)

// TestSummariseWithoutLabels: of scores alone there is the threshold, what it flags, and nothing that needs labels.
func TestSummariseWithoutLabels(t *testing.T) {
	m, err := Summarise([]float64{1, 5, 2, 2, 7}, Truth{}, 2, 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(m)
	var back Metrics
	if err == nil {
		err = json.Unmarshal(raw, &back)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Metrics{m, &back} {
		if !m.Unlabelled || m.Samples != 5 || m.Confusion != (Confusion{}) {
			t.Errorf("%+v", m)
		}
		for name, v := range m.Values {
			want, ok := map[string]float64{"threshold": 2, "alarms": 0.4, "distinct_scores": 4}[name]
			if ok != !math.IsNaN(v) || ok && v != want {
				t.Errorf("%s is %v", name, v)
			}
		}
	}
	if m, err := Summarise([]float64{1, 5}, Truth{}, math.NaN(), 0, 1); err != nil || !math.IsNaN(m.Value("alarms")) ||
		len(m.Warnings) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = Summarise([]float64{3, 5}, Truth{}, 1, 0, 1)
	if err != nil || m.Value("alarms") != 1 || len(m.Warnings) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := Summarise([]float64{3, math.NaN()}, Truth{}, 1, 0, 1); err == nil {
		t.Error("a score that is no number")
	}
	// with labels it is the share of all units that are flagged
	if m, err := Summarise([]float64{1, 5, 2, 2, 7}, Truth{Attack: []bool{false, false, true, false, true},
		Class: make([]uint32, 5), Names: []string{"x"}}, 2, 0, 1); err != nil || m.Value("alarms") != 0.4 {
		t.Errorf("%+v, %v", m, err)
	}
}
