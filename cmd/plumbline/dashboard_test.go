package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDashboard: a page is written with the alarms of a model and the profile of another file; what is wrong with the
// arguments is said, and what is read is never written over.
func TestDashboard(t *testing.T) {
	dir, _ := runDir(t)
	folder := t.TempDir()
	csv, prefixes, out := filepath.Join(folder, "flows.csv"), filepath.Join(folder, "prefixes.csv"),
		filepath.Join(folder, "page.html")
	for file, text := range map[string]string{csv: "src,dst,bytes,label\n192.0.2.1,10.0.0.1,5,benign\n" +
		"192.0.2.1,10.0.0.2,7,scan\n", prefixes: "192.0.2.0/24,NL\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		want string // of the page, or of what is said
	}{
		{[]string{csv, "--countries", prefixes, "-o", out}, exitOK, "2 flows of flows"},
		{[]string{csv, "--against", csv, "-q", "-o", out}, exitOK, "Held against flows"},
		{[]string{"synth", "--run", dir + "/znorm", "-q", "-o", out}, exitOK, "alarms are labelled attacks"},
		{[]string{csv, "--run", dir + "/znorm", "-o", out}, exitFailed, "the table does not fit the model"},
		{[]string{csv, "--run", dir, "-o", out}, exitUsage, "names no cell"},
		{[]string{csv, "--run", dir + "/nobody", "-o", out}, exitUsage, "nobody"},
		{[]string{csv, "--countries", csv, "-o", out}, exitUsage, "line 2"},
		{[]string{csv, "--against", "nothing", "-o", out}, exitUsage, "nothing"},
		{[]string{"nothing"}, exitUsage, "nothing"},
		{[]string{csv, "-o", csv}, exitUsage, "is what is read"},
		{[]string{csv, "--serve=nowhere.invalid:1"}, exitUsage, "nowhere"},
	} {
		code, _, said := plumb(t, append([]string{"dashboard"}, c.args...)...)
		if code == exitOK {
			raw, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			said = string(raw)
		}
		if code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("%v: exit %d, %.300s; want %d and %q", c.args, code, said, c.code, c.want)
		}
	}
}

// TestDashboardOfAFile: a file without a config is read as the files that the model was trained on, whatever it would
// be taken for by itself.
func TestDashboardOfAFile(t *testing.T) {
	folder := t.TempDir()
	trained, today, out := filepath.Join(folder, "trained.csv"), filepath.Join(folder, "today.csv"),
		filepath.Join(folder, "page.html")
	var rows strings.Builder
	for i := range 200 {
		fmt.Fprintf(&rows, "%s,%d,%s\n", []string{"a", "b", "7"}[i%3], i%9, []string{"benign", "benign", "scan"}[i%3])
	}
	for file, text := range map[string]string{trained: "code,size,label\n" + rows.String(),
		today: "code,size,label\n7,3,benign\n7,900,scan\n"} { // alone, code would be a number
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	experiment := writeExperiment(t, "name: files\ndata: ["+trained+"]\nmodels: [znorm]\nbootstrap: 0\naudit: off\n"+
		"split: {kind: random, attacks: split}\n")
	code, said, errOut := plumb(t, "run", experiment, "--out", folder, "--quiet")
	if code != exitOK {
		t.Fatal(errOut)
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	code, _, errOut = plumb(t, "dashboard", today, "--run", lines[len(lines)-1]+"/znorm", "-q", "-o", out)
	if code != exitOK {
		t.Fatal(errOut)
	}
	raw, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(raw), "2 flows of today") {
		t.Errorf("%v: %.200s", err, raw)
	}
}
