package eval

import (
	"encoding/json"
	"math"
	"testing"
)

// FuzzMetricsJSON: whatever stands in a metrics.json is an error or is read, and what is read is written and read
// back the same.
func FuzzMetricsJSON(f *testing.F) {
	m, err := Summarise([]float64{1, 3, 2, 2}, Truth{Attack: []bool{false, true, false, true}}, 1.5, 20, 1)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"auroc": null, "auroc_interval": {"low": 1}, "classes": [{"class": "a"}], "samples": 2}`))
	f.Add([]byte(`{"auroc": 1e400}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m, back Metrics
		if json.Unmarshal(raw, &m) != nil {
			return
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again, err := json.Marshal(back); err != nil || string(again) != string(text) {
			t.Fatalf("%s is read back as %s, %v", text, again, err)
		}
	})
}

// FuzzThreshold: a rule gives a finite threshold or an error, never a panic, and fpr keeps what it was asked for.
func FuzzThreshold(f *testing.F) {
	f.Add("fpr", 0.1, []byte{1, 2, 3, 200})
	f.Add("pot", 0.001, []byte{0, 0, 0, 9, 255})
	f.Add("iqr", 1e300, []byte{1})
	f.Fuzz(func(t *testing.T, rule string, value float64, raw []byte) {
		scores := make([]float64, len(raw))
		for i, b := range raw {
			scores[i] = math.Ldexp(float64(int8(b)), int(b%64)*8-240)
		}
		at, _, err := ThresholdRule{rule, value}.Fit(scores)
		if err != nil {
			return
		}
		if math.IsNaN(at) || math.IsInf(at, 0) {
			t.Fatalf("%s %v gives %v", rule, value, at)
		}
		above := 0
		for _, s := range scores {
			if s > at {
				above++
			}
		}
		if rule == "fpr" && float64(above) > value*float64(len(scores))*(1+1e-9) {
			t.Fatalf("%d of %d above, asked for %v", above, len(scores), value)
		}
	})
}
