package modeltest

import (
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/eval"
	"plumbline/models"
)

// pyodNumbers is what PyOD makes of eight tables of ODDS and ADBench; the file says how.
//
//go:embed testdata/pyod.json
var pyodNumbers []byte

// PyODTable is a table with columns that are z-scored over all rows, and what PyOD makes of it.
type PyODTable struct {
	Name           string
	All, Even, Odd *data.Set
	// Scores by detector and by protocol (odd, each_alone or all).
	Scores map[string]map[string]PyODScores
	AUROC  map[string]PyODSeeds // of the odd rows, by detector
}

// PyODScores are those of one detector.
type PyODScores struct {
	AUROC   float64   `json:"auroc"`
	Sum     float64   `json:"sum"`
	First20 []float64 `json:"first20"`
}

// PyODSeeds is the AUROC of a detector over N seeds.
type PyODSeeds struct {
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
	N    float64 `json:"n"`
}

// PyOD is the tables. It skips the test where the data sets are not at hand.
func PyOD(t *testing.T) []PyODTable {
	t.Helper()
	var file struct {
		Sets map[string]struct {
			Rows   int                              `json:"rows"`
			Cols   int                              `json:"cols"`
			Z      float64                          `json:"z"` // sum of the absolute z-scores
			Det    map[string]map[string]PyODScores `json:"det"`
			Seeded map[string]PyODSeeds             `json:"seeded"`
		} `json:"sets"`
	}
	if err := json.Unmarshal(pyodNumbers, &file); err != nil {
		t.Fatal(err)
	}
	var tables []PyODTable
	for _, name := range slices.Sorted(maps.Keys(file.Sets)) {
		want := file.Sets[name]
		folder, base := "odds-pyod", name
		if rest, ok := strings.CutPrefix(name, "adbench-"); ok {
			folder, base = "adbench", "42_"+rest
		}
		x, attack := CSV(t, filepath.Join(folder, base+".csv.gz"))
		d := len(x) / len(attack)
		sum := zScore(x, d)
		if len(attack) != want.Rows || d != want.Cols || math.Abs(sum-want.Z) > 1e-8*want.Z {
			t.Fatalf("%s has %d×%d, |z| adds up to %v; want %d×%d, %v", name, len(attack), d, sum, want.Rows, want.Cols,
				want.Z)
		}
		all := &data.Set{Kind: data.Vectors, N: len(attack), D: d, Attack: attack}
		for _, v := range x {
			all.X = append(all.X, float32(v))
		}
		var halves [2][]int
		for i := range all.N {
			halves[i%2] = append(halves[i%2], i)
		}
		tables = append(tables, PyODTable{name, all, all.Subset(halves[0]), all.Subset(halves[1]), want.Det, want.Seeded})
	}
	return tables
}

// CSV reads a compressed table of numbers with a header, the last column of which is 1 for attacks. The path is below
// the folder of the data sets; the test is skipped where it is not at hand.
func CSV(t *testing.T, path string) (x []float64, attack []bool) {
	t.Helper()
	f, err := os.Open(filepath.Join(datatest.Dir(t, filepath.Dir(path)), path))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := csv.NewReader(unzipped)
	lines.ReuseRecord = true
	for n := 0; ; n++ {
		line, err := lines.Read()
		if err != nil {
			if len(attack) == 0 {
				t.Fatalf("%s: %v", path, err)
			}
			return x, attack
		}
		if n == 0 {
			continue
		}
		last := len(line) - 1
		for _, text := range line[:last] {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			x = append(x, v)
		}
		attack = append(attack, strings.TrimSuffix(line[last], ".0") == "1")
	}
}

// zScore scales the columns to mean 0 and deviation 1 and adds up the absolute values.
func zScore(x []float64, d int) (sum float64) {
	n := len(x) / d
	for j := range d {
		mean, squares := 0.0, 0.0
		for i := range n {
			mean += x[i*d+j] / float64(n)
		}
		for i := range n {
			squares += (x[i*d+j] - mean) * (x[i*d+j] - mean) / float64(n)
		}
		if squares == 0 {
			squares = 1
		}
		for i := range n {
			x[i*d+j] = (x[i*d+j] - mean) / math.Sqrt(squares)
			sum += math.Abs(x[i*d+j])
		}
	}
	return sum
}

// FitScore fits a detector of the spec and scores other rows.
func FitScore(t testing.TB, spec models.Spec, env models.Env, train, test *data.Set) []float64 {
	t.Helper()
	scores, err := Fitted(t, spec, env, train).Score(context.Background(), test)
	Check(t, err)
	return scores
}

// AUROC is that of the scores.
func AUROC(t testing.TB, scores []float64, attack []bool) float64 {
	t.Helper()
	ranking, err := eval.Rank(scores, attack)
	if err != nil {
		t.Fatal(err)
	}
	return ranking.ROCAUC()
}

// SameScores checks scores against the first twenty of a protocol, within tol of their largest, and their sum and AUROC
// against its.
func (p PyODTable) SameScores(t *testing.T, detector, protocol string, scores []float64, attack []bool, tol float64) {
	t.Helper()
	want, ok := p.Scores[detector][protocol]
	if !ok {
		t.Fatalf("%s has no scores %s of %s", p.Name, protocol, detector)
	}
	top, off, sum := 0.0, 0.0, 0.0
	for i, v := range want.First20 {
		top, off = max(top, math.Abs(v)), max(off, math.Abs(scores[i]-v))
	}
	for _, v := range scores {
		sum += v
	}
	if off > tol*top {
		t.Errorf("%s, %s: scores are up to %v off: %.8g, want %.8g", p.Name, detector, off, scores[:20], want.First20)
	}
	if math.Abs(sum-want.Sum) > tol*math.Abs(want.Sum) {
		t.Errorf("%s, %s: scores add up to %.10g, want %.10g", p.Name, detector, sum, want.Sum)
	}
	if v := AUROC(t, scores, attack); math.Abs(v-want.AUROC) > max(1e-3, tol/5) {
		t.Errorf("%s, %s: AUROC %v, want %v", p.Name, detector, v, want.AUROC)
	}
}

// SameOverSeeds is SameOver ten seeds.
func (p PyODTable) SameOverSeeds(t *testing.T, detector string, spec models.Spec) {
	t.Helper()
	p.SameOver(t, 10, detector, spec)
}

// SameOver holds the mean AUROC of a seeded detector, over the seeds from 0 on, against PyOD's: within three standard
// errors of their difference and .004, which is what a few ranks make.
func (p PyODTable) SameOver(t *testing.T, seeds int, detector string, spec models.Spec) {
	t.Helper()
	want, ok := p.AUROC[detector]
	if !ok {
		return
	}
	var values []float64
	mean, squares := 0.0, 0.0
	for seed := range uint64(seeds) {
		v := AUROC(t, FitScore(t, spec, models.Env{Seed: seed}, p.Even, p.Odd), p.Odd.Attack)
		values = append(values, v)
		mean += v / float64(seeds)
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean) / float64(seeds-1)
	}
	limit := 3*math.Sqrt(squares/float64(seeds)+want.SD*want.SD/want.N) + 0.004
	t.Logf("%s, %s: mean AUROC %.4f (sd %.4f), PyOD %.4f (sd %.4f)", p.Name, detector, mean, math.Sqrt(squares), want.Mean,
		want.SD)
	if math.Abs(mean-want.Mean) > limit {
		t.Errorf("%s, %s: mean AUROC %.4f, PyOD %.4f: %.4f apart, at most %.4f; values %.4f", p.Name, detector, mean,
			want.Mean, math.Abs(mean-want.Mean), limit, values)
	}
}
