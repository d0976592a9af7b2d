package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCacheCommand(t *testing.T) {
	dir := t.TempDir()
	var rows strings.Builder
	for i := range 300 {
		fmt.Fprintf(&rows, "%d,%d,%s\n", i%7, i*i%11, []string{"ok", "ok", "scan"}[i%3])
	}
	file := filepath.Join(dir, "flows.csv")
	if err := os.WriteFile(file, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("name: own\ndata:\n  - name: own\n    format: delimited\n    files: {train: [%s]}\n"+
		"    label: {column: label, benign: [ok]}\n    options: {columns: [{name: a, type: number}, {name: b, type: "+
		"number}, {name: label, type: category}]}\nmodels: [znorm]\nbootstrap: 0\n", file)
	store := filepath.Join(dir, "kept")
	args := []string{"run", writeExperiment(t, text), "--out", filepath.Join(dir, "runs"), "--cache", store, "--quiet"}
	for range 2 {
		if code, _, errOut := plumb(t, args...); code != 0 {
			t.Fatal(errOut)
		}
	}
	code, out, errOut := plumb(t, "cache", "--cache", store)
	for _, want := range []string{"own   vectors, test", "own   audit", "own   head", "5 entries", "at most 4096.0 MB",
		store} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("cache lacks %q:\n%s%s", want, out, errOut)
		}
	}
	if code, out, _ = plumb(t, "cache", "clear", "other", "--cache", store); code != 0 ||
		!strings.Contains(out, "0 entries") {
		t.Errorf("clear other: %s", out)
	}
	if code, out, _ = plumb(t, "cache", "clear", "--cache", store); code != 0 || !strings.Contains(out, "5 entries") {
		t.Errorf("clear: %s", out)
	}
	if code, _, errOut = plumb(t, "cache", "--cache", "off"); code != exitUsage || !strings.Contains(errOut, "it is off") {
		t.Errorf("off: %d %s", code, errOut)
	}
	t.Setenv("PLUMBLINE_CACHE_MB", "many")
	if code, _, errOut = plumb(t, "cache", "--cache", store); code != exitUsage ||
		!strings.Contains(errOut, `"many" is no number`) {
		t.Errorf("a size of many: %d %s", code, errOut)
	}
}
