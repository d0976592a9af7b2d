package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutputKeepsInputs: what a command reads is never written over, by its name, by a link or through another folder;
// another file that is there is only with --force.
func TestOutputKeepsInputs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	files := map[string]string{
		"flows.csv":  "bytes,label\n1,ok\n2,ok\n3,bad\n",
		"traces.dat": "2 2\n1 2 0 1\n1 2 0 1\n",
		"other.txt":  "mine\n",
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("sub", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"link.csv", filepath.Join("sub", "link.csv")} {
		if err := os.Symlink(filepath.Join(dir, "flows.csv"), link); err != nil {
			t.Skip("no symbolic links here")
		}
	}
	if err := os.Link("traces.dat", "hard.dat"); err != nil {
		t.Skip("no hard links here")
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"data", "infer", "flows.csv", "-o", "flows.csv"}, "is what is read"},
		{[]string{"data", "infer", "flows.csv", "-o", "flows.csv", "--force"}, "is what is read"},
		{[]string{"data", "infer", "flows.csv", "-o", "link.csv", "--force"}, "is what is read"},
		{[]string{"data", "infer", "link.csv", "-o", filepath.Join("sub", "..", "flows.csv"), "--force"}, "is what is read"},
		{[]string{"data", "infer", "flows.csv", "-o", filepath.Join("sub", "link.csv"), "--force"}, "is what is read"},
		{[]string{"data", "infer", "flows.csv", "-o", "other.txt"}, "is there already"},
		{[]string{"automaton", "learn", "traces.dat", "-o", "traces.dat"}, "is what is read"},
		{[]string{"automaton", "learn", "traces.dat", "-o", "hard.dat", "--force"}, "is what is read"},
		{[]string{"automaton", "learn", "traces.dat", "-o", "other.txt"}, "is there already"},
		{[]string{"automaton", "draw", "traces.dat", "-o", "traces.dat"}, ""},
		{[]string{"data", "export", "synth", "other.txt.csv"}, ""},
		{[]string{"data", "export", "synth", "other.txt.csv"}, "is there already"},
	} {
		code, out, errs := plumb(t, c.args...)
		if c.want != "" && (code != 2 || !strings.Contains(errs, c.want)) {
			t.Errorf("%v: exit %d, %s%s, want %q", c.args, code, out, errs, c.want)
		}
		for name, text := range files {
			if got, err := os.ReadFile(name); err != nil || string(got) != text {
				t.Fatalf("%v: %s holds %q now", c.args, name, got)
			}
		}
	}
	if code, _, errs := plumb(t, "data", "infer", "flows.csv", "-o", "other.txt", "--force"); code != 0 {
		t.Errorf("--force: exit %d, %s", code, errs)
	}
	if code, _, errs := plumb(t, "data", "infer", "flows.csv", "-o", filepath.Join("a", "new", "flows.yaml")); code != 0 {
		t.Errorf("a new folder: exit %d, %s", code, errs)
	}
}
