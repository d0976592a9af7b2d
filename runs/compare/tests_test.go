package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/eval"
	"plumbline/runs/record"
)

// scoredRun is a run on disk of models whose scores are the truth with noise: good has little, even hardly more, bad
// much, and blind sees nothing. Each has two seeds, which draw the noise.
func scoredRun(t *testing.T, sets int) *record.Record {
	t.Helper()
	dir := t.TempDir()
	d := record.NewDirectory(dir)
	var rows []record.Result
	var m record.Manifest
	for set := range sets {
		r := rand.New(rand.NewPCG(9, uint64(set)))
		truth := eval.Truth{Names: []string{"benign", "scan"}}
		var first []int32
		for i := range 600 {
			attack := r.IntN(4) == 0
			truth.Attack, first = append(truth.Attack, attack), append(first, int32(i))
			truth.Class = append(truth.Class, map[bool]uint32{true: 1}[attack])
		}
		for k, label := range []string{"good", "even", "bad", "blind"} {
			for seed := range 2 {
				noise := []float64{0.5, 0.51, 1.5, 1e6}[k]
				cell := fmt.Sprintf("cells/d%d/%s/s%d", set, label, seed+1)
				scores := make([]float64, len(truth.Attack))
				rng := rand.New(rand.NewPCG(uint64(set), uint64(10*k+seed)))
				for i := range scores {
					scores[i] = noise * rng.NormFloat64()
					if truth.Attack[i] {
						scores[i]++
					}
				}
				metrics, err := eval.Summarise(scores, truth, 0.8, 0, 1)
				if err != nil {
					t.Fatal(err)
				}
				res := record.Result{Data: fmt.Sprint("d", set), Model: "iforest", Label: label, Seed: uint64(seed + 1),
					Unit: "flow", Status: record.OK, Test: len(scores), Cell: cell, Input: "vectors"}
				res.Judge(metrics)
				folder := d.Folder(cell)
				lines := record.Scores{Row: first, Score: scores, Truth: truth}
				if err := errors.Join(folder.WriteJSON("metrics.json", metrics), folder.Write(record.ScoresFile, lines.Write),
					folder.WriteJSON("status.json", record.Status{Cell: cell, Status: record.OK, Files: folder.Files(),
						Result: res})); err != nil {
					t.Fatal(err)
				}
				rows = append(rows, res)
				m.Plan = append(m.Plan, record.PlannedCell{Cell: cell, Data: res.Data, Model: res.Model, Label: label,
					Seed: res.Seed, Unit: "flow", Input: "vectors"})
			}
		}
	}
	err := errors.Join(d.WriteJSON("manifest.json", m),
		d.Write("results.csv", func(w io.Writer) error { return record.WriteResults(w, rows) }),
		os.WriteFile(filepath.Join(dir, "experiment.yaml"), []byte("name: scored\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(dir)
	if err != nil || rec.OK() != len(rows) {
		t.Fatal(rec, err)
	}
	return rec
}

// TestMakeTests: who is told from the best, on each data set and over all; kept tests mark the tables, and tests of
// other results do not.
func TestMakeTests(t *testing.T) {
	rec := scoredRun(t, 6)
	tests, err := MakeTests(rec, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(tests.Data) != 6 || tests.Over == nil {
		t.Fatalf("%+v", tests)
	}
	for _, s := range tests.Data {
		if s.Best != "good" && s.Best != "even" {
			t.Errorf("%s: the best is %s", s.Data, s.Best)
		}
		for _, o := range s.Others {
			told := o.Label == "bad" || o.Label == "blind"
			if o.Ahead != told || o.Cells != 2 || o.Units != 600 || o.AUPRC != nil || told && float64(o.A12) != 1 {
				t.Errorf("%s against %s: %+v", s.Best, o.Label, o)
			}
			// McNemar's P is that of the decisions: a model that sees nothing differs from one that does
			if o.Label == "blind" && !(float64(o.McNemar) < 1e-6) {
				t.Errorf("McNemar %v", o.McNemar)
			}
		}
	}
	o := tests.Over
	if o.Models[3] != "blind" || o.Friedman.N != 6 || !o.Pairs[2].Nemenyi || o.Pairs[2].Bayes.Better < 0.99 ||
		o.Pairs[0].Bayes.Better > 0.99 || o.Pairs[0].Nemenyi {
		t.Errorf("%+v", o)
	}
	// six data sets that all say the same cannot give a P below 2/64; three pairs make that .094
	if p := float64(o.Pairs[2].Holm); math.Abs(p-3*2.0/64) > 1e-12 {
		t.Errorf("Holm %v", p)
	}
	var text strings.Builder
	if err := tests.Write(&text); err != nil || !strings.Contains(text.String(), "over 6 data sets: Friedman P ") {
		t.Errorf("%v\n%s", err, text.String())
	}
	var limit *TooMany
	if _, err := MakeTests(rec, 1000); !errors.As(err, &limit) || limit.Lines != 6*8*600 {
		t.Error(err)
	}

	if StoredTests(rec) != nil {
		t.Error("tests that nobody kept")
	}
	if err := record.NewDirectory(rec.Dir).WriteJSON(TestsFile, tests); err != nil {
		t.Fatal(err)
	}
	c, err := Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Groups[0].Rows {
		if r.Best != (r.Label == tests.Data[0].Best) || r.Even != (!r.Best && (r.Label == "good" || r.Label == "even")) {
			t.Errorf("%s: best %v, not worse %v", r.Label, r.Best, r.Even)
		}
	}
	if !strings.Contains(c.Groups[0].how, "DeLong") {
		t.Error(c.Groups[0].how)
	}
	raw, err := json.Marshal(tests)
	if err != nil {
		t.Fatal(err)
	}
	var back Tests
	if err := json.Unmarshal(raw, &back); err != nil || back.Data[0].Others[0].Label != tests.Data[0].Others[0].Label {
		t.Errorf("%v", err)
	}
	results := filepath.Join(rec.Dir, "results.csv")
	content, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(results, append(content, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if StoredTests(rec) != nil {
		t.Error("tests of other results are taken")
	}
}

// TestPairMore: the tests beside DeLong's, of two models.
func TestPairMore(t *testing.T) {
	rec := scoredRun(t, 2)
	p, err := TestPair(rec, "good", "bad")
	if err != nil {
		t.Fatal(err)
	}
	s := p.Sets[0]
	if s.AUPRC == nil || !(s.AUPRC.Diff > 0.1) || !(s.AUPRC.Interval.Low > 0) || !(float64(s.McNemar) < 1e-6) ||
		s.A12 != 1 || s.Folds != nil {
		t.Errorf("%+v", s)
	}
	if text := p.Text(); !strings.Contains(text, "by paired bootstrap") || !strings.Contains(text, "McNemar") {
		t.Error(text)
	}
}

// TestDiagram: one label for each model inside the picture, and bars over those that are not told apart.
func TestDiagram(t *testing.T) {
	o := &OverTests{
		Models:   []string{"first", "second <&>", "third", "fourth"},
		Friedman: eval.Ranks{N: 12, Mean: []float64{1.2, 1.9, 3.1, 3.8}, CD: 1.35},
	}
	if got := o.bars(); !slices.Equal(got, [][2]int{{0, 1}, {1, 2}, {2, 3}}) {
		t.Errorf("bars %v", got)
	}
	d, err := o.Diagram(600)
	if err != nil {
		t.Fatal(err)
	}
	text := d.Inline()
	for i, m := range o.Models {
		if label := html.EscapeString(fmt.Sprintf("%s %.2f", m, o.Friedman.Mean[i])); strings.Count(text, label) != 1 {
			t.Errorf("%q is not once in %s", label, text)
		}
	}
	if n := strings.Count(text, `class="thick"`); n != 3 {
		t.Errorf("%d bars", n)
	}
	o.Friedman.N = 4
	if _, err := o.Diagram(600); err == nil || !strings.Contains(err.Error(), "at least 5 data sets") {
		t.Error(err)
	}
}

// TestNothingToTest: where fewer than two models have a value, that is said, and nothing is called the best.
func TestNothingToTest(t *testing.T) {
	for _, s := range []SetTests{{Data: "d", Unit: "flow", Warnings: []string{"no model has an AUROC"}},
		{Data: "d", Unit: "flow", Best: "m"}} {
		var b strings.Builder
		if err := (&Tests{Data: []SetTests{s}}).Write(&b); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.HasPrefix(got, "d, unit flow: there are no two models to compare\n") ||
			strings.Contains(got, "largest") || len(s.Warnings) > 0 != strings.Contains(got, "warning: no model") {
			t.Errorf("%q", got)
		}
	}
}
