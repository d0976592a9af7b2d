package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSimulate: a capture and its truth from the command line, the same for the same seed, and nothing written over.
func TestSimulate(t *testing.T) {
	dir := t.TempDir()
	file, truth := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "truth.csv")
	args := []string{"data", "simulate", "-o", file, "--truth", truth, "--minutes", "1", "--clients", "4",
		"--attacks", "sweep,flood", "--snaplen", "96"}
	if code, _, errOut := plumb(t, args...); code != exitOK || !strings.Contains(errOut, "packets") {
		t.Fatal(code, errOut)
	}
	raw, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil || len(lines) < 3 || strings.Join(lines[0], ",") != "from,to,src,dst,class" {
		t.Fatalf("truth: %v, %v", lines, err)
	}
	for _, l := range lines[1:] {
		if l[4] != "sweep" && l[4] != "flood" {
			t.Errorf("an attack that was not asked for: %v", l)
		}
	}
	if code, _, errOut := plumb(t, args...); code != exitUsage || !strings.Contains(errOut, "--force") {
		t.Errorf("written over: %d, %s", code, errOut)
	}
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errOut := plumb(t, "data", "simulate", "--minutes", "1", "--clients", "4", "--attacks", "sweep,flood",
		"--snaplen", "96")
	if code != exitOK || out != string(first) {
		t.Errorf("to stdout %d bytes, to a file %d: %d, %s", len(out), len(first), code, errOut)
	}
	code, _, errOut = plumb(t, "data", "simulate", "--attacks", "worm", "--minutes", "-1")
	if code != exitUsage || !strings.Contains(errOut, "worm") || !strings.Contains(errOut, "minutes") {
		t.Errorf("settings: %d, %s", code, errOut)
	}
}
