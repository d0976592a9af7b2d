package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"plumbline/cmd/command"
	"plumbline/runs/record"
)

// TestSharesOfABusyRun: cells of a run that one process carries out alone are to be asked for again later, as cells are
// that another process has; a second process that would carry out all of it has failed.
func TestSharesOfABusyRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no locks of folders here")
	}
	root := t.TempDir()
	if code, _, errOut := plumb(t, "run", writeExperiment(t, tiny), "--launcher", "print", "--out", root); code != exitOK {
		t.Fatal(errOut)
	}
	made, err := filepath.Glob(filepath.Join(root, "*-tiny"))
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	folder, err := os.Open(made[0])
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if record.Lock(folder, false) {
		t.Fatal("somebody has the new run")
	}
	for want, args := range map[int][]string{command.ExitAgain: {"--cells", "1-2"}, exitFailed: nil} {
		code, _, errOut := plumb(t, append([]string{"run", "--resume", made[0]}, args...)...)
		if code != want || !strings.Contains(errOut, "another process is at work on this run") {
			t.Errorf("%v: exit %d, want %d: %s", args, code, want, errOut)
		}
	}
}
