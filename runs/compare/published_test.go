package compare

import (
	"bytes"
	"strings"
	"testing"
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
