package compare

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"plumbline/runs/record"
)

// TestPublished: the shipped values are well-formed, and stand beside the groups of their data and unit alone.
func TestPublished(t *testing.T) {
	if _, err := readPublished(publishedFile); err != nil {
		t.Fatal(err)
	}
	c := &Comparison{Metric: "auroc", Groups: []Group{{Data: "nsl-kdd-20", Unit: "flow"}, {Data: "nsl-kdd", Unit: "host"},
		{Data: "synth", Unit: "flow"}, {Data: "argus-features3", Unit: "host"}}}
	if err := c.AddPublished(); err != nil {
		t.Fatal(err)
	}
	for k, want := range []int{1, 0, 0, 1} {
		if got := len(c.Groups[k].Published); got != want {
			t.Errorf("%s per %s: %d sources, want %d", c.Groups[k].Data, c.Groups[k].Unit, got, want)
		}
	}
	for _, format := range []string{"table", "markdown", "json"} {
		var b bytes.Buffer
		if err := c.Render(&b, format); err != nil || !strings.Contains(b.String(), "V. L. Cao") ||
			!strings.Contains(b.String(), "0.963") {
			t.Errorf("%s: %v: %s", format, err, b.String())
		}
	}
	for _, bad := range []string{
		"- {source: s, data: [x], unit: flow, values: [{model: m}]}",
		"- {source: s, data: [x], unit: flow, values: [{model: m, auroc: 96}]}",
		"- {source: s, data: ['['], unit: flow, values: [{model: m, auroc: .9}]}",
		"- {source: s, data: [], unit: flow, values: [{model: m, auroc: .9}]}",
		"- {source: s, data: [x], unit: flow, vlues: []}",
	} {
		if got, err := readPublished([]byte(bad)); err == nil {
			t.Errorf("%s is accepted: %+v", bad, got)
		}
	}
}

// TestVerdicts: over ten folds of sd .02 the mean is .9; what a source has over ten repetitions too may lie two
// standard errors of the difference away, 2·.02·√(1/10+1/10) = .0179, and the rounding.
func TestVerdicts(t *testing.T) {
	var cells []record.Result
	for i := range 10 {
		c := record.Result{Label: "KNN", Status: record.OK, Fold: fmt.Sprint("r", i+1)}
		c.Set("auroc", 0.9+0.02*math.Sqrt(0.9)*float64(2*(i%2)-1))
		cells = append(cells, c)
	}
	group := func(experiment string) *Group {
		return &Group{Rows: []Row{{Label: "KNN (a)", cells: cells, overlap: 0.1, experiment: experiment}}}
	}
	for _, c := range []struct {
		theirs  float64
		differs string
		want    string
	}{{0.9, "", reproduced}, {0.918, "", reproduced}, {0.882, "", reproduced}, {0.919, "", notReproduced},
		{0.88, "", notReproduced}, {0.9, "another split", notComparable}} {
		p := Published{Experiment: "odds", Repetitions: 10, Differs: c.differs,
			Values: []PublishedValue{{Model: "KNN", AUROC: c.theirs}, {Model: "LOF", AUROC: 0.5}}}
		p.judge(group("odds"))
		if len(p.Verdicts) != 1 || p.Verdicts[0].Verdict != c.want || p.Verdicts[0].Label != "KNN (a)" {
			t.Errorf("%v: %+v", c.theirs, p.Verdicts)
		}
		p.Verdicts = nil
		if p.judge(group("mine")); p.Verdicts != nil {
			t.Errorf("another experiment is judged: %+v", p.Verdicts)
		}
	}
	cells = cells[:1]
	p := Published{Experiment: "odds", Values: []PublishedValue{{Model: "KNN", AUROC: 0.9}}}
	if p.judge(group("odds")); p.Verdicts[0].Verdict != notComparable {
		t.Errorf("%+v", p.Verdicts)
	}
}
