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
	code, out, errOut := plumb(t, "check", file, "--memory", "20kB")
	if code != exitOK || !strings.Contains(out, "warning: not enough memory: the vectors of") {
		t.Errorf("check: exit %d: %s%s", code, out, errOut)
	}
	if _, out, _ := plumb(t, "check", file); strings.Contains(out, "memory") {
		t.Errorf("check on this machine: %s", out)
	}
	code, out, errOut = plumb(t, "run", file, "seeds=[1]", "--out", t.TempDir(), "--memory", "40kB", "--quiet")
	if code != exitFailed || !strings.Contains(out, "not enough memory") || !strings.Contains(out, "markov") {
		t.Errorf("run: exit %d: %s%s", code, out, errOut)
	}
	for line := range strings.Lines(out) { // the traces' symbols fit
		if strings.Contains(line, "markov") && strings.Contains(line, "0/1") {
			t.Errorf("the trace model failed too:\n%s", out)
		}
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
