//go:build unix

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is the first block of code of a language in a page of the manual.
func block(t *testing.T, page, language string) string {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(raw), "```"+language+"\n")
	text, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatalf("%s has no block of %s", page, language)
	}
	return text
}

// TestServeUnits: what systemd and a container would start, by the manual, serves: with its model and token elsewhere,
// and at a free port.
func TestServeUnits(t *testing.T) {
	dir, root := runDir(t)
	model, token := filepath.Join(root, "model.plumb"), filepath.Join(root, "token")
	if code, _, errOut := plumb(t, "bundle", dir+"/znorm/s1", "-o", model); code != exitOK {
		t.Fatal(errOut)
	}
	if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	try := func(where string, args []string) {
		t.Helper()
		if len(args) < 2 || filepath.Base(args[0]) != "plumbline" || args[1] != "serve" {
			t.Fatalf("%s starts %q", where, args)
		}
		args = append([]string(nil), args[2:]...)
		for i, a := range args {
			switch {
			case strings.HasSuffix(a, "/model.plumb"):
				args[i] = model
			case strings.HasSuffix(a, "/token"):
				args[i] = token
			case strings.HasSuffix(a, ":8641"):
				args[i] = "127.0.0.1:0"
			}
		}
		base, process, said := startServer(t, args...)
		for at, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/v1/models": 401} {
			if status, raw := send(t, http.DefaultClient, base+at, "", nil); status != want {
				t.Errorf("%s, %s: status %d, %s", where, at, status, raw)
			}
		}
		process.Process.Signal(os.Interrupt)
		if err := process.Wait(); err != nil {
			t.Errorf("%s: %v: %s", where, err, said)
		}
	}
	container := block(t, "docs/serving.md", "dockerfile")
	_, list, _ := strings.Cut(container, "ENTRYPOINT ")
	var entry []string
	if err := json.Unmarshal([]byte(list), &entry); err != nil {
		t.Fatalf("%v: %s", err, list)
	}
	try("the container", entry)
	unit := block(t, "docs/serving.md", "ini")
	start := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(unit)
	if start == nil {
		t.Fatal(unit)
	}
	try("the unit", strings.Fields(start[1]))
}

// TestSystemdUnit: systemd finds nothing to say about the unit of the manual.
func TestSystemdUnit(t *testing.T) {
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	unit := block(t, "docs/serving.md", "ini")
	verify := func(text string) (string, error) {
		file := filepath.Join(t.TempDir(), "plumbline.service")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		said, err := exec.Command(program, "verify", "--man=no", "--recursive-errors=no", file).CombinedOutput()
		return string(said), err
	}
	there := strings.ReplaceAll(unit, "/usr/local/bin/plumbline", os.Args[0])
	if said, err := verify(there); err != nil || strings.Contains(said, "plumbline.service") {
		t.Errorf("%v: %s", err, said)
	}
	if said, err := verify(strings.Replace(there, "DynamicUser=yes", "DynamicUsers=yes", 1)); err == nil &&
		!strings.Contains(said, "DynamicUsers") {
		t.Errorf("systemd-analyze has nothing to say about a setting that is none: %s", said)
	}
}
