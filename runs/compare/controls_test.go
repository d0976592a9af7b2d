package compare

import (
	"strings"
	"testing"

	"plumbline/runs/record"
)

// TestUnbeatenControls: who is not shown to be better than the best control is marked, with its name.
func TestUnbeatenControls(t *testing.T) {
	rec := results(t, "runs/c", `data,model,label,seed,unit,status,n_test,auroc,auroc_low,auroc_high
d,iforest,far,1,flow,ok,20,0.95,,
d,iforest,far,2,flow,ok,20,0.951,,
d,iforest,far,3,flow,ok,20,0.952,,
d,iforest,near,1,flow,ok,20,0.78,,
d,iforest,near,2,flow,ok,20,0.86,,
d,iforest,near,3,flow,ok,20,0.83,,
d,iforest,below,1,flow,ok,20,0.7,,
d,iforest,failed,1,flow,failed,20,,,
d,random,random,1,flow,ok,20,0.5,,
d,znorm,znorm,1,flow,ok,20,0.8,0.78,0.82
d,ae,untrained,1,flow,ok,20,0.6,,
`)
	c, err := Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Groups[0].Rows {
		want := map[string]string{"near": "znorm", "below": "znorm"}[r.Label]
		control := r.Label == "znorm" || r.Label == "random" || r.Label == "untrained"
		if r.Unbeaten != want || r.Control != control {
			t.Errorf("%s: unbeaten %q, control %v", r.Label, r.Unbeaten, r.Control)
		}
	}
	pivots, err := c.Pivot("model", "data")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range Formats {
		var b strings.Builder
		if err := c.Render(&b, format); err != nil {
			t.Fatal(err)
		}
		if err := RenderPivots(&b, format, pivots); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"csv": "znorm", "json": `"unbeaten_control": "znorm"`,
			"latex": `near \dag{}`}[format]
		if want == "" {
			want = "near †"
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s lacks %q:\n%s", format, want, b.String())
		}
	}
	// without a control nobody is held against one
	rec = twoSets(t)
	if c, err = Compare([]*record.Record{rec}, "", nil); err != nil || c.Groups[0].unbeaten() != "" {
		t.Errorf("%v", err)
	}
}
