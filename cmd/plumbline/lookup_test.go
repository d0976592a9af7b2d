package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/cmd/command"

	"github.com/spf13/cobra"
)

// lookup is a folder with configs and data in all places that a name is looked up in.
func lookup(t *testing.T) {
	t.Helper()
	var flows strings.Builder
	flows.WriteString("size,proto,label\n")
	for i := range 400 {
		label, size := "normal", i%50
		if i%4 == 3 {
			label, size = "scan", 40+i%31
		}
		fmt.Fprintf(&flows, "%d,%s,%s\n", size, []string{"tcp", "udp"}[i%2], label)
	}
	config := func(name, file string) string {
		return fmt.Sprintf("name: %s\nformat: delimited\nfiles: [%s]\nlabel: {column: label, benign: [normal]}\n"+
			"options: {header: true, types: {proto: category, label: category}}\nprep: [impute, onehot]\n", name, file)
	}
	for name, text := range map[string]string{
		"lab/experiments/near.csv":         flows.String(),
		"lab/experiments/beside.yaml":      config("beside", "near.csv"),
		"lab/experiments/saved.yaml":       config("inferred-name", "near.csv"),
		"lab/experiments/models-like.yaml": "name: models-like\ndata: [beside]\nmodels: [znorm]\n",
		"lab/data/tree.yaml":               config("tree", "far.csv"),
		"lab/data/far.csv":                 strings.ReplaceAll(flows.String(), "\n1,", "\n2,"),
		"configs/data/local.yaml":          config("local", "local.csv"),
		"configs/data/local.csv":           flows.String(),
		"loose.csv":                        flows.String(),
		"loose.yaml":                       config("loose", "loose.csv"),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLookupIsOneRule: what names a data set in an experiment names it on the command line, seen from the same folder,
// and its files are found.
func TestLookupIsOneRule(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PLUMBLINE_DATA", "")
	lookup(t)
	try := func(folder, name string, rows int) {
		t.Helper()
		t.Chdir(folder)
		defer t.Chdir("../..")
		file := "e.yaml"
		text := fmt.Sprintf("name: e\ndata: [%q]\nmodels: [znorm]\nbootstrap: 0\n", name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, out, errOut := plumb(t, "check", file, "--read"); code != 0 ||
			!strings.Contains(out, fmt.Sprintf("%d rows", rows)) {
			t.Errorf("check %s: %d %s%s", name, code, out, errOut)
		}
		if code, _, errOut := plumb(t, "run", file, "--out", t.TempDir(), "--cache", "off"); code != 0 {
			t.Errorf("run %s: %d %s", name, code, errOut)
		}
		if code, out, errOut := plumb(t, "audit", name); code != 0 || !strings.Contains(out, fmt.Sprintf("%d rows", rows)) {
			t.Errorf("audit %s: %d %s%s", name, code, out, errOut)
		}
		to := filepath.Join(t.TempDir(), "out.csv")
		if code, out, errOut := plumb(t, "data", "export", name, to); code != 0 ||
			!strings.Contains(out, fmt.Sprintf("%d rows", rows)) {
			t.Errorf("data export %s: %d %s%s", name, code, out, errOut)
		}
		if code, out, errOut := plumb(t, "data", name); code != 0 || !strings.Contains(out, "found ") {
			t.Errorf("data %s: %d %s%s", name, code, out, errOut)
		}
	}
	for _, name := range []string{"beside", "inferred-name", "beside.yaml", "near.csv", "../experiments/near.csv"} {
		try("lab/experiments", name, 400)
	}
	if code, out, errOut := plumb(t, "data", "local"); code != 0 || !strings.Contains(out, "found ") {
		t.Errorf("./configs/data: %d %s%s", code, out, errOut)
	}
	// from another folder an experiment finds what stands around it, train and test sets too
	for _, data := range []string{"beside", "tree", "local", "near.csv", "{train: beside, test: tree}",
		"{train: near.csv, test: tree}", "{data: near.csv, name: other}"} {
		file := "lab/experiments/e.yaml"
		text := fmt.Sprintf("name: e\ndata: [%s]\nmodels: [znorm]\n", data)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		code, out, errOut := plumb(t, "check", file, "--read")
		if code != 0 || !strings.Contains(out, "00 rows") {
			t.Errorf("check %s: %d %s%s", data, code, out, errOut)
		}
		if guessed := strings.Contains(errOut, "as data infer guesses"); guessed != strings.Contains(data, "near.csv") {
			t.Errorf("check %s: %s", data, errOut)
		}
	}
	// an experiment is no data set, also where both stand in one folder, and neither is what is not there
	for _, name := range []string{"models-like", "nothing", "nothing.yaml", "nothing.csv"} {
		text := fmt.Sprintf("name: e\ndata: [%s]\nmodels: [znorm]\n", name)
		if err := os.WriteFile("lab/experiments/e.yaml", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Chdir("lab/experiments")
		for _, args := range [][]string{{"check", "e.yaml"}, {"audit", name}, {"data", "export", name, "x.csv"},
			{"data", name}, {"run", "e.yaml"}} {
			if code, _, errOut := plumb(t, args...); code != exitUsage || !strings.Contains(errOut, name) {
				t.Errorf("%v: %d %s", args, code, errOut)
			}
		}
		t.Chdir("../..")
	}
	if code, out, errOut := plumb(t, "data"); code != 0 || !strings.Contains(out, "loose") ||
		!strings.Contains(out, "local") || !strings.Contains(out, "nsl-kdd") || strings.Contains(out, "\nbeside ") {
		t.Errorf("data: %d %s%s", code, out, errOut)
	}
}

// TestDataFolderMustExist: every command with --data refuses a folder that is not there, or is a file.
func TestDataFolderMustExist(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tried := 0
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		for _, sub := range c.Commands() {
			walk(sub, append(slices.Clone(path), sub.Name()))
		}
		if c.Flags().Lookup("data") == nil {
			return
		}
		tried++
		for _, dir := range []string{filepath.Join(file+"s", "gone"), file} {
			code, _, errOut := plumb(t, append(path, "--data", dir)...)
			if code != exitUsage || !strings.Contains(errOut, dir) {
				t.Errorf("%v --data %s: %d %s", path, dir, code, errOut)
			}
		}
	}
	walk((&app{&command.App{}}).root(), nil)
	if tried < 7 {
		t.Errorf("%d commands have --data", tried)
	}
}
