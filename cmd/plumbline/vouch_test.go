//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// seven is an experiment of seven cells.
const seven = `
name: seven
data: [{data: synth, options: {hosts: 8, hours: 20, rate: 4}}]
models: [iforest, lof, markov, znorm, random]
seeds: [1, 2]
bootstrap: 20
`

// within ends the test when what must not wait for ever takes too long.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan bool)
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s hangs", what)
	}
}

// TestRunsVouchForThemselves: whatever is done to a finished run is reported with the file, by an exit code that is not
// 0; a run that is resumed makes it good.
func TestRunsVouchForThemselves(t *testing.T) {
	if testing.Short() {
		t.Skip("the goroutines of runs, which package runs tests")
	}
	root := t.TempDir()
	code, out, errOut := plumb(t, "run", writeExperiment(t, seven), "--out", root, "--quiet")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	whole := lines[len(lines)-1]
	if code, out, errOut := plumb(t, "verify", whole, "--files"); code != exitOK || !strings.Contains(out, "7 cells") {
		t.Fatalf("a run as it was left: exit %d: %s%s", code, out, errOut)
	}
	edit := func(name, old, to string) func(string) error {
		return func(dir string) error {
			file := filepath.Join(dir, name)
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			text := strings.Replace(string(raw), old, to, 1)
			if old == "" { // another last byte
				raw[len(raw)-1] ^= 1
				text = string(raw)
			}
			if text == string(raw) && old != "" {
				t.Errorf("%s does not hold %q", name, old)
			}
			return os.WriteFile(file, []byte(text), 0o644)
		}
	}
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.RemoveAll(filepath.Join(dir, name)) }
	}
	pipe := func(name string) func(string) error {
		return func(dir string) error {
			os.Remove(filepath.Join(dir, name))
			return syscall.Mkfifo(filepath.Join(dir, name), 0o644)
		}
	}
	move := func(from, to string) func(string) error {
		return func(dir string) error {
			raw, err := os.ReadFile(filepath.Join(dir, from))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, to), raw, 0o644)
		}
	}
	auroc := func(name string) string { // the digits of a cell's AUROC
		raw, err := os.ReadFile(filepath.Join(whole, name))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := bytes.Cut(raw, []byte(`"auroc": `))
		digits, _, _ := bytes.Cut(rest, []byte(","))
		return string(digits)
	}
	const cell, other = "cells/synth/iforest/s1/", "cells/synth/lof/s1/"
	of := auroc(cell + "status.json")
	for _, c := range []struct {
		name, file string
		do         func(dir string) error
		deep       bool // only a look at every byte tells
		stays      bool // resuming does not mend it
	}{
		{name: "another cell's status", file: cell + "status.json", do: move(other+"status.json", cell+"status.json")},
		{name: "no scores", file: cell + "scores.csv.zst", do: remove(cell + "scores.csv.zst")},
		{name: "another cell's scores", file: cell + "scores.csv.zst", do: move(other+"scores.csv.zst",
			cell+"scores.csv.zst")},
		{name: "no status", file: cell + "status.json", do: remove(cell + "status.json")},
		{name: "no cell", file: cell + "status.json", do: remove(cell)},
		{name: "results cut", file: "results.csv", do: func(dir string) error {
			raw, err := os.ReadFile(filepath.Join(dir, "results.csv"))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "results.csv"), bytes.Join(bytes.SplitAfter(raw, []byte("\n"))[:3], nil),
				0o644)
		}},
		{name: "results edited", file: "results.csv", do: edit("results.csv", of, "0.99999")},
		{name: "results without sense", file: "results.csv", do: edit("results.csv", "auroc", "au\"roc")},
		{name: "no results", file: "results.csv", do: remove("results.csv")},
		{name: "status edited", file: cell + "status.json", do: edit(cell+"status.json", `"auroc": `+of, `"auroc": 0.99999`)},
		{name: "status cut", file: cell + "status.json", do: edit(cell+"status.json", `"auroc": `, "")},
		{name: "metrics edited", file: cell + "metrics.json", do: edit(cell+"metrics.json", of, "0.99999")},
		{name: "model edited", file: cell + "model.bin", do: edit(cell+"model.bin", "", ""), deep: true},
		{name: "spec edited", file: cell + "spec.yaml", do: edit(cell+"spec.yaml", "iforest", "iforesu"), deep: true},
		{name: "experiment edited", file: "experiment.yaml", do: edit("experiment.yaml", "bootstrap: 20", "bootstrap: 30"),
			stays: true},
		{name: "no manifest", file: "manifest.json", do: remove("manifest.json")},
		{name: "manifest cut", file: "manifest.json", do: edit("manifest.json", "{", ""), stays: true},
		{name: "summary edited", file: "summary.json", do: edit("summary.json", "seven", "eight"), deep: true},
		{name: "a pipe for a status", file: cell + "status.json", do: pipe(cell + "status.json")},
		{name: "a pipe for metrics", file: cell + "metrics.json", do: pipe(cell + "metrics.json")},
		{name: "a pipe for a model", file: cell + "model.bin", do: pipe(cell + "model.bin")},
		{name: "a pipe for results", file: "results.csv", do: pipe("results.csv")},
		{name: "a status without end", file: cell + "status.json", do: func(dir string) error {
			return os.Truncate(filepath.Join(dir, cell+"status.json"), 1<<40)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := c.do(dir); err != nil {
				t.Fatal(err)
			}
			within(t, c.name, func() {
				code, out, errOut := plumb(t, "verify", dir, "--files")
				if code != exitFailed || !strings.Contains(out, c.file) {
					t.Errorf("verify: exit %d, want the file %s: %s%s", code, c.file, out, errOut)
				}
				for _, command := range [][]string{{"compare", dir}, {"show", dir}} {
					code, out, errOut := plumb(t, command...)
					if !c.deep && (code != exitFailed || !strings.Contains(errOut, c.file)) {
						t.Errorf("%v: exit %d, want the file %s: %s", command, code, c.file, errOut)
					}
					if strings.Contains(out, "0.99999") || strings.Contains(out, "1.0000") {
						t.Errorf("%v believes it:\n%s", command, out)
					}
				}
				code, _, errOut = plumb(t, "investigate", dir+"/cells/synth/iforest/s1", "--quiet")
				if code == exitOK && !c.deep && c.file != cell+"scores.csv.zst" {
					t.Errorf("investigate: exit %d: %s", code, errOut)
				}
				if _, out, _ := plumb(t, "list", filepath.Dir(dir)); !c.deep && !strings.Contains(out, "damaged") {
					t.Errorf("list:\n%s", out)
				}
				code, _, errOut = plumb(t, "run", "--resume", dir, "--quiet")
				if c.stays {
					if code == exitOK || !strings.Contains(errOut, c.file) {
						t.Errorf("resume: exit %d: %s", code, errOut)
					}
					return
				}
				if code != exitOK {
					t.Errorf("resume: exit %d: %s", code, errOut)
				}
				if code, out, _ := plumb(t, "verify", dir, "--files"); code != exitOK {
					t.Errorf("resumed: %s", out)
				}
				if code, out, _ := plumb(t, "verify", dir, whole); code != exitOK {
					t.Errorf("resumed, it is another run:\n%s", out)
				}
			})
		})
	}
}

// TestPipeForALog: the lock does not wait for a reader of the log.
func TestPipeForALog(t *testing.T) {
	dir, _ := runDir(t)
	file := filepath.Join(dir, "log.jsonl")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o644); err != nil {
		t.Skip(err)
	}
	within(t, "resume", func() {
		code, _, errOut := plumb(t, "run", "--resume", dir, "--quiet")
		if code != exitFailed || !strings.Contains(errOut, "log.jsonl is not a regular file") {
			t.Errorf("exit %d: %s", code, errOut)
		}
	})
}

// TestUnlistedFilesDoNotCount: a cell that is not of the plan, and a file that a cell does not list, change no table.
func TestUnlistedFilesDoNotCount(t *testing.T) {
	dir, _ := runDir(t)
	_, before, _ := plumb(t, "compare", dir)
	from := filepath.Join(dir, "cells", "synth", "iforest")
	if err := os.CopyFS(filepath.Join(dir, "cells", "synth", "stranger"), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "s1", "extra.json"), []byte(`{"auroc": 0.99999}`), 0o644); err != nil {
		t.Fatal(err)
	}
	code, after, errOut := plumb(t, "compare", dir)
	if code != exitOK || after != before || before == "" || strings.Contains(after, "stranger") {
		t.Errorf("exit %d: %s\n%s\nbefore:\n%s", code, errOut, after, before)
	}
}
