package main

import (
	"path/filepath"
	"strings"
	"testing"

	"plumbline/runs/alerts"
)

// TestExportOfEmptyRecords: an alert of a row without a value, with a verdict, is a row without a value in the export.
func TestExportOfEmptyRecords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alerts.db")
	s, err := alerts.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := &alerts.Alert{ID: alerts.NewID("a model", "a log", 1, ""), Model: "m", Cause: "none", Group: "g"}
	if err := s.Commit(t.Context(), &alerts.Batch{Alerts: []*alerts.Alert{a}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Judge(t.Context(), a.ID, alerts.False, "empty"); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := plumb(t, "alerts", "export", "--store", file, "--records")
	if code != exitOK || strings.TrimSpace(out) != `{"verdict":"false"}` {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}
