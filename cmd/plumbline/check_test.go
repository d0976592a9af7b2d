package main

import (
	"testing"

	"plumbline/configs/settings"
	"plumbline/models"
	"plumbline/runs/experiment"
)

func TestWithoutControl(t *testing.T) {
	entry := func(model, label, params string) experiment.Entry {
		info, err := models.Lookup(model)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := models.Decode(model, document(t, params))
		if err != nil {
			t.Fatal(err)
		}
		return experiment.Entry{Label: label, Info: info, Spec: spec}
	}
	got := withoutControl([]experiment.Entry{
		entry("lstm_ae", "long", "window: 20"),
		entry("lstm_ae", "short", "window: 1"),
		entry("deeplog", "deeplog", "window: 5"),
		entry("znorm", "znorm", "{}"),
	})
	if len(got) != 1 || got[0].Label != "deeplog" {
		t.Errorf("without a control: %v", got)
	}
}

func document(t *testing.T, text string) settings.Node {
	t.Helper()
	doc, err := settings.Parse("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
