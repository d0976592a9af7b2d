package main

import (
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
