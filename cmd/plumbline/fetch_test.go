package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFetch downloads from a server of its own and then reads what came.
func TestFetch(t *testing.T) {
	const flows = "1,ok\n2,ok\n3,scan\n"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, flows) }))
	defer srv.Close()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "configs", "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`name: own
doc: own flows
licence: ours
citation: us
format: delimited
files: {train: [flows.csv]}
fetch: [{url: %q, file: flows.csv, bytes: %d, sha256: %x}]
label: {column: label, benign: [ok]}
options: {columns: [{name: size, type: number}, {name: label, type: category}]}
`, srv.URL+"/flows.csv", len(flows), sha256.Sum256([]byte(flows)))
	if err := os.WriteFile(filepath.Join(dir, "configs", "data", "own.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, want := range []string{"fetched and verified", "verified, was there"} {
		code, out, errOut := plumb(t, "data", "fetch", "own")
		if code != exitOK || !strings.Contains(out, want) || !strings.Contains(out, "licence:  ours") {
			t.Errorf("exit %d: %s%s", code, out, errOut)
		}
	}
	if code, out, _ := plumb(t, "data", "own"); code != exitOK ||
		!strings.Contains(out, filepath.Join("data", "raw", "own", "flows.csv")) {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, errOut := plumb(t, "data", "fetch", "nsl-kdd"); code != exitUsage ||
		!strings.Contains(errOut, "cannot be fetched: get its files from https://www.unb.ca") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if err := os.WriteFile(filepath.Join(dir, "configs", "data", "own.yaml"),
		[]byte(strings.Replace(config, "sha256: ", "sha256: 00", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := plumb(t, "data", "fetch", "own"); code != exitUsage ||
		!strings.Contains(errOut, "64 hexadecimal digits") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
