package runs

import (
	"context"
	"testing"

	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// TestVariedRuns: along an axis the training rows differ and the test rows do not, and the manifest says what was
// varied. A supervised model sees wrong truths as well.
func TestVariedRuns(t *testing.T) {
	for _, axis := range []string{"{label_noise: [0, 0.3]}", "{training: [1, 0.2]}", "{attack_copies: [1, 3]}"} {
		e := runstest.Load(t, `
name: varied
data: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]
models: [znorm, logistic]
split: {kind: random, attacks: split, contamination: 0.02}
bootstrap: 0
audit: off
vary: `+axis)
		o, err := Run(context.Background(), e, Options{Root: t.TempDir()})
		if err != nil || o.Failed > 0 {
			t.Fatal(err, o)
		}
		by := map[string][]record.Result{}
		for _, r := range o.Results {
			by[r.Label] = append(by[r.Label], r)
		}
		for label, r := range by {
			if len(r) != 2 || r[0].TestSHA256 == "" || r[0].Test != r[1].Test {
				t.Fatalf("%s %s: %+v", axis, label, r)
			}
			if r[0].Metric("auroc") == r[1].Metric("auroc") {
				t.Errorf("%s: %s is the same for both values", axis, label)
			}
		}
		var m record.Manifest
		if err := record.ReadJSON(o.Dir, "manifest.json", &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Data) != 2 || m.Data[1].Axis == nil || m.Data[1].Axis.Of != "synth" {
			t.Errorf("%s: %+v", axis, m.Data)
		}
		if _, err := record.Open(o.Dir); err != nil {
			t.Error(err)
		}
	}
}
