package page

import (
	"os"
	"path/filepath"
	"testing"

	"plumbline/runs/page/pagetest"
)

// TestBrowser: what a browser makes of the frame: numbers unpack, tables sort by click and by keyboard, figures are
// saved, a policy holds.
func TestBrowser(t *testing.T) {
	body := `<h1>x</h1><table data-sorts><thead><tr><th data-text><button>name</button></th><th><button>n</button></th>
</tr></thead><tbody><tr><td>b</td><td data-v="2">two</td></tr><tr><td>a</td><td data-v="10">ten</td></tr><tr><td>c</td>
<td data-v="">–</td></tr></tbody></table><div data-figure="f"><svg viewBox="0 0 100 20"><text x="2"
y="12">t</text></svg>
</div>`
	p := New(body, "", `
const saved = [];
URL.createObjectURL = b => { b.text().then(t => saved.push(t)); return "blob:none"; };
HTMLAnchorElement.prototype.click = () => {};
`)
	file := filepath.Join(t.TempDir(), "page.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	table := TableOf([][]string{{"x", "=class", "tpr"}, {"0.1", "a,b", "0.25"}, {"", "-2+3", ""}})
	if err := p.Write(f, Head{Title: "x"}, nil, map[string]any{"figures": map[string]Table{"f": table},
		"ints": Pack([]int32{-1, 1 << 30}), "reals": Pack([]float32{0.5})}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	tab := pagetest.Start(t).Open(t, file, pagetest.Screen{Width: 390, Height: 844})
	if got := tab.Text(`[...unpack(data.ints), ...unpack(data.reals)].join()`); got != "-1,1073741824,0.5" {
		t.Errorf("unpacked: %s", got)
	}
	order := `[...document.querySelectorAll("tbody tr")].map(r => r.cells[0].textContent).join("")`
	tab.Click("th:nth-child(2) button")
	if got := tab.Text(order); got != "abc" {
		t.Errorf("descending by n: %s", got)
	}
	tab.Press("th:nth-child(2) button", "\r")
	if got := tab.Text(order); got != "bac" {
		t.Errorf("ascending by n: %s", got)
	}
	tab.Press("th:nth-child(1) button", " ")
	if got := tab.Text(order + `+document.querySelector("th").getAttribute("aria-sort")`); got != "abcascending" {
		t.Errorf("by name: %s", got)
	}
	for n, want := range []string{"<svg", "x,'=class,tpr\n0.1,\"a,b\",0.25\n,'-2+3,\n"} {
		tab.Run(`document.querySelectorAll(".save button")[` + string(rune('0'+n)) + `].click()`)
		got := tab.Text(`new Promise(f => setTimeout(() => f(saved.at(-1)), 50))`)
		if n == 0 && (len(got) < 4 || got[:4] != want) || n == 1 && got != want {
			t.Errorf("saved %q, want %q", got, want)
		}
	}
	tab.Fits()
	tab.Quiet()
	answer := tab.Text(`fetch("http://127.0.0.1:1/x").then(() => "asked", () => "forbidden")`)
	if answer != "forbidden" || len(tab.Requests()) != 1 {
		t.Errorf("a request was %s: %v", answer, tab.Requests())
	}
}
