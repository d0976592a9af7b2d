package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"plumbline/eval"
	_ "plumbline/models/all"
	"plumbline/runs/compare"
	"plumbline/runs/record"
)

// cell is a cell that the test puts into a run.
type cell struct {
	data, model, label string
	seed               uint64
	shift              float64 // by how much attacks outscore benign units
	classes            []string
}

// written is a run of such cells, of n units each, a third of them attacks.
func written(t testing.TB, n int, cells []cell) *record.Record {
	t.Helper()
	rec := &record.Record{Dir: t.TempDir(), Name: "test", Complete: true}
	for i, c := range cells {
		r := rand.New(rand.NewPCG(c.seed, uint64(len(c.label))))
		s := record.Scores{Truth: eval.Truth{Names: append([]string{"benign"}, c.classes...)}}
		for row := range n {
			attack := row%3 == 0
			class, v := uint32(0), r.NormFloat64()
			if attack {
				class, v = uint32(1+row/3%len(c.classes)), v+c.shift
			}
			s.Row, s.Score = append(s.Row, int32(row)), append(s.Score, v)
			s.Truth.Attack, s.Truth.Class = append(s.Truth.Attack, attack), append(s.Truth.Class, class)
		}
		name := fmt.Sprintf("cells/%d", i)
		var b bytes.Buffer
		if err := s.Write(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(rec.Dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(rec.Dir, name, record.ScoresFile), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := eval.Summarise(s.Score, s.Truth, 2, 20, 1)
		if err == nil {
			err = record.NewDirectory(rec.Dir).WriteJSON(name+"/metrics.json", m)
		}
		if err != nil {
			t.Fatal(err)
		}
		one := record.Result{Data: c.data, Model: c.model, Label: c.label, Seed: c.seed, Unit: "flow", Status: record.OK,
			Cell: name, Test: n, Train: n}
		one.Judge(m)
		rec.Results = append(rec.Results, one)
	}
	return rec
}

func pageOf(t testing.TB, rec *record.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, rec, nil, 0); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sets is the data block of a page.
func sets(t *testing.T, page string) map[string]struct {
	Metrics map[string]map[string][]*float64
	Curves  []struct {
		Label string
		TPR   []int
	}
} {
	t.Helper()
	_, rest, _ := strings.Cut(page, `<script type="application/json" id="data">`)
	raw, _, ok := strings.Cut(rest, "</script>")
	var out struct {
		Sets map[string]struct {
			Metrics map[string]map[string][]*float64
			Curves  []struct {
				Label string
				TPR   []int
			}
		}
	}
	if err := json.Unmarshal([]byte(raw), &out); err != nil || !ok {
		t.Fatalf("the page's data: %v: %.200s", err, raw)
	}
	return out.Sets
}

// TestReport: the first sentence, the doubts, every cell of the table and the data of scripts are what compare says.
func TestReport(t *testing.T) {
	var cells []cell
	for seed := range uint64(3) {
		classes := []string{"scan", "flood"}
		cells = append(cells, cell{"d", "iforest", "far", seed, 3, classes}, cell{"d", "ae", "near", seed, 1, classes},
			cell{"d", "random", "random", seed, 0, classes})
	}
	rec := written(t, 600, cells)
	rec.Results = append(rec.Results, record.Result{Data: "d", Model: "lof", Label: "broken", Unit: "flow",
		Status: record.Failed, Error: "no memory", Cell: "cells/d/broken"})
	page := pageOf(t, rec)
	c, err := compare.Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := html.UnescapeString(page)
	far, near := c.Groups[0].Rows[0].Main, c.Groups[0].Rows[1].Main
	for _, want := range []string{
		fmt.Sprintf("far ranks first with AUROC %s, %s ahead of near; the difference is significant.", short(far.Mean),
			short(far.Mean-near.Mean)),
		"All 2 models beat the best control (random, ", "3 seeds are few for an interval: take 5 or more.",
		"Which attacks are found at the threshold",
		"cells/d/broken", "no memory", "Content-Security-Policy", "default-src 'none'", "9 of 10 cells ok",
		short(near.Interval.Low) + "–" + short(near.Interval.High), "± " + short(near.SD),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, r := range c.Groups[0].Rows {
		for _, m := range []string{"auprc", "fpr_at_95tpr", "f1"} {
			if v := r.Others[m].Mean; !strings.Contains(page, `data-v="`+sortable(v)+`">`+short(v)) {
				t.Errorf("%s: %s of %v is not in the table", r.Label, m, v)
			}
		}
	}
	got := sets(t, page)["s0"]
	if v := got.Metrics["far"]["auroc"]; math.Abs(*v[0]-far.Mean) > 1e-5 || math.Abs(*v[1]-far.Interval.Low) > 1e-5 {
		t.Errorf("scripts have the AUROC %v, want %v", *v[0], far)
	}
	if len(got.Curves) != 3 || got.Curves[0].Label != "far" || got.Curves[0].TPR[120] != 1000 {
		t.Errorf("curves: %+v", got.Curves)
	}
	// nothing that a browser would fetch
	asks := regexp.MustCompile(`(src|href|action)=|url\(|@import|fetch\(|XMLHttp|import\(`)
	if found := asks.FindAllString(page, -1); found != nil {
		t.Errorf("the page asks for something: %q", found)
	}
}

// TestHostileTexts: what data and users name, however it is written, stays text.
func TestHostileTexts(t *testing.T) {
	evil := `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'` + "\u202e\x1b[31m"
	classes := []string{evil}
	rec := written(t, 90, []cell{{evil, "iforest", evil, 1, 2, classes}, {evil, "ae", "b" + evil, 1, 1, classes}})
	rec.Name = evil
	rec.Results[0].Warnings = []string{evil}
	rec.Faults = []record.Fault{{File: evil, What: evil}}
	rec.Results = append(rec.Results, record.Result{Data: evil, Label: "c", Status: evil, Error: evil, Unit: "flow",
		Cell: evil})
	page := pageOf(t, rec)
	if n := strings.Count(page, "<script"); n != 2 { // the data and the page's
		t.Errorf("%d scripts, want the data and that of the page", n)
	}
	if strings.Contains(page, "<img") || strings.Contains(page, "alert(1)</script>") {
		t.Error("markup of a name is markup of the page")
	}
}

// manyCells is a run of 500: 10 data sets, 10 models, 5 seeds.
func manyCells(t testing.TB) *record.Record {
	t.Helper()
	rec := written(t, 60, []cell{{"", "iforest", "", 1, 2, []string{"scan", "flood", "worm"}}})
	one := rec.Results[0]
	rec.Results = nil
	for i := range 500 { // all with the scores of the one cell
		r := one
		r.Data, r.Label, r.Seed = fmt.Sprintf("set%d", i/50), fmt.Sprintf("model%d", i/5%10), uint64(i%5)
		r.Metrics = maps.Clone(one.Metrics)
		r.Set("auroc", 0.5+float64(i/5%10)/20+float64(i%5)/1000)
		rec.Results = append(rec.Results, r)
	}
	return rec
}

// TestSize: a run of 500 cells makes a page that a browser opens at once, and what does not grow with the run is small.
func TestSize(t *testing.T) {
	page := pageOf(t, manyCells(t))
	if len(page) > 600_000 {
		t.Errorf("a page of 500 cells has %d bytes", len(page))
	}
	if own := len(styleText) + len(scriptText) + len(pageText); own > 24_000 {
		t.Errorf("style, script and frame have %d bytes", own)
	}
	if n := strings.Count(page, `data-figure="roc-`); n != maxFigures {
		t.Errorf("%d data sets have figures, want %d", n, maxFigures)
	}
	if !strings.Contains(page, "has the best mean rank by AUROC over 10 data sets") {
		t.Error("nothing is said over the data sets")
	}
}

// TestLimit: figures stop where they are told, and the page says so.
func TestLimit(t *testing.T) {
	rec := written(t, 60, []cell{{"d", "iforest", "a", 1, 2, []string{"x"}}, {"d", "ae", "b", 1, 1, []string{"x"}}})
	var b bytes.Buffer
	if err := Write(&b, rec, nil, 60); err != nil {
		t.Fatal(err)
	}
	got := sets(t, b.String())["s0"]
	if len(got.Curves) != 1 || !strings.Contains(b.String(), "Figures leave out cells beyond 60 lines of scores") {
		t.Errorf("%d curves", len(got.Curves))
	}
}

func TestList(t *testing.T) {
	if got := list([]string{"a", "b", "c"}, 2); got != "a, b, 1 more" {
		t.Error(got)
	}
	for in, want := range map[string]string{"": "", "no memory": "No memory.", "k_means fails": "k_means fails.",
		"A.": "A."} {
		if got := sentence(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
