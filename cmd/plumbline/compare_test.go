package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/eval"
	"plumbline/runs/compare"
	"plumbline/runs/record"
)

// TestComparePair: the paired test is DeLong's on the cells' scores, models that ignore the seed stand beside every
// seed, and what is claimed is what every pair of cells shows.
func TestComparePair(t *testing.T) {
	e := writeExperiment(t, `name: pair
data: [{data: synth, options: {hosts: 12, hours: 20}}]
models: [pca, znorm, random, {model: random, label: random-2}]
seeds: [1, 2]
bootstrap: 0
`)
	root := t.TempDir()
	code, out, errOut := plumb(t, "run", e, "--out", root, "--quiet")
	if code != exitOK {
		t.Fatal(errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	dir := lines[len(lines)-1]
	test := func(pair string) compare.PairTest {
		t.Helper()
		code, out, errOut := plumb(t, "compare", dir, "--test", pair, "--json")
		var p compare.PairTest
		if err := json.Unmarshal([]byte(out), &p); code != exitOK || err != nil || len(p.Sets) != 1 {
			t.Fatalf("%s: exit %d, %v\n%s%s", pair, code, err, out, errOut)
		}
		return p
	}
	p := test("pca,random").Sets[0]
	if p.Cells != 2 || p.Wins != 2 || p.Differ != 2 {
		t.Errorf("pca beside two seeds of random: %+v", p)
	}
	a, truth, err := record.ReadScores(dir, filepath.Join("cells", "synth", "pca", "s1"))
	if err != nil {
		t.Fatal(err)
	}
	largest := 0.0
	for _, seed := range []string{"s1", "s2"} {
		b, _, err := record.ReadScores(dir, filepath.Join("cells", "synth", "random", seed))
		if err != nil {
			t.Fatal(err)
		}
		d, err := eval.DeLong(a, b, truth.Attack)
		if err != nil {
			t.Fatal(err)
		}
		largest = math.Max(largest, d.P)
	}
	if got := float64(p.P); math.Abs(got-largest) > 1e-12*largest {
		t.Errorf("P %v, want the larger of the two, %v", got, largest)
	}
	if c := test("pca,random").Claim; c != "pca ranks the test units of synth better than random" {
		t.Errorf("claim %q", c)
	}
	if c := test("random,random-2").Claim; c != "no difference is shown on synth" {
		t.Errorf("claim %q", c)
	}
	code, out, _ = plumb(t, "compare", dir, "--test", "pca,znorm")
	if code != exitOK || !strings.Contains(out, "P (Holm)") {
		t.Errorf("exit %d\n%s", code, out)
	}
	for _, bad := range [][]string{{"--test", "pca"}, {"--test", "pca,pca"}, {"--test", "pca,nobody"}} {
		if code, _, errOut := plumb(t, append([]string{"compare", dir}, bad...)...); code != exitUsage || errOut == "" {
			t.Errorf("%v: exit %d, %q", bad, code, errOut)
		}
	}
}
