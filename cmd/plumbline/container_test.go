//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestContainer: the container that Containerfile builds holds the program alone and runs it as somebody who is not
// root: it is built and carries an experiment out where there is a builder that needs no daemon. What its first stage
// does, go build without C, is left out: the test's own program stands in, and no image has to be fetched.
func TestContainer(t *testing.T) {
	raw, err := os.ReadFile("Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	first, last, ok := strings.Cut(string(raw), "\nFROM scratch\n")
	copied := "COPY --from=build /plumbline /plumbline\n"
	if !ok || strings.Contains(last, "\nFROM ") || strings.Count(last, copied) != 1 ||
		!strings.Contains(first, "RUN CGO_ENABLED=0 go build ") ||
		!strings.Contains(first, " -o /plumbline ./cmd/plumbline") {
		t.Fatalf("Containerfile:\n%s", raw)
	}
	if testing.Short() {
		t.Skip("builds a container")
	}
	if _, err := exec.LookPath("buildah"); err != nil || os.Getuid() != 0 {
		t.Skipf("the container is not built: it takes buildah, and root for folders in it: %v", err)
	}
	dir := t.TempDir()
	buildah := func(args ...string) (string, error) {
		c := exec.Command("buildah", append([]string{"--root", filepath.Join(dir, "root"),
			"--runroot", filepath.Join(dir, "runroot"), "--storage-driver", "vfs"}, args...)...)
		c.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot")
		out, err := c.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	context := filepath.Join(dir, "context")
	runs := filepath.Join(dir, "runs")
	for _, folder := range []string{context, runs} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(runs, 65532, 65532); err != nil {
		t.Fatal(err)
	}
	program, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(program, filepath.Join(context, "plumbline")); err != nil { // or on another disk
		if err := os.CopyFS(context, os.DirFS(filepath.Dir(program))); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(context, filepath.Base(program)), filepath.Join(context, "plumbline")); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "Containerfile")
	text := "FROM scratch\n" + strings.Replace(last, copied, "COPY plumbline /plumbline\n", 1)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	trial, err := buildah("from", "scratch")
	if err != nil {
		t.Skipf("buildah builds nothing here: %v: %s", err, trial)
	}
	if out, err := buildah("bud", "-f", file, "-t", "plumbline", context); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	container, err := buildah("from", "plumbline")
	if err != nil {
		t.Fatalf("%v: %s", err, container)
	}
	out, err := buildah("inspect", "--format", "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}", container)
	if err != nil || out != "65532:65532 [/plumbline]" {
		t.Errorf("user and entry point: %v: %s", err, out)
	}
	at, err := buildah("mount", container)
	if err != nil {
		t.Fatalf("%v: %s", err, at)
	}
	entries, err := os.ReadDir(at)
	if err != nil || len(entries) != 1 || entries[0].Name() != "plumbline" {
		t.Errorf("the container holds %v, %v", entries, err)
	}
	args := []string{"run", "--env", "PLUMBLINE_TEST_MAIN=1", "--env", "HOME=/runs", "--volume", runs + ":/runs",
		container, "--", "/plumbline", "run", "quickstart", "seeds=[1]", "models=[znorm]", "--out", "/runs", "--quiet"}
	if out, err := buildah(args...); err != nil {
		if strings.Contains(out, "operation not permitted") {
			t.Skipf("containers are built here, but not run: %s", out)
		}
		t.Fatalf("%v: %s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(runs, "*", "results.csv"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	st, err := os.Stat(found[0])
	if err != nil || st.Sys().(*syscall.Stat_t).Uid != 65532 {
		t.Errorf("results.csv is of %+v, %v", st, err)
	}
}
