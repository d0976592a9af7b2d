package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScoreCapture: a model of flows that were made from one capture scores another capture as it is, finding the tool
// whose columns it knows; told of another tool it says what is missing.
func TestScoreCapture(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	ok := func(args ...string) (out, errOut string) {
		t.Helper()
		code, out, errOut := plumb(t, args...)
		if code != exitOK {
			t.Fatalf("%v: exit %d: %s", args, code, errOut)
		}
		return out, errOut
	}
	ok("data", "simulate", "-o", file("benign.pcap"), "--seed", "3", "--minutes", "3", "--attacks", "none")
	ok("data", "flows", file("benign.pcap"), "--as", "zeek", "-o", file("benign.csv"), "--quiet")
	ok("train", file("benign.csv"), "--model", "ngram", "-o", file("m.plumb"), "--quiet")
	ok("data", "simulate", "-o", file("attack.pcap"), "--seed", "4", "--minutes", "2", "--attacks", "bruteforce")
	_, said := ok("score", file("m.plumb"), file("attack.pcap"), "-o", file("scores.csv"))
	if !strings.Contains(said, "as flows of zeek") {
		t.Error(said)
	}
	raw, err := os.ReadFile(file("scores.csv"))
	if lines := strings.Count(string(raw), "\n"); err != nil || lines < 100 {
		t.Errorf("%d lines, %v", lines, err)
	}
	ok("investigate", file("m.plumb"), file("attack.pcap"), "--quiet")
	code, _, errOut := plumb(t, "score", file("m.plumb"), file("attack.pcap"), "--as", "netflow")
	if code != exitUsage || !strings.Contains(errOut, "as flows of netflow") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

// TestFlowsOfStdin: a capture on the standard input, compressed too, has the flows of the file; it is read once.
func TestFlowsOfStdin(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "a.pcap")
	if code, _, errOut := plumb(t, "data", "simulate", "-o", plain, "--minutes", "0.2", "--clients", "3"); code != exitOK {
		t.Fatal(code, errOut)
	}
	raw, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(raw)
	w.Close()
	packed := plain + ".gz"
	if err := os.WriteFile(packed, z.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	code, want, errOut := plumb(t, "data", "flows", plain, "--as", "zeek", "-q")
	if code != exitOK || strings.Count(want, "\n") < 10 {
		t.Fatal(code, errOut)
	}
	stdin := os.Stdin
	defer func() { os.Stdin = stdin }()
	for _, path := range []string{plain, packed} {
		in, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		os.Stdin = in
		if code, got, errOut := plumb(t, "data", "flows", "-", "--as", "zeek", "-q"); code != exitOK || got != want {
			t.Errorf("%s: exit %d, %d bytes, want %d: %s", path, code, len(got), len(want), errOut)
		}
	}
	code, _, errOut = plumb(t, "data", "flows", "-", plain, "-", "--as", "zeek")
	if code != exitUsage || !strings.Contains(errOut, "read once") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
