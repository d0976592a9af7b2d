package compare

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"plumbline/configs/settings"
	"plumbline/runs/record"
)

// TestPapers: the values of the shipped files are well-formed, and stand beside the groups of their data and unit.
func TestPapers(t *testing.T) {
	papers := os.DirFS("../../configs")
	known, err := readPapers(papers)
	if err != nil || len(known) < 10 {
		t.Fatal(len(known), err)
	}
	c := &Comparison{Metric: "auroc", Groups: []Group{{Data: "nsl-kdd", Unit: "flow"}, {Data: "nsl-kdd", Unit: "host"},
		{Data: "synth", Unit: "flow"}, {Data: "argus-features3", Unit: "host"}}}
	if err := c.AddPublished(papers, false); err != nil {
		t.Fatal(err)
	}
	for k := range c.Groups {
		if got := c.Groups[k].Published; got != nil {
			t.Errorf("no run is of a paper, and there is %v", got)
		}
	}
	if err := c.AddPublished(papers, true); err != nil {
		t.Fatal(err)
	}
	for k, want := range []int{1, 0, 0, 2} {
		if got := len(c.Groups[k].Published); got != want {
			t.Errorf("%s per %s: %d sources, want %d", c.Groups[k].Data, c.Groups[k].Unit, got, want)
		}
	}
	for _, format := range []string{"table", "markdown", "latex", "html", "json"} {
		var b bytes.Buffer
		if err := c.Render(&b, format); err != nil || !strings.Contains(b.String(), "V. L. Cao") ||
			!strings.Contains(b.String(), "0.963") {
			t.Errorf("%s: %v: %s", format, err, b.String())
		}
	}
}

// TestPublishedProblems: what is wrong with values is said.
func TestPublishedProblems(t *testing.T) {
	const good = "source: s, place: table 1, data: [x]"
	for text, want := range map[string]string{
		good + ", values: [{model: m, metrics: {auroc: 0.9}}]":              "",
		good + ", values: [{model: m}]":                                     "no value",
		good + ", values: [{model: m, metrics: {auroc: 96}}]":               "between 0 and 1",
		good + ", values: [{model: m, metrics: {aurok: 0.9}}]":              `unknown metric "aurok"; did you mean "auroc"?`,
		good + ", values: [{model: m, data: ['['], metrics: {auroc: 0.9}}]": "syntax error",
		"source: s, data: [x], values: [{model: m, metrics: {auroc: 0.9}}]": "need a source, a place",
		good + ", vlues: []": "unknown key",
	} {
		doc, err := settings.Parse("a.yaml", []byte("published: [{"+text+"}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		_, problems := record.ReadPublished(doc)
		if got := problems.Error(); (want == "") != (len(problems) == 0) || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func value9(model string, x float64) record.PublishedValue {
	return record.PublishedValue{Model: model, Metrics: map[string]float64{"auroc": x}}
}

// TestVerdicts: over ten folds of sd .02 the mean is .9; what a source has over ten repetitions too may lie two
// standard errors of the difference away, 2·.02·√(1/10+1/10) = .0179, and half a unit of the third digit.
func TestVerdicts(t *testing.T) {
	var cells []record.Result
	for i := range 10 {
		c := record.Result{Label: "KNN", Status: record.OK, Fold: fmt.Sprint("r", i+1)}
		c.Set("auroc", 0.9+0.02*math.Sqrt(0.9)*float64(2*(i%2)-1))
		cells = append(cells, c)
	}
	group := func(experiment string) *Group {
		return &Group{Data: "d", Rows: []Row{{Label: "KNN (a)", cells: cells, overlap: 0.1, experiment: experiment}}}
	}
	source := func(repetitions int, not string, values ...record.PublishedValue) *Published {
		return &Published{Experiment: "odds", Published: record.Published{Source: "s", Place: "p", Data: []string{"d"},
			Repetitions: repetitions, NotComparable: not, Differs: "more rows", Values: values}}
	}
	for _, c := range []struct {
		theirs float64
		not    string
		want   string
	}{{0.9, "", reproduced}, {0.918, "", reproduced}, {0.882, "", reproduced}, {0.919, "", notReproduced},
		{0.88, "", notReproduced}, {0.9, "another task", notComparable}} {
		p := source(10, c.not, value9("KNN", c.theirs), value9("LOF", 0.515))
		p.judge(group("odds"), true)
		if len(p.Verdicts) != 2 || p.Verdicts[0].Verdict != c.want || p.Verdicts[0].Label != "KNN (a)" ||
			p.Verdicts[1].Verdict != notRun || !math.IsNaN(float64(p.Verdicts[1].Ours)) {
			t.Errorf("%v: %+v", c.theirs, p.Verdicts)
		}
		if got := float64(p.Verdicts[0].Difference); math.Abs(got-(0.9-c.theirs)) > 1e-12 {
			t.Errorf("difference %v", got)
		}
	}
	p := source(10, "", value9("KNN", 0.9))
	if p.judge(group("mine"), false); len(p.Verdicts) != 1 || p.Verdicts[0].Verdict != "" {
		t.Errorf("another experiment is judged: %+v", p.Verdicts)
	}
	// one value of theirs, of two digits: 2·.02·√(1/10+1) + .005 = .0469; with 0 repetitions 2·.02/√10 + .005 = .0176
	for repetitions, want := range map[int]float64{1: 0.02 * 2 * math.Sqrt(1.1), 0: 0.04 / math.Sqrt(10)} {
		p := source(repetitions, "", value9("KNN", 0.91))
		if p.judge(group("odds"), true); math.Abs(float64(p.Verdicts[0].Within)-want-0.005) > 1e-9 {
			t.Errorf("%d repetitions: %+v, want %v", repetitions, p.Verdicts, want+0.005)
		}
	}
	cells = cells[:1] // .9 − .02·√.9 = .881026
	for theirs, want := range map[float64]string{0.881: reproduced, 0.882: notComparable} {
		p := source(0, "", value9("KNN", theirs))
		if p.judge(group("odds"), true); p.Verdicts[0].Verdict != want {
			t.Errorf("one cell, %v: %+v", theirs, p.Verdicts)
		}
	}
}

// TestOwnPublished: what a run's own file holds goes before the paper of that name.
func TestOwnPublished(t *testing.T) {
	papers := fstest.MapFS{"papers/mine.yaml": {Data: []byte("name: mine\npublished: [{source: old, place: p, " +
		"data: [d], values: [{model: m, metrics: {auroc: 0.5}}]}]\n")}}
	group := func() []Group { return []Group{{Data: "d", Unit: "flow", Rows: []Row{{experiment: "mine"}}}} }
	c := &Comparison{Metric: "auroc", Groups: group()}
	if err := c.AddPublished(papers, false); err != nil || c.Groups[0].Published[0].Source != "old" {
		t.Errorf("%v: %+v", err, c.Groups[0].Published)
	}
	c = &Comparison{Metric: "auroc", Groups: group(), published: map[string][]record.Published{"mine": {{Source: "new",
		Data: []string{"*"}, Values: []record.PublishedValue{value9("m", 0.7)}}}}}
	if err := c.AddPublished(papers, false); err != nil || len(c.Groups[0].Published) != 1 ||
		c.Groups[0].Published[0].Source != "new" {
		t.Errorf("%v: %+v", err, c.Groups[0].Published)
	}
}
