package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// TestNoEscapesFromData: what stands in names of columns, classes and values steers no terminal, whatever prints it.
func TestNoEscapesFromData(t *testing.T) {
	const evil = "\x1b]0;owned\x07\x1b[2J\u202e\u009b31m"
	var b strings.Builder
	b.WriteString("ts,host,svc" + evil + ",size,label\n")
	for i := range 1200 {
		label, size, svc := "normal"+evil, "1.5", "s"+evil
		if i%20 == 19 {
			label, size, svc = "scan"+evil, "90", "t"+evil
		}
		fmt.Fprintf(&b, "%d,%s,%s,%s,%s\n", 1700000000+10*i, "10.0.0.7"+evil, svc, size, label)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "flows.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	quoted := `"normal\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"`
	quoted = strings.Replace(quoted, `\x9b`, `\u009b`, 1)
	config := filepath.Join(dir, "evil.yaml")
	text := `
name: evil
data:
  - name: evil
    format: delimited
    files: {train: [` + file + `]}
    label: {column: label, benign: [` + quoted + `]}
    options:
      header: true
      columns:
        - {name: ts, type: time}
        - {name: host, type: category}
        - {name: ` + strings.Replace(quoted, "normal", "svc", 1) + `, type: category}
        - {name: size, type: number}
        - {name: label, type: category}
    split: {kind: random, test: 0.4, validation: 0.2}
    prep: [onehot, {step: scale, kind: zscore}]
models: [znorm, iforest]
`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	look := func(args ...string) string {
		t.Helper()
		code, out, errOut := plumb(t, args...)
		for _, r := range out + errOut {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
				t.Errorf("%v (exit %d) prints %q:\n%q", args, code, r, out+errOut)
				break
			}
		}
		if code != exitOK {
			t.Errorf("%v: exit %d: %s", args, code, errOut)
		}
		return out
	}
	out := look("run", config, "--out", filepath.Join(dir, "runs"))
	lines := strings.Split(strings.TrimSpace(out), "\n")
	run := lines[len(lines)-1]
	if _, err := os.Stat(filepath.Join(run, "results.csv")); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range [][]string{
		{"check", config}, {"show", run}, {"show", run + "/znorm"}, {"compare", run},
		{"compare", run, "--format", "markdown"}, {"investigate", run + "/znorm"}, {"investigate", run + "/iforest"},
		{"audit", file}, {"list", filepath.Join(dir, "runs")},
	} {
		look(args...)
	}
	for _, args := range [][]string{{"investigate", run + "/znorm"}, {"audit", file}} {
		if out := look(args...); !strings.Contains(out, `scan\x1b]0;owned`) {
			t.Errorf("%v does not show the class:\n%s", args, out)
		}
	}
}
