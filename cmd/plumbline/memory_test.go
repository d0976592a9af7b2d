package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestMemorySizes(t *testing.T) {
	for text, want := range map[string]memorySize{
		"0": 0, "8GB": 8e9, "1.5 gb": 1.5e9, "500MB": 5e8, "4096": 4096, "2tb": 2e12, "10 kB": 1e4, "7b": 7,
	} {
		var m memorySize
		if err := m.Set(text); err != nil || m != want {
			t.Errorf("%q is %d, %v; want %d", text, m, err, want)
		}
	}
	for _, text := range []string{"", "much", "-1GB", "GB", "1e30GB", "NaN"} {
		var m memorySize
		if err := m.Set(text); err == nil {
			t.Errorf("%q is taken for %d", text, m)
		}
	}
}

// TestMemoryIsKept: cells whose data do not fit fail with one line that says the sizes, and check says it before.
func TestMemoryIsKept(t *testing.T) {
	file := writeExperiment(t, tiny)
	hungry := strings.Replace(tiny, "models: [", "models: [hierarchical, {model: feature_bagging, label: bagged, "+
		"params: {model: hierarchical}}, ", 1)
	for _, c := range []struct {
		memory, text string
		says         []string // lines of check, and errors of cells
		fail         []string // cells
	}{
		{"20kB", tiny, []string{"not enough memory: the table of"}, []string{"znorm", "markov", "iforest"}},
		{"300kB", tiny, []string{"not enough memory: the vectors of"}, []string{"znorm", "iforest"}}, // symbols fit
		{"400kB", hungry, []string{"not enough memory: hierarchical takes", "not enough memory: bagged takes"},
			[]string{"hierarchical", "bagged"}},
		{"1MB", hungry, nil, nil},
	} {
		text := writeExperiment(t, c.text)
		_, out, errOut := plumb(t, "check", text, "--memory", c.memory)
		if c.says == nil && strings.Contains(out+errOut, "memory") {
			t.Errorf("%s: check warns: %s%s", c.memory, out, errOut)
		}
		for _, want := range c.says {
			if !strings.Contains(out+errOut, want) {
				t.Errorf("%s: check does not say %q: %s%s", c.memory, want, out, errOut)
			}
		}
		code, out, errOut := plumb(t, "run", text, "seeds=[1]", "--out", t.TempDir(), "--memory", c.memory, "--quiet")
		if (code == exitOK) != (c.fail == nil) {
			t.Errorf("%s: exit %d: %s", c.memory, code, errOut)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no cell failed for %q:\n%s", c.memory, want, out)
			}
		}
		var failed []string
		for line := range strings.Lines(out) {
			if strings.HasSuffix(line, " 0/1\n") {
				failed = append(failed, strings.Fields(line)[0])
			}
		}
		slices.Sort(failed)
		if slices.Sort(c.fail); !slices.Equal(failed, c.fail) {
			t.Errorf("%s: %v failed, want %v:\n%s", c.memory, failed, c.fail, out)
		}
	}
	if _, out, _ := plumb(t, "check", file); strings.Contains(out, "memory") {
		t.Errorf("check on this machine: %s", out)
	}
}

// TestDeathOfTheRuntime: a panic that nobody catches does not end with the exit code of wrong arguments.
func TestDeathOfTheRuntime(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PLUMBLINE_TEST_DIE=1")
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || slices.Contains([]int{exitOK, exitFailed, exitUsage}, exit.ExitCode()) {
		t.Errorf("%v: %.500s", err, text)
	}
	if !strings.Contains(string(text), "nobody catches this") {
		t.Errorf("the panic is not said: %.500s", text)
	}
}
