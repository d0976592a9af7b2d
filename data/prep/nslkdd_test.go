package prep_test

import (
	"context"
	"math"
	"os"
	"testing"

	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/prep"
	"plumbline/data/strictyaml"
)

// readConfig reads a data config of the project and, with it, the data.
func readConfig(tb testing.TB, name, folder string, change func(*data.Config)) (*data.Config, *data.Table) {
	tb.Helper()
	dir := datatest.Dir(tb, folder)
	file := "../../configs/data/" + name + ".yaml"
	raw, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := strictyaml.Parse(file, raw)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := data.DecodeConfig(doc)
	if err != nil {
		tb.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	t, _, err := data.Read(context.Background(), c, data.NewFinder(dir), 2)
	if err != nil {
		tb.Fatal(err)
	}
	return c, t
}

// TestReferenceMatrix holds the default preprocessing of NSL-KDD against check sums of the matrices that
// the reference AUROC values were computed on (scikit-learn 1.2.1 on the same steps, float64).
func TestReferenceMatrix(t *testing.T) {
	for _, c := range []struct {
		train                    string
		benign, d                int
		variance, sum, testTotal float64
	}{
		{"KDDTrain+.txt", 67343, 122, .0542053794305, 505702.4776, 183631.3542},
		{"KDDTrain+_20Percent.txt", 13449, 118, .0558358644662, 100909.6521, 183738.2558},
	} {
		t.Run(c.train, func(t *testing.T) {
			cfg, table := readConfig(t, "nsl-kdd", "nsl-kdd", func(cfg *data.Config) { cfg.Files.Train = []string{c.train} })
			split := data.DefaultSplit()
			cfg.Split.Decode(&split)
			split.Validation = 0
			sp, err := split.Apply(table)
			if err != nil {
				t.Fatal(err)
			}
			spec, err := prep.Decode(cfg.Prep)
			if err != nil {
				t.Fatal(err)
			}
			rows := prep.Rows{Benign: table.Benign(sp.Train), All: sp.Train}
			p, err := spec.Fit(context.Background(), table, rows, 2)
			if err != nil {
				t.Fatal(err)
			}
			train, err := p.Apply(context.Background(), table, rows.Benign, 2)
			if err != nil {
				t.Fatal(err)
			}
			test, err := p.Apply(context.Background(), table, sp.Test, 2)
			if err != nil {
				t.Fatal(err)
			}
			if train.N != c.benign || train.D != c.d || test.N != 22544 {
				t.Fatalf("train %d×%d, test %d rows; want %d×%d and 22544", train.N, train.D, test.N, c.benign, c.d)
			}
			sum, squares := total(train.X)
			n := float64(len(train.X))
			if v := squares/n - sum/n*sum/n; math.Abs(v-c.variance) > 1e-8 {
				t.Errorf("variance %.13f, want %.13f", v, c.variance)
			}
			testSum, _ := total(test.X)
			if math.Abs(sum-c.sum) > 0.01 || math.Abs(testSum-c.testTotal) > 0.01 {
				t.Errorf("sums %.4f and %.4f, want %.4f and %.4f", sum, testSum, c.sum, c.testTotal)
			}
		})
	}
}

func total(x []float32) (sum, squares float64) {
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	return sum, squares
}
