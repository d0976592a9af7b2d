package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
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
	for to, want := range map[string]string{"card": "## Limits", "croissant": "mlcommons.org/croissant/1.0"} {
		for i, from := range []string{dir + "/znorm", packed} {
			at := filepath.Join(folder, to+strconv.Itoa(i))
			if code, _, errOut := plumb(t, "export", from, "--to", to, "-o", at); code != exitOK {
				t.Errorf("%s: %s", to, errOut)
			}
			if raw, _ := os.ReadFile(at); !strings.Contains(string(raw), want) {
				t.Errorf("%s of %s: %.300s", to, from, raw)
			}
		}
	}
	for to, file := range map[string]string{"mlruns": "0/meta.yaml", "tensorboard": "synth/znorm/s1", "dvc": "dvc.yaml"} {
		at := filepath.Join(folder, to)
		if code, _, errOut := plumb(t, "export", dir, "--to", to, "-o", at); code != exitOK {
			t.Errorf("%s: %s", to, errOut)
		}
		if _, err := os.Stat(filepath.Join(at, file)); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	for want, args := range map[string][]string{
		"not a run directory": {"export", folder, "--to", "dvc", "-o", filepath.Join(folder, "d")},
		"is there already":    {"export", dir + "/znorm", "--to", "onnx", "-o", out},
		"-o names":            {"export", dir + "/znorm", "--to", "onnx"},
		"want onnx, ":         {"export", dir + "/znorm", "--to", "pmml", "-o", out},
		"symbols":             {"export", dir + "/markov", "--to", "onnx", "-o", filepath.Join(folder, "c.onnx")},
	} {
		if code, _, errOut := plumb(t, args...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: code %d: %s", args, code, errOut)
		}
	}
}

// trackingServer takes runs and counts them.
func trackingServer(t testing.TB, runs *int) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/get-by-name"):
			fmt.Fprint(w, `{"experiment": {"experiment_id": "7"}}`)
		case strings.HasSuffix(r.URL.Path, "/runs/create"):
			*runs++
			fmt.Fprintf(w, `{"run": {"info": {"run_id": "r%d", "artifact_uri": "/tmp"}}}`, *runs)
		default:
			fmt.Fprint(w, `{}`)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestPushCommand: a run is sent, what is wrong with the arguments is said, and a server that is not there is tried
// again.
func TestPushCommand(t *testing.T) {
	dir, _ := runDir(t)
	runs := 0
	server := trackingServer(t, &runs)
	code, out, errOut := plumb(t, "push", dir, "--mlflow", server.URL)
	if code != exitOK || !strings.Contains(out, "experiment 7: 5 runs sent, 0 there already, 0 files") || runs != 5 ||
		!strings.Contains(errOut, "keeps no artifacts") {
		t.Errorf("code %d, %d runs: %s%s", code, runs, out, errOut)
	}
	server.Close()
	if code, _, errOut := plumb(t, "push", dir, "--mlflow", server.URL, "--tries", "2"); code != exitFailed ||
		!strings.Contains(errOut, "trying again") || !strings.Contains(errOut, "goes on from here") {
		t.Errorf("code %d: %s", code, errOut)
	}
	t.Setenv("MLFLOW_TRACKING_URI", "")
	for want, args := range map[string][]string{
		"--mlflow names": {"push", dir}, "no address": {"push", dir, "--mlflow", "localhost"},
		"want none, small or all": {"push", dir, "--mlflow", server.URL, "--files", "some"},
		"not a run directory":     {"push", t.TempDir(), "--mlflow", server.URL},
	} {
		if code, _, errOut := plumb(t, args...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: code %d: %s", args, code, errOut)
		}
	}
}
