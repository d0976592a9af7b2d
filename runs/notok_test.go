package runs

import (
	"testing"

	_ "plumbline/models/all"
	"plumbline/runs/record"
)

// TestNotOK: failed cells are named by their models, controls as such.
func TestNotOK(t *testing.T) {
	o := Outcome{Results: []record.Result{{Label: "a", Model: "iforest", Status: record.OK},
		{Label: "a", Model: "iforest", Status: record.Failed}, {Label: "z", Model: "znorm", Status: record.Failed},
		{Label: "a", Model: "iforest", Status: record.TimedOut}, {Label: "untrained", Model: "ae", Status: record.Failed}}}
	if got, want := o.NotOK(), "a 2, z (control) 1, untrained (control) 1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
