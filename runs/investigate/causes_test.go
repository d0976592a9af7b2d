package investigate

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plumbline/runs/record"
)

// planted writes a table of benign rows whose five columns are normal, the last two nearly equal, and of attacks of
// three kinds that stand out in a known column: a is high, c is low, and e differs from d though either alone is
// ordinary.
func planted(t *testing.T) string {
	t.Helper()
	r := rand.New(rand.NewPCG(4, 4))
	var b strings.Builder
	b.WriteString("a,b,c,d,e,label\n")
	for i := range 1600 {
		v := [5]float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		v[4] = v[3] + 0.05*r.NormFloat64()
		label := "ok"
		if i%20 == 19 {
			switch label = []string{"high a", "low c", "split e"}[i/20%3]; label {
			case "high a":
				v[0] = 9
			case "low c":
				v[2] = -9
			default:
				v[3], v[4] = 1.2, -1.2
			}
		}
		fmt.Fprintf(&b, "%.5f,%.5f,%.5f,%.5f,%.5f,%s\n", v[0], v[1], v[2], v[3], v[4], label)
	}
	file := filepath.Join(t.TempDir(), "planted.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPlantedCauses: the flows of attacks whose column is known are sorted under it, by models that give reasons
// themselves and by models that are asked by replacing columns; what a model expects stands beside what there is.
func TestPlantedCauses(t *testing.T) {
	text := `
name: planted
data:
  - name: planted
    format: delimited
    files: {train: [` + planted(t) + `]}
    options: {header: true}
    label: {column: label, benign: [ok]}
    split: {kind: random, attacks: split, validation: 0.2, test: 0.5}
    prep: [{step: scale, kind: zscore}]
models: [iforest, mahalanobis, {model: pca, params: {components: 1}}, ae, ocsvm, knn, kde, boosting, random_forest, svm,
  logistic, bagging]
seeds: [1]
`
	columns := map[string][]string{"high a": {"a"}, "low c": {"c"}, "split e": {"d", "e"}}
	expecting := []string{"mahalanobis", "pca", "ae", "knn"}
	// what cannot see that two columns part: cuts along columns, and sums over columns
	apart := []string{"mahalanobis", "ocsvm", "knn", "boosting", "random_forest", "bagging"}
	out := runSmall(t, text)
	for _, r := range out.Results {
		if r.Status != record.OK {
			t.Fatalf("%s: %s", r.Label, r.Error)
		}
		inv, err := investigate(out.Dir, r.Cell, true)
		if err != nil {
			t.Fatalf("%s: %v", r.Label, err)
		}
		right, all := map[string]int{}, map[string]int{}
		for _, g := range inv.Groups {
			for _, f := range g.Flows {
				want, attack := columns[f.Class]
				if !attack {
					continue
				}
				all[f.Class]++
				if slices.Contains(want, g.Cause) {
					right[f.Class]++
				}
				actual, _ := strconv.ParseFloat(f.Actual, 64)
				expected, err := strconv.ParseFloat(f.Expected, 64)
				if known := err == nil; known != slices.Contains(expecting, r.Label) {
					t.Fatalf("%s: actual %q, expected %q", r.Label, f.Actual, f.Expected)
				} else if known && g.Cause == "a" && f.Class == "high a" && !(actual > 5 && math.Abs(expected) < actual-3) {
					t.Errorf("%s: a is %v, and %v is expected", r.Label, actual, expected)
				}
			}
		}
		for class, n := range all {
			if class == "split e" && !slices.Contains(apart, r.Label) {
				continue
			}
			if n < 10 || float64(right[class]) < 0.9*float64(n) {
				t.Errorf("%s: %d of %d %s have their column for their cause", r.Label, right[class], n, class)
			}
		}
		raw, err := os.Open(filepath.Join(out.Dir, r.Cell, "investigation.csv"))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(raw).ReadAll()
		raw.Close()
		if err != nil || !slices.Equal(lines[0][9:11], []string{"actual", "expected"}) || len(lines) != inv.Alarms+1 {
			t.Errorf("%s: investigation.csv: %v, %d lines, %v", r.Label, lines[0], len(lines), err)
		}
	}
}
