package runs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/data/cache"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// TestNativeModels: where steps are native, models that take missing values and categories get them beside others that
// get them filled and one-hot encoded, also from the cache; their cells hold the preprocessing that they had.
func TestNativeModels(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(3, 3))
	for _, part := range []string{"train", "test"} {
		var b strings.Builder
		b.WriteString("kind,size,label\n")
		for i := range 600 {
			kind, size, label := fmt.Sprintf("k%d", r.IntN(8)), fmt.Sprintf("%.3f", r.NormFloat64()), "ok"
			if i%3 == 0 {
				kind, label = fmt.Sprintf("k%d", 2*r.IntN(4)), "bad"
				if r.IntN(3) > 0 {
					size = ""
				}
			}
			fmt.Fprintf(&b, "%s,%s,%s\n", kind, size, label)
		}
		if err := os.WriteFile(filepath.Join(dir, part+".csv"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf(`
name: native
data:
  - name: rows
    format: delimited
    files: {train: [%s/train.csv], test: [%s/test.csv]}
    label: {column: label, benign: [ok]}
    options: {header: true, types: {kind: category, label: category}}
    split: {kind: official, attacks: split}
prep: [{step: impute, native: true}, {step: onehot, native: true}]
models:
  - boosting
  - tree
  - znorm
  - {model: stacking, params: {base: [boosting, tree], folds: 2}}
bootstrap: 0
`, dir, dir)
	store := &cache.Store{Dir: filepath.Join(dir, "cache"), Limit: 1 << 30}
	var sums []string
	for range 2 {
		out := runSmall(t, text, Options{Cache: store})
		for _, c := range out.Results {
			native := c.Model == "boosting" || c.Model == "stacking"
			want := map[bool]string{true: "native vectors", false: "vectors"}[native]
			if c.Status != record.OK || c.Input != want || c.Features != map[bool]int{true: 2, false: 9}[native] {
				t.Errorf("%s: %s %s, %d columns of %s", c.Model, c.Status, c.Error, c.Features, c.Input)
			}
			if native {
				sums = append(sums, c.TestSHA256)
				if c.Metric("auroc") < 0.85 {
					t.Errorf("AUROC %v", c.Metric("auroc"))
				}
			}
			b, err := bundle.Open(filepath.Join(out.Dir, filepath.FromSlash(c.Cell)))
			if err != nil || b.Pipeline.Width() != c.Features {
				t.Errorf("%s: bundle: %v", c.Model, err)
			}
		}
		v, err := Verify(context.Background(), out.Dir, experiment.LoadOptions{Builtin: configs.Files})
		if err != nil || len(v.Faults) > 0 {
			t.Errorf("verify: %v, %v", v, err)
		}
	}
	if len(slices.Compact(sums)) != 1 || sums[0] == "" {
		t.Errorf("test rows %v", sums)
	}
}
