package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReportOfARun: a run names its report, the command writes the same, and plot the figures with their numbers.
func TestReportOfARun(t *testing.T) {
	out := t.TempDir()
	code, said, errOut := plumb(t, "run", writeExperiment(t, tiny), "--out", out, "--quiet")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	dir := onlyRun(t, out)
	file := filepath.Join(dir, reportFile)
	if !strings.HasSuffix(said, "\nreport: "+file+"\n"+dir+"\n") {
		t.Errorf("the run ends with:\n%s", said)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	code, again, errOut := plumb(t, "report", dir)
	if code != exitOK || !bytes.Equal(kept, []byte(again)) {
		t.Errorf("exit %d, another page of %d bytes, want %d: %s", code, len(again), len(kept), errOut)
	}
	if code, _, errOut := plumb(t, "verify", dir, "--files"); code != exitOK {
		t.Errorf("verify does not know the report: %s", errOut)
	}
	figures := filepath.Join(out, "figures")
	code, said, errOut = plumb(t, "plot", dir, "-o", figures)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	for _, line := range strings.Fields(said) {
		for _, name := range []string{line, strings.TrimSuffix(line, ".svg") + ".csv"} {
			if st, err := os.Stat(name); err != nil || st.Size() == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if !strings.Contains(said, "roc-synth.svg") {
		t.Error(said)
	}
	if code, _, _ := plumb(t, "report", filepath.Join(out, "nothing")); code != exitUsage {
		t.Errorf("a folder that is not there: exit %d", code)
	}
}
