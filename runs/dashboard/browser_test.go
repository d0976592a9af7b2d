package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"plumbline/data/value"
	"plumbline/runs/page/pagetest"
)

// written writes the page of flows to a file.
func written(t testing.TB, f *Flows, details Detailer) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dashboard.html")
	w, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(t.Context(), w, 1, 2, details); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// explained gives every flow details of hostile texts.
func explained(_ context.Context, places []int) (map[int]*Detail, error) {
	out := map[int]*Detail{}
	for _, i := range places {
		d := &Detail{Where: hostile[1], Why: hostile[0]}
		for _, h := range hostile {
			d.Values = append(d.Values, [2]string{clip(h), clip(h)})
			d.Reasons = append(d.Reasons, Reason{clip(h), 0.25, clip(h), clip(h)})
		}
		out[i] = d
	}
	return out, nil
}

// alike says where two values of JSON differ, numbers by more than a billionth.
func alike(path string, a, b any) string {
	switch x := a.(type) {
	case float64:
		if y, ok := b.(float64); ok && math.Abs(x-y) <= 1e-9*math.Max(1, math.Abs(x)) {
			return ""
		}
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return fmt.Sprintf("%s: %d, other %T", path, len(x), b)
		}
		for i := range x {
			if d := alike(fmt.Sprintf("%s[%d]", path, i), x[i], y[i]); d != "" {
				return d
			}
		}
		return ""
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return fmt.Sprintf("%s: %v, %v", path, slices.Sorted(maps.Keys(x)), slices.Sorted(maps.Keys(y)))
		}
		for k := range x {
			if d := alike(path+"."+k, x[k], y[k]); d != "" {
				return d
			}
		}
		return ""
	}
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return fmt.Sprintf("%s: %v, %v", path, a, b)
}

// TestBrowser: the script counts what View counts, whatever the filters; the page asks for nothing, texts of the data
// do nothing, filters by mouse and keyboard change every chart, flows open, figures fit wide and narrow windows.
func TestBrowser(t *testing.T) {
	f := scored(6000, 8)
	f.Against(New(Input{Table: flows(1500, 9)}))
	file := written(t, f, explained)
	browser := pagetest.Start(t)
	tab := browser.Open(t, file, pagetest.Screens[0])
	for _, query := range queries {
		raw, err := json.Marshal(view(t, f, query, 1))
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		text := tab.Text(`load().then(c => JSON.stringify(count(c, read(` + quoted(t, query) + `))))`)
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if d := alike("view", want, got); d != "" {
			t.Errorf("%q: %s", query, d)
		}
	}

	// every chart but those that a filter is made in changes with it
	shape := `JSON.stringify(Object.fromEntries(cards.map(c => [c.id, c.box.hidden ? "" : c.box.innerHTML])))`
	changed := func(before, after string) (same []string) {
		var a, b map[string]string
		if json.Unmarshal([]byte(before), &a) != nil || json.Unmarshal([]byte(after), &b) != nil {
			t.Fatal("no charts")
		}
		for id := range a {
			if a[id] == b[id] && id != "map" {
				same = append(same, id)
			}
		}
		return same
	}
	tab.Run(`settled`)
	before := tab.Text(shape)
	tab.Run(`change({levels: {proto: ["tcp"]}}).then(() => settled)`)
	after := tab.Text(shape)
	if same := changed(before, after); same != nil {
		t.Errorf("a filter by protocol leaves %v as they were", same)
	}
	if got := tab.Text(`location.hash`); got != "#proto=tcp" {
		t.Errorf("the view is at %q", got)
	}
	tab.Press("#time svg", "\u0303") // arrow to the right
	tab.Run(`new Promise(f => setTimeout(f, 100)).then(() => settled)`)
	if same := changed(after, tab.Text(shape)); same != nil {
		t.Errorf("a filter by time with the keyboard leaves %v as they were", same)
	}
	if got := tab.Text(`location.hash`); !strings.Contains(got, "time=") {
		t.Errorf("after an arrow the view is at %q", got)
	}
	if focus := tab.Text(`document.activeElement.getAttribute("aria-roledescription") || ""`); focus != "time filter" {
		t.Errorf("the focus went to %q", focus)
	}
	tab.Press("#time svg", "\u001b") // Escape
	tab.Run(`new Promise(f => setTimeout(f, 100)).then(() => settled)`)
	if got := tab.Text(`location.hash`); got != "#proto=tcp" {
		t.Errorf("after Escape the view is at %q", got)
	}
	tab.Run(`history.back()`)
	tab.Run(`new Promise(f => setTimeout(f, 100)).then(() => settled)`)
	tab.Run(`change(fresh()).then(() => settled)`)
	tab.Press("#dim-state .choice", "\r")
	tab.Run(`new Promise(f => setTimeout(f, 100)).then(() => settled)`)
	if got := tab.Text(`location.hash`); !strings.HasPrefix(got, "#state=") {
		t.Errorf("after Enter on a bar the view is at %q", got)
	}
	// a table stays sorted, and the focus where it is, when a filter makes it again
	sorted := `(() => {
		const heads = $("log").querySelectorAll("[aria-sort]"), at = heads[0].cellIndex;
		const v = [...$("log").querySelectorAll("tbody tr")].map(r => r.cells[at].textContent.toLowerCase());
		return heads.length + heads[0].getAttribute("aria-sort") + v.length + v.every((x, i) => !i || v[i - 1] <= x);
	})()`
	tab.Press("#log thead th:nth-child(4) button", "\r")
	if got := tab.Text(sorted); got != "1ascending30true" {
		t.Errorf("the log after a click on a head: %s", got)
	}
	tab.Run(`change({levels: {proto: ["tcp"]}}).then(() => settled)`)
	if got := tab.Text(sorted); !strings.HasPrefix(got, "1ascending") || !strings.HasSuffix(got, "true") {
		t.Errorf("the sorted log after a filter: %s", got)
	}
	if focus := tab.Text(`document.activeElement.closest("section")?.id || ""`); focus != "log" {
		t.Errorf("after a filter the focus is at %q", focus)
	}
	tab.Click("#log tbody button")
	tab.Run(`new Promise(f => setTimeout(f, 100)).then(() => settled)`)
	drawer := tab.Text(`$("drawer").open + " " + $("drawer").querySelectorAll("tr.here").length + " " +
		$("drawer").textContent.includes("onerror")`)
	if drawer != "true 1 true" {
		t.Errorf("the drawer: %s", drawer)
	}
	tab.Picture("dashboard-hostile-drawer")
	tab.Run(`$("drawer").close(), change(fresh()).then(() => settled)`)
	if harm := tab.Text(`document.title + document.querySelectorAll("main img, main b b, main script").length`); !strings.
		HasSuffix(harm, "plumbline dashboard0") {
		t.Errorf("a text of the data did something: %q", harm)
	}
	for _, name := range []string{"SVG", "CSV"} {
		n := tab.Number(`cards.filter(c => c.drawn).length - [...document.querySelectorAll(".save")]
			.filter(s => [...s.children].some(b => b.textContent === "` + name + `")).length`)
		if n != 0 {
			t.Errorf("%v figures offer no %s", n, name)
		}
	}
	tables := tab.Text(`cards.filter(c => c.details && !c.box.hidden).map(c => {
		c.details.open = true;
		fill(c);
		asCSV(c.table(shown));
		return c.details.querySelectorAll("tbody tr").length ? "" : c.id;
	}).join("")`)
	if tables != "" {
		t.Errorf("no numbers in the tables of %s", tables)
	}
	tab.Fits()
	tab.Quiet()
	for _, s := range append(pagetest.Screens[1:3:3], pagetest.Screens[4:]...) {
		tab := browser.Open(t, "file://"+file+"#proto=tcp", s)
		tab.Run(`new Promise(f => setTimeout(f, 300)).then(() => settled)`)
		tab.Fits()
		tab.Quiet()
		tab.Picture("dashboard-hostile-" + s.String())
	}
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	raw, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestWithoutScripts: the first screen says what it is about.
func TestWithoutScripts(t *testing.T) {
	file := written(t, scored(500, 10), nil)
	tab := pagetest.Start(t).Open(t, file, pagetest.Screen{Width: 1400, Height: 900, NoScripts: true})
	tab.Fits()
	tab.Picture("dashboard-without-scripts")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), `id="cards"`)
	for _, want := range []string{"500 flows of", "alarms", "of the alarms are labelled attacks", `class="hit"`,
		"<noscript>",
		"6 March 2024"} {
		if !strings.Contains(first, want) {
			t.Errorf("the first screen lacks %q", want)
		}
	}
}

// TestServed: the same page asks its own server, for the same views.
func TestServed(t *testing.T) {
	d := &Dashboard{Flows: scored(3000, 11), table: flows(3000, 11)}
	l, stop, ended := serving(t, d)
	address := "http://" + l.Addr().String() + "/"
	tab := pagetest.Start(t).Open(t, address+"#proto=tcp", pagetest.Screen{Width: 1400, Height: 900})
	tab.Run(`change({mark: "yes"})`)
	want := view(t, d.Flows, "proto=tcp&mark=yes", 1)
	if got := tab.Text(`$("kept").textContent`); got != value.Thousands(want.Kept) {
		t.Errorf("%s flows are kept, want %d", got, want.Kept)
	}
	tab.Click("#log tbody button")
	tab.Run(`new Promise(f => setTimeout(f, 300))`)
	if got := tab.Number(`$("drawer").querySelectorAll("dl div").length`); got != float64(len(d.table.Columns)) {
		t.Errorf("the drawer has %v values, want %d", got, len(d.table.Columns))
	}
	for _, r := range tab.Requests() {
		if !strings.HasPrefix(r, address) {
			t.Errorf("the page asks for %s", r)
		}
	}
	if len(tab.Requests()) < 3 {
		t.Errorf("the page asked for %v", tab.Requests())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
