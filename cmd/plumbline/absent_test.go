package main

import (
	"strings"
	"testing"
)

// TestNamesOfNothing: what an argument names and the run or the data does not have is a mistake in the arguments,
// whether it is known at once or when the data has been read.
func TestNamesOfNothing(t *testing.T) {
	t.Setenv("PLUMBLINE_DATA", "")
	dir, _ := runDir(t)
	for want, args := range map[string][]string{
		"there is no cell 99: the run has cells 1 to": {"run", "--resume", dir, "--cells", "99"},
		`there is no cell "nobody"`:                   {"run", "--resume", dir, "--cell", "nobody"},
		`no column "colour"`:                          {"eda", "synth", "--test", "colour ~ label"},
		`no column "shape"`:                           {"eda", "synth", "--test", "label ~ shape > 0"},
		"a number is compared with 0 alone":           {"eda", "synth", "--test", "label ~ duration > 1"},
		"data file not found":                         {"eda", "nsl-kdd", "--data", dir},
	} {
		if code, _, errOut := plumb(t, args...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: exit %d: %s", args, code, errOut)
		}
	}
}
