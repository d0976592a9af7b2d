package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/runs/page/pagetest"
	"plumbline/runs/record"
)

// browserRun is a run whose page has all parts: two data sets, many models with names of every length, failed cells.
func browserRun(t *testing.T) *record.Record {
	t.Helper()
	var cells []cell
	labels := []string{"iforest", "ae", "a model with a name that is much longer than any column would want it to be",
		"lof", "pca", "random", "kde"}
	for _, data := range []string{"first", "second"} {
		for i, label := range labels {
			for seed := range uint64(2) {
				model := "iforest"
				if label == "random" {
					model = "random"
				}
				cells = append(cells, cell{data, model, label, seed, 3 - float64(i)/2, []string{"scan", "flood"}})
			}
		}
	}
	rec := written(t, 300, cells)
	rec.Results = append(rec.Results, record.Result{Data: "first", Model: "lof", Label: "broken", Unit: "flow",
		Status: record.Failed, Error: "no memory", Cell: "cells/first/broken"})
	return rec
}

func fileOfPage(t *testing.T, rec *record.Record) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(pageOf(t, rec)), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestBrowser: the page opens on every screen without an error, a request or anything cut, and its tools work.
func TestBrowser(t *testing.T) {
	rec := browserRun(t)
	file, browser := fileOfPage(t, rec), pagetest.Start(t)
	for _, s := range pagetest.Screens {
		t.Run(s.String(), func(t *testing.T) {
			tab := browser.Open(t, file, s)
			tab.Fits()
			tab.Quiet()
			tab.Picture("report-" + s.String())
		})
	}
	t.Run("tools", func(t *testing.T) {
		tab := browser.Open(t, file, pagetest.Screens[0])
		names := `[...document.querySelectorAll("#s0 [data-table] tbody tr:not([hidden])")].map(r => r.dataset.label).join()`
		if got := tab.Text(names); !strings.HasPrefix(got, "iforest,ae,") {
			t.Errorf("best first: %s", got)
		}
		tab.Press("#s0 [data-main]", "\r")
		if got := tab.Text(names); !strings.HasSuffix(got, "ae,iforest") && !strings.HasSuffix(got, "ae,iforest,broken") {
			t.Errorf("worst first: %s", got)
		}
		tab.Run(`{const s = document.querySelector("#s0 [data-metric]");
			s.value = "f1";
			s.dispatchEvent(new Event("change"))}`)
		if got := tab.Text(`document.querySelector("#s0 [data-main]").textContent`); got != "f1" {
			t.Errorf("ranked by %s", got)
		}
		tab.Press("#s0 [data-filter]", "kd")
		if got := tab.Text(names); got != "kde" {
			t.Errorf("models that hold kd: %s", got)
		}
		before := tab.Text(`document.querySelector("[data-out=fpr]").textContent`)
		tab.Run(`{const r = document.querySelector("[data-rate]"); r.value = 90; r.dispatchEvent(new Event("input"))}`)
		after := tab.Text(`[...document.querySelectorAll("[data-explorer]")][0].querySelector("[data-out=fpr]").textContent`)
		if before != "1 %" || after != "10 %" {
			t.Errorf("the explorer says %s, then %s", before, after)
		}
		tab.Quiet()
	})
	t.Run("without scripts", func(t *testing.T) {
		tab := browser.Open(t, file, pagetest.Screen{Width: 1400, Height: 900, NoScripts: true})
		tab.Picture("report-without-scripts")
		tab.Quiet()
	})
}

// TestOpensAtOnce: a page of 500 cells is drawn within half a second.
func TestOpensAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("a page of 500 cells")
	}
	file := fileOfPage(t, manyCells(t))
	tab := pagetest.Start(t).Open(t, file, pagetest.Screens[0])
	took := tab.Number(`performance.timing.loadEventEnd - performance.timing.navigationStart`)
	t.Logf("500 cells open in %.0f ms", took)
	tab.Run(`new Promise((done, late) => {
		const hidden = () => [...document.querySelectorAll(".card")].filter(c =>
			getComputedStyle(c).contentVisibility !== "visible").length;
		const end = Date.now() + 20000;
		const look = () => { if (!hidden()) done(); else if (Date.now() > end) late(hidden() + " cards are not laid out");
			else setTimeout(look, 20) };
		look() })`)
	tab.Picture("report-500")
	tab.Quiet()
}
