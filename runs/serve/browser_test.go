package serve_test

import (
	"fmt"
	"strings"
	"testing"

	"plumbline/runs/page/pagetest"
	"plumbline/runs/serve"
)

// TestPage: a record is tried by hand and the alert appears; on every screen nothing is cut, and nothing but the server
// is asked.
func TestPage(t *testing.T) {
	b := pagetest.Start(t)
	tr := train(t, "flow")
	const token = "secret"
	for i, screen := range pagetest.Screens {
		if screen.Print { // the form is not printed, and cannot be filled in there
			continue
		}
		address, _, _ := started(t, tr, func(o *serve.Options) {
			if i == 0 {
				o.Token = token
			}
		}, "ae", "iforest")
		tab := b.Open(t, "http://"+address+"/", screen)
		wait := func(what, condition string) {
			t.Helper()
			tab.Run(fmt.Sprintf(`new Promise((done, fail) => { const from = Date.now(); const look = () => %s ? done() :
				Date.now() - from > 15000 ? fail(new Error(%q)) : setTimeout(look, 20); look(); })`, condition, what))
		}
		if i == 0 {
			wait("no lock", `!document.getElementById("locked").hidden`)
			tab.Run(`document.getElementById("token").value = "` + token + `"`)
			tab.Click("#unlock button")
		}
		wait("no form", `document.querySelectorAll("#form input").length > 3`)
		tab.Click("#go")
		wait("no verdict", `/score is/.test(document.getElementById("says").textContent)`)
		wait("no reasons", `document.querySelectorAll("#reasons tbody tr").length > 1`)
		if tab.Number(`document.querySelectorAll("#form input.odd").length`) != 0 {
			t.Error("a field is marked that is right")
		}
		// a value that is no number is said, at its field
		field := tab.Text(`[...document.querySelectorAll("#form input")].find(e => e.inputMode === "decimal").name`)
		tab.Run(fmt.Sprintf(`document.getElementById("form").elements[%q].value = "many"`, field))
		tab.Click("#go")
		wait("no error", `/want a number/.test(document.getElementById("says").textContent)`)
		if says := tab.Text(`document.getElementById("says").textContent`); !strings.HasPrefix(says, field+" ") {
			t.Errorf("the error %q does not begin with %s", says, field)
		}
		if tab.Text(`document.activeElement.name`) != field {
			t.Error("the field of the error has not the focus")
		}
		tab.Run(fmt.Sprintf(`document.getElementById("form").elements[%q].value = "1e9"`, field))
		// every record is an anomaly to a threshold below all scores
		tab.Run(`document.getElementById("threshold").value = "-1"`)
		tab.Click("#go")
		wait("no alert", `document.querySelectorAll("#alerts tbody tr").length > 0`)
		wait("no anomaly", `/^An anomaly/.test(document.getElementById("says").textContent)`)
		if i%2 == 1 { // several at once
			tab.Run(`document.getElementById("text").open = true`)
			tab.Run(`document.getElementById("json").value = JSON.stringify(Array.from({length: 5}, record))`)
			tab.Click("#send")
			wait("no table", `document.querySelectorAll("#predictions tbody tr").length === 5`)
		}
		tab.Fits()
		tab.Picture("serve-" + screen.String())
		for _, r := range tab.Requests() {
			if !strings.HasPrefix(r, "http://"+address+"/") {
				t.Errorf("the page asks %s", r)
			}
		}
	}
}
