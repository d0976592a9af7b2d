package compare

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"plumbline/runs"
)

// record is a run with cells that a person can add up: a has AUROC .8 and .9, b one failed cell and one
// ok, c one run with a bootstrap interval.
func record(t *testing.T) *runs.Record {
	t.Helper()
	const file = `data,model,label,seed,unit,status,error,n_train,n_test,auroc,fit_seconds,auroc_low,auroc_high,warnings
d,m,a,1,flow,ok,,10,20,0.8,1,,,
d,m,a,2,flow,ok,,10,20,0.9,3,,,
d,m,b,1,flow,failed,"no | room",10,20,,,,,
d,m,b,2,flow,ok,,10,20,0.7,1,,,small class
d,n,c,1,flow,ok,,10,20,0.95,1,0.9,0.97,
e,n,c,1,host,ok,,10,20,,1,,,
`
	results, err := runs.ReadResults(strings.NewReader(file), "r.csv")
	if err != nil {
		t.Fatal(err)
	}
	return &runs.Record{Dir: "x", Complete: true, Results: results}
}

func TestCompare(t *testing.T) {
	c, err := Compare([]*runs.Record{record(t)}, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Groups) != 2 || c.Groups[1].Unit != "host" {
		t.Fatalf("%+v", c.Groups)
	}
	g := c.Groups[0]
	if g.Rows[0].Label != "c" || g.Rows[1].Label != "a" || g.Rows[2].Label != "b" || g.Rows[2].Rank != 3 {
		t.Fatalf("order %+v", g.Rows)
	}
	a := g.Rows[1].Main
	// t(1, .975) = 12.706204736432095 (tables); sd of .8 and .9 is .0707106781
	half := 12.706204736432095 * 0.07071067811865474 / math.Sqrt2
	if a.N != 2 || math.Abs(a.Mean-0.85) > 1e-12 || math.Abs(a.Interval.High-0.85-half) > 1e-9 || a.Bootstrap {
		t.Errorf("a: %+v", a)
	}
	if top := g.Rows[0].Main; !top.Bootstrap || top.Interval.Low != 0.9 || top.Interval.High != 0.97 {
		t.Errorf("c: %+v", top)
	}
	if b := g.Rows[2]; b.OK != 1 || b.Cells != 2 || len(b.Errors) != 1 {
		t.Errorf("b: %+v", b)
	}
	if r := c.Groups[1].Rows[0]; r.Rank != 0 || !math.IsNaN(r.Main.Mean) {
		t.Errorf("undefined: %+v", r)
	}
	if !strings.Contains(strings.Join(g.Warnings, "\n"), "small class (1 of 4 cells)") || !strings.Contains(strings.Join(g.Warnings, "\n"), "seeds are few") {
		t.Errorf("warnings %q", g.Warnings)
	}
	fast, err := Compare([]*runs.Record{record(t)}, "fit_seconds")
	if err != nil || fast.Groups[0].Rows[2].Label != "a" {
		t.Errorf("by time: %+v, %v", fast, err)
	}
	if _, err := Compare([]*runs.Record{record(t)}, "auc"); err == nil || !strings.Contains(err.Error(), "known: auroc") {
		t.Errorf("error %v", err)
	}
	if _, err := Compare(nil, ""); err == nil {
		t.Error("nothing is compared without an error")
	}
}

func TestRender(t *testing.T) {
	c, err := Compare([]*runs.Record{record(t)}, "")
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string][]string{
		"table":    {"d, unit flow: 20 judged", "2  a      0.8500 ± 0.0707", "[0.9000, 0.9700]ᵇ", "1/2", "b failed: no | room", "warning: "},
		"markdown": {"| 2 | a | 0.8500 ± 0.0707 |", "### e, unit host"},
		"csv":      {"d,flow,1,c,n,auroc,1,1,0.95,,0.9,0.97,bootstrap", "e,host,0,c,n,auroc,0,1,,,,,"},
		"json":     {`"mean": null`, `"interval": "bootstrap"`},
	} {
		var b strings.Builder
		if err := c.Render(&b, format); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %q:\n%s", format, w, b.String())
			}
		}
		if format == "json" && !json.Valid([]byte(b.String())) {
			t.Error("not JSON")
		}
	}
	if err := c.Render(&strings.Builder{}, "pdf"); err == nil {
		t.Error("an unknown format is accepted")
	}
}
