package edapage

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/eda"
	"plumbline/runs/page/pagetest"
)

var hostile = []string{`<b onclick="alert(1)">x</b>`, `"><script>alert(1)</script>`, "\u202egnp.exe", "\x1b[31mred\n",
	`bytes <img src=x onerror=alert(1)>`, "=cmd()|x", strings.Repeat("long", 40), "it's & \"q\""}

// flows is rows of columns by these names, numbers and categories in turn, with attacks and times over some days.
func flows(rows int, names []string, labelled bool) *data.Table {
	r := rand.New(rand.NewPCG(3, 4))
	t := &data.Table{Name: "flows", Rows: rows}
	if labelled {
		t.Classes = []string{"normal", hostile[1]}
		for i := range rows {
			t.Attack = append(t.Attack, i%7 == 0)
			t.Class = append(t.Class, map[bool]uint32{false: 0, true: 1}[i%7 == 0])
		}
	}
	for k, name := range names {
		c := data.Column{Name: name, Type: data.Number}
		if k%3 == 2 {
			c.Type, c.Levels = data.Category, hostile
		}
		for i := range rows {
			v := math.Exp(3*r.NormFloat64()) + float64(k)
			if labelled && t.Attack[i] {
				v *= 4
			}
			if c.Type == data.Category {
				c.Code = append(c.Code, uint32(r.IntN(len(hostile))))
			} else {
				c.Num = append(c.Num, math.Round(v))
			}
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

func timed(t *data.Table) *data.Table {
	c := data.Column{Name: "ts", Type: data.Time}
	for i := range t.Rows {
		c.Nanos = append(c.Nanos, 1_700_000_000e9+int64(i)*3*86400/int64(t.Rows)*1e9)
	}
	src := data.Column{Name: "src", Type: data.Address, Levels: []string{"10.0.0.1", hostile[0]}}
	for i := range t.Rows {
		src.Code = append(src.Code, uint32(i/3%2))
	}
	t.Columns = append([]data.Column{c, src}, t.Columns...)
	return t
}

func collected(t *testing.T, table *data.Table) *eda.Collector {
	t.Helper()
	c := eda.NewCollector(eda.Options{Workers: 2})
	if err := c.Add(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	return c
}

func written(t *testing.T, c *eda.Collector, r eda.Request) string {
	t.Helper()
	rep, err := c.Report(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, rep); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWrite: pages of all kinds of tables are within their bytes, carry no script but the page's, and hold nothing of
// the data's markup; with scripts off the features are there.
func TestWrite(t *testing.T) {
	var wide []string
	for i := range 700 {
		wide = append(wide, fmt.Sprintf("feature number %d of many", i))
	}
	for name, c := range map[string]struct {
		table *data.Table
		most  int
		want  []string
	}{
		"hostile": {timed(flows(3000, hostile, true)), 150_000, []string{"Hypothesis tests", "Rows over time",
			"What lies outside"}},
		"unlabelled": {flows(500, []string{"a", "b", "c"}, false), 60_000, []string{"without labels"}},
		"one column": {flows(50, []string{"a"}, false), 50_000, []string{"50 rows of 1 column"}},
		"one row":    {flows(1, []string{"a", "b"}, true), 50_000, []string{"nothing tells benign rows from attacks"}},
		"wide":       {flows(300, wide, true), 1_000_000, []string{"400 more are in eda.json"}},
	} {
		text := written(t, collected(t, c.table), eda.Request{})
		if len(text) > c.most {
			t.Errorf("%s: %d bytes, want at most %d", name, len(text), c.most)
		}
		if n := strings.Count(text, "<script"); n != 2 {
			t.Errorf("%s: %d scripts", name, n)
		}
		for _, not := range []string{"<b onclick", "<img", "\u202e", "\x1b"} {
			if strings.Contains(text, not) {
				t.Errorf("%s: the page has %q", name, not)
			}
		}
		body, _, _ := strings.Cut(text, `<script type="application/json"`)
		for _, want := range append(c.want, `<svg viewBox="0 0 160 28"`) {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %q", name, want)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1234567: "1.23e6", -45567.4: "−45,567", 0.5212: "0.5212",
		2.5e-7: "2.50e-07", 12: "12", 3.14159: "3.142", math.Inf(1): "+Inf"} {
		if got := human(v); got != want {
			t.Errorf("human(%v) = %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0 %", 1e-9: "< 0.01 %", 0.001: "0.1 %", 0.256: "25.6 %"} {
		if got := percent(v); got != want {
			t.Errorf("percent(%v) = %s, want %s", v, got, want)
		}
	}
}

// TestBrowser: the page throws nothing and asks for nothing; columns open, sort and filter by mouse and keyboard;
// nothing is cut at any width in light and dark.
func TestBrowser(t *testing.T) {
	b := pagetest.Start(t)
	table := timed(flows(4000, hostile, true))
	text := written(t, collected(t, table), eda.Request{Against: collected(t, timed(flows(2000, hostile, true)))})
	file := filepath.Join(t.TempDir(), "eda.html")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range pagetest.Screens {
		tab := b.Open(t, file, s)
		tab.Fits()
		tab.Run(`globalThis.columns = () => [...document.querySelectorAll("#features > tbody > tr:not(.detail)")]`)
		first := func() string { return tab.Text(`document.querySelector("#features tbody tr").dataset.name`) }
		tab.Click("#features tbody tr:nth-child(4) .name button")
		if n := tab.Number(`document.querySelectorAll("#features tr.detail svg path").length`); n < 2 {
			t.Errorf("%v: an opened column draws %v areas", s, n)
		}
		got := tab.Text(`document.querySelector("#features tbody tr:nth-child(4) .name button").ariaExpanded`)
		if got != "true" {
			t.Errorf("%v: the button says %q", s, got)
		}
		tab.Click("#features tbody tr:nth-child(1) .name button")
		if got := tab.Text(`document.querySelector("#features tr.detail svg text").textContent`); got != "2023-11-14 22:13" {
			t.Errorf("%v: times begin at %q", s, got)
		}
		tab.Click("#features thead th:nth-child(3) button")
		top := tab.Number(`+document.querySelector("#features tbody tr").cells[2].dataset.v`)
		if low := tab.Number(`+columns().at(-1).cells[2].dataset.v`); !(top > low) {
			t.Errorf("%v: sorted by AUROC the first has %v, the last %v", s, top, low)
		}
		before := first()
		tab.Press("#features thead th:nth-child(1) button", "\r")
		if got := first(); got == before {
			t.Errorf("%v: the keyboard does not sort: %q is still first", s, got)
		}
		tab.Run(`const f = document.querySelector("[data-filter]"); f.value = "gnp"; f.dispatchEvent(new Event("input"))`)
		if n := tab.Number(`columns().filter(r => !r.hidden).length`); n != 1 {
			t.Errorf("%v: %v columns hold the word", s, n)
		}
		tab.Run(`const m = document.querySelector("[data-measure]"); m.value = 2; m.dispatchEvent(new Event("change"))`)
		if n := tab.Number(`document.querySelectorAll(".map tbody tr").length`); n < 2 {
			t.Errorf("%v: the map has %v rows", s, n)
		}
		tab.Quiet()
		tab.Picture("eda")
	}
}
