package prep_test

import (
	"context"
	"math"
	"os"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/prep"
	"plumbline/data/source"
	"plumbline/data/split"
)

// readConfig reads a data config of the project and, with it, the data.
func readConfig(tb testing.TB, name, folder string, change func(*source.Config)) (*source.Config, *data.Table) {
	tb.Helper()
	dir := datatest.Dir(tb, folder)
	file := "../../configs/data/" + name + ".yaml"
	raw, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := settings.Parse(file, raw)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := source.DecodeConfig(doc)
	if err != nil {
		tb.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	t, _, err := source.Read(context.Background(), c, source.NewFinder(dir), 2)
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
			cfg, table := readConfig(
				t,
				"nsl-kdd",
				"nsl-kdd",
				func(cfg *source.Config) { cfg.Files.Train = []string{c.train} },
			)
			p, sp, rows := fitOwn(t, cfg, table)
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

// TestPublishedFeatureCounts holds what the default preprocessing makes of the real files against the numbers
// of features that papers and their code name.
func TestPublishedFeatureCounts(t *testing.T) {
	for _, c := range []struct {
		name, folder, file string
		train              int // benign rows
		d                  int
		source             string
	}{
		// 38 numbers, 3 protocols, 25 services and 9 flags among the benign rows
		{"kddcup99", "kddcup99", "", 97278, 75, "Winiecki 2025: b = 9 for d = 75"},
		// 38 numbers, and 3 protocols, 70 services and 11 flags among all rows
		{"nsl-kdd", "nsl-kdd", "", 67343, 122, "Cao, Nicolau and McDermott 2019"},
		{"cicids2017", "cicids2017-ml", "Friday-WorkingHours-Afternoon-DDos.pcap_ISCX.head9998.csv", 0, 78,
			"Winiecki 2025: 78 features, the repeated header length among them"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, table := readConfig(t, c.name, c.folder, func(cfg *source.Config) {
				if c.file != "" {
					cfg.Files.Train, cfg.Folder = []string{c.file}, c.folder
				}
			})
			p, _, rows := fitOwn(t, cfg, table)
			benign := len(rows.Benign)
			t.Logf("%d benign rows, %d features", benign, len(p.Outputs))
			if c.train > 0 && benign != c.train || c.d > 0 && len(p.Outputs) != c.d {
				t.Errorf("%d benign rows train, %d features; want %d, %d (%s)", benign, len(p.Outputs), c.train, c.d,
					c.source)
			}
		})
	}
}

// fitOwn fits the preprocessing of a data set's own config to its own split, without validation rows.
func fitOwn(t *testing.T, cfg *source.Config, table *data.Table) (*prep.Pipeline, *split.Split, prep.Rows) {
	t.Helper()
	own := split.DefaultSplit()
	cfg.Split.Decode(&own)
	own.Validation = 0
	sp, err := own.Apply(table)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := prep.Decode(cfg.Prep)
	if err != nil {
		t.Fatal(err)
	}
	rows := prep.Rows{Benign: sp.Unlabelled(table), All: sp.Train}
	p, err := steps.Fit(context.Background(), table, rows, 2)
	if err != nil {
		t.Fatal(err)
	}
	return p, sp, rows
}
