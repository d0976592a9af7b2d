package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMissingFilesAreNamedFirst: files that are not there are all named before any is read, with exit code 2, and
// leave no run directory. The config is found by the name in it, which is not that of its file.
func TestMissingFilesAreNamedFirst(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.MkdirAll("configs/data", 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"configs/data/guessed.yaml": "name: my-flows\nformat: delimited\nfiles: {train: [a.csv, b.csv]}\n" +
			"label: {column: y, benign: ['0']}\noptions: {header: true}\n",
		"e.yaml": "name: e\ndata: [my-flows, {data: my-flows, name: second, files: {train: [c.csv]}}]\n" +
			"models: znorm\nseeds: 1\n",
		"a.csv": "x\n1,2\n", // it could not be read: it lacks the label
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errOut := plumb(t, "run", "e.yaml", "--data", ".")
	lines := strings.Split(strings.TrimSpace(errOut), "\n")
	if code != exitUsage || out != "" || len(lines) != 2 ||
		!strings.Contains(lines[0], "my-flows: data: data file not found: b.csv") ||
		!strings.Contains(lines[1], "second: data: data file not found: c.csv") || strings.Contains(errOut, "a.csv") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	_, places, _ := strings.Cut(lines[0], "is in none of: ")
	places, _, _ = strings.Cut(places, ";")
	list := strings.Split(places, ", ")
	if slices.Sort(list); len(list) < 4 || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("folders %q, want each once", list)
	}
	if _, err := os.Stat("runs"); !os.IsNotExist(err) {
		t.Errorf("a run directory was made: %v", err)
	}
}
