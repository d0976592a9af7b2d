package runs

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"plumbline/configs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// TestCoordinatesAndImportance: cells hold coordinates of a sample of the test rows, the same in all cells, with what
// the rows are; and what each model loses without each column, which for a model of one split is one column alone.
func TestCoordinatesAndImportance(t *testing.T) {
	if testing.Short() {
		t.Skip("values of several runs")
	}
	out := runSmall(t, runstest.Small, Options{}, "models=[one_rule, tree, iforest]", "seeds=[1, 2]",
		"+split={kind: random, attacks: split, validation: 0.1}", "prep=[impute, onehot]",
		"+keep={importance: 3, coordinates: {methods: [pca, tsne], rows: 150, perplexity: 10}}")
	var first []byte
	for _, r := range out.Results {
		if r.Status != record.OK {
			t.Fatalf("%s: %s", r.Label, r.Error)
		}
		folder := filepath.Join(out.Dir, filepath.FromSlash(r.Cell))
		raw, err := os.ReadFile(filepath.Join(folder, "coordinates.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = raw
		}
		if !bytes.Equal(raw, first) {
			t.Errorf("%s: other coordinates", r.Cell)
		}
		truth := map[string]string{}
		for _, line := range runstest.Scores(t, folder)[1:] {
			truth[line[0]] = map[string]string{"0": "benign", "1": "attack"}[line[3]]
		}
		lines, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil || len(lines) != 301 {
			t.Fatalf("%s: %d lines, %v", r.Cell, len(lines), err)
		}
		for _, line := range lines[1:] {
			x, err := strconv.ParseFloat(line[4], 64)
			if err != nil || x == 0 || truth[line[1]] != line[2] || line[3] == "" {
				t.Errorf("%v, which is %q", line, truth[line[1]])
			}
		}
		var i Importance
		if err := record.ReadJSON(out.Dir, r.Cell+"/importance.json", &i); err != nil {
			t.Fatal(err)
		}
		if i.Repeats != 3 || i.Rows != r.Test || float64(i.AUROC) != r.Metric("auroc") || len(i.Columns) < 4 {
			t.Errorf("%s: %+v", r.Cell, i)
		}
		lost := 0
		for _, c := range i.Columns {
			if c.Importance != 0 {
				lost++
			}
		}
		if top := i.Columns[0]; r.Model == "one_rule" && (lost != 1 || !(top.Importance > 0.1)) {
			t.Errorf("%s: %d columns count for a model of one, %+v", r.Cell, lost, top)
		}
	}
	v, err := Verify(context.Background(), out.Dir, experiment.LoadOptions{Builtin: configs.Files})
	if err != nil || len(v.Faults) > 0 {
		t.Errorf("verify: %+v, %v", v, err)
	}
	codes := runSmall(t, runstest.Small, Options{}, "models=[{model: ae, params: {epochs: 2}}, iforest]", "seeds=[1]",
		"prep=[impute, onehot]", "+split={kind: random, attacks: split, validation: 0.1}",
		"+keep={coordinates: {methods: [pca, latent], rows: 50, epochs: [0, 1]}}")
	for _, r := range codes.Results {
		raw, err := os.ReadFile(filepath.Join(codes.Dir, filepath.FromSlash(r.Cell), "coordinates.csv"))
		if err != nil {
			t.Fatal(err)
		}
		for method, want := range map[string]int{"pca,": 50, "latent@0,": 50, "latent@1,": 50, "latent,": 50} {
			if r.Model == "iforest" && method != "pca," {
				want = 0 // it has no codes
			}
			if n := bytes.Count(raw, []byte("\n"+method)); n != want {
				t.Errorf("%s: %d lines of %s want %d", r.Label, n, method, want)
			}
		}
	}
	again := runSmall(t, runstest.Small, Options{}, "models=[iforest]", "seeds=[1]", "prep=[impute, onehot]",
		"+split={kind: random, attacks: split, validation: 0.1}", "+keep={coordinates: [pca]}")
	pca, err := os.ReadFile(filepath.Join(again.Dir, filepath.FromSlash(again.Results[0].Cell), "coordinates.csv"))
	if err != nil || bytes.Count(pca, []byte("\n")) != 1+again.Results[0].Test {
		t.Errorf("all rows: %d lines, %v", bytes.Count(pca, []byte("\n")), err)
	}
}
