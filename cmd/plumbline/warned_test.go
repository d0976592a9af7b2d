package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestColumnsThatTellAreNamed: check, run and audit name the columns that tell nearly all by themselves, and those that
// preparation drops for being constant in training although they vary in test.
func TestColumnsThatTellAreNamed(t *testing.T) {
	var b strings.Builder
	b.WriteString("size,code,flag,label\n")
	for i := range 600 {
		label, code, flag := "ok", i%7, 0
		if i%3 == 2 {
			label, code, flag = "bad", 100+i%5, i/3%2
		}
		fmt.Fprintf(&b, "%d,%d,%d,%s\n", i*i%101, code, flag, label)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "e.yaml")
	for name, text := range map[string]string{
		"rows.csv": b.String(),
		"rows.yaml": "name: rows\nformat: delimited\nfiles: [rows.csv]\nlabel: {column: label, benign: [ok]}\n" +
			"options: {header: true, types: {label: category}}\nprep: [drop_constant]\n",
		"e.yaml": "name: e\ndata: [rows]\nmodels: [znorm]\nbootstrap: 0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	leak := "a single column tells attacks from benign rows (AUROC above 0.999): code:"
	dropped := "column flag is dropped (drop_constant), since it hardly varies in training; 100 of "
	runs, kept := filepath.Join(dir, "runs"), filepath.Join(dir, "cache")
	for _, c := range []struct{ args, want []string }{
		{[]string{"check", file, "--read"}, []string{leak, dropped}},
		{[]string{"run", file, "--out", runs, "--cache", kept}, []string{"warning: " + leak, "warning: " + dropped}},
		{[]string{"run", file, "--out", runs, "--cache", kept, "-q"}, []string{"warning: " + leak, "warning: " + dropped}},
		{[]string{"audit", filepath.Join(dir, "rows.yaml")}, []string{"column code alone tells attacks (AUROC 1.0000",
			"column flag has one value in the benign training rows, and another in 100 test rows: drop_constant takes it out"}},
	} {
		code, out, errOut := plumb(t, c.args...)
		for _, want := range c.want {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("%v lacks %q: %d %s%s", c.args, want, code, out, errOut)
			}
		}
		if strings.Contains(out, "above 0.999): code, ") || strings.Contains(out, "column size is") {
			t.Errorf("%v: %s", c.args, out)
		}
	}
	// audit: false asks for no audit
	if code, out, _ := plumb(t, "check", file, "--read", "audit=false"); code != 0 || strings.Contains(out, leak) {
		t.Errorf("audit: false: %d %s", code, out)
	}
}
