package runs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"plumbline/runs/record"
)

// TestReconstructionErrors: metrics.json of models that rebuild rows has the mean and the median error of validation,
// benign and attack rows, that of others has none.
func TestReconstructionErrors(t *testing.T) {
	const text = `
name: rebuilt
data: [{data: synth, options: {hosts: 8, hours: 20, rate: 4}}]
models:
  - {model: ae, params: {epochs: 2}}
  - {model: sae, params: {epochs: 2}}
  - {model: cae, params: {epochs: 2}}
  - {model: ksae, params: {base: {model: ae, params: {epochs: 2}}, adjust_epochs: false}}
  - pca
  - {model: pca, label: points, params: {weighted: true}}
  - znorm
bootstrap: 0
audit: off
`
	out := runSmall(t, text, Options{})
	for _, r := range out.Results {
		if r.Status != record.OK {
			t.Errorf("%s: %s", r.Label, r.Error)
			continue
		}
		raw, err := os.ReadFile(filepath.Join(out.Dir, filepath.FromSlash(r.Cell), "metrics.json"))
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		rebuilds := r.Label != "points" && r.Label != "znorm"
		for _, of := range []string{"valid", "benign", "attack"} {
			for _, how := range []string{"mean", "median"} {
				name := "re_" + of + "_" + how
				v, ok := m[name].(float64)
				if ok != rebuilds || ok && !(v >= 0) {
					t.Errorf("%s: %s is %v", r.Label, name, m[name])
				}
			}
		}
		if rebuilds && !(m["re_attack_mean"].(float64) > m["re_benign_median"].(float64)) {
			t.Errorf("%s: attacks are rebuilt as well as benign rows: %v, %v", r.Label, m["re_attack_mean"],
				m["re_benign_median"])
		}
	}
}
