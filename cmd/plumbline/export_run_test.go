package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportONNX: a cell and its model file give the same model, which nothing writes over unasked; what has no form is
// said.
func TestExportONNX(t *testing.T) {
	dir, _ := runDir(t)
	folder := t.TempDir()
	out, packed := filepath.Join(folder, "a.onnx"), filepath.Join(folder, "model.plumb")
	for _, args := range [][]string{
		{"export", dir + "/znorm", "--to", "onnx", "-o", out},
		{"bundle", dir + "/znorm", "-o", packed},
		{"export", packed, "--to", "onnx", "-o", filepath.Join(folder, "b.onnx")},
	} {
		if code, _, errOut := plumb(t, args...); code != exitOK {
			t.Fatalf("%v: %s", args, errOut)
		}
	}
	a, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(filepath.Join(folder, "b.onnx")); len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("%d bytes from the cell, %d from the model file", len(a), len(b))
	}
	for want, args := range map[string][]string{
		"is there already": {"export", dir + "/znorm", "--to", "onnx", "-o", out},
		"-o names":         {"export", dir + "/znorm", "--to", "onnx"},
		"want onnx":        {"export", dir + "/znorm", "--to", "pmml", "-o", out},
		"symbols":          {"export", dir + "/markov", "--to", "onnx", "-o", filepath.Join(folder, "c.onnx")},
	} {
		if code, _, errOut := plumb(t, args...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: code %d: %s", args, code, errOut)
		}
	}
}
