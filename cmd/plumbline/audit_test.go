package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAuditFile: a plain file is read as data infer guesses.
func TestAuditFile(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("size,proto,label\n")
	for i := range 200 {
		label, size := "normal", i%50
		if i%4 == 3 {
			label, size = "scan", 1000+i%3
		}
		fmt.Fprintf(&rows, "%d,tcp,%s\n", size, label)
	}
	file := filepath.Join(t.TempDir(), "flows.csv")
	if err := os.WriteFile(file, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := plumb(t, "audit", file)
	for _, want := range []string{"flows: 200 rows", "shortcut", "size", "constant", "scan"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("the audit lacks %q:\n%s%s", want, out, errOut)
		}
	}
	if !strings.Contains(errOut, `label column "label", benign: normal`) {
		t.Errorf("the guess is not said: %s", errOut)
	}
	bare := filepath.Join(t.TempDir(), "bare.csv")
	if err := os.WriteFile(bare, []byte("a,b\n1,2\n3,4\n5,6\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut = plumb(t, "audit", bare); code != 0 || !strings.Contains(out, "3 rows without labels") ||
		!strings.Contains(errOut, "no column looks like a label") {
		t.Errorf("without a label: %d %s", code, errOut)
	}
	if code, _, errOut = plumb(t, "audit", "no-such-data"); code != exitUsage ||
		!strings.Contains(errOut, "no-such-data") {
		t.Errorf("nothing of that name: %d %s", code, errOut)
	}
}
