package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plumbline/cmd/command"
	"plumbline/runs/runstest"

	"github.com/spf13/cobra"
)

// manual is the pages whose commands are tried, by file name.
func manual(t *testing.T) map[string]string {
	t.Helper()
	chapters, err := filepath.Glob("docs/*.md")
	if err != nil || len(chapters) < 9 {
		t.Fatal(chapters, err)
	}
	pages := map[string]string{}
	for _, name := range append(chapters, "README.md", "CONTRIBUTING.md") {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = string(raw)
	}
	return pages
}

// TestDocumentedCommands runs the commands that the manual shows on lines of their own, each once, and holds those
// within its text against the program: subcommand and flags must exist.
func TestDocumentedCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("the goroutines of runs, which package runs tests")
	}
	x := newExamples(t)
	a := &app{&command.App{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}}
	root := a.root()
	root.InitDefaultCompletionCmd()
	done := map[string]bool{}
	pages := manual(t)
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range pages {
			if !yield(name) {
				return
			}
		}
	})
	for _, name := range names {
		for line := range strings.Lines(pages[name]) {
			cmd, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
			if ok && !done[cmd] && (strings.HasPrefix(cmd, "plumbline ") || strings.HasPrefix(cmd, "go run ./cmd/plumbline ")) {
				done[cmd] = true
				x.run(t, cmd)
			}
		}
		for _, span := range regexp.MustCompile("`plumbline ([^`]+)`").FindAllStringSubmatch(pages[name], -1) {
			words := strings.Fields(span[1])
			sub, _, err := root.Find(words)
			if err != nil {
				t.Errorf("%s: plumbline %s: %v", name, span[1], err)
				continue
			}
			for _, w := range words[1:] {
				if flag, ok := strings.CutPrefix(w, "--"); ok && sub.Flag(flag) == nil && flag != "help" {
					t.Errorf("%s: plumbline %s: no flag --%s", name, span[1], flag)
				}
			}
		}
	}
	if x.n < 25 {
		t.Errorf("the manual shows %d commands", x.n)
	}
}

// documentedColumns are the columns that a table of docs/run-directory.md explains, in its order.
func documentedColumns(t *testing.T, table string) (names []string) {
	t.Helper()
	_, rest, ok := strings.Cut(manual(t)["docs/run-directory.md"], "<!-- "+table+" -->\n")
	text, _, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatalf("docs/run-directory.md lost its table of %s", table)
	}
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			t.Fatalf("%q is no row of a table", line)
		}
		for _, m := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(cells[1], -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// TestRunDirectoryIsDocumented: docs/run-directory.md explains every file of a run and every column of its tables.
func TestRunDirectoryIsDocumented(t *testing.T) {
	dir, _ := runDir(t)
	if code, _, errOut := plumb(t, "investigate", dir+"/znorm"); code != exitOK {
		t.Fatal(errOut)
	}
	header := func(r io.Reader) []string {
		t.Helper()
		row, err := csv.NewReader(r).Read()
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	raw, err := os.ReadFile(filepath.Join(dir, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	has, want := header(bytes.NewReader(raw)), documentedColumns(t, "results.csv")
	for _, c := range has {
		if !slices.Contains(want, c) {
			t.Errorf("results.csv has a column %q that is not documented", c)
		}
	}
	for _, c := range want {
		if !slices.Contains(has, c) {
			t.Errorf("a column %q is documented, and results.csv has none", c)
		}
	}
	got := runstest.Scores(t, filepath.Join(dir, "cells/synth/znorm/s1"))[0]
	documented := documentedColumns(t, "scores.csv")
	if !slices.Equal(got, documented) {
		t.Errorf("scores.csv has the columns %v, documented are %v", got, documented)
	}
	text := manual(t)["docs/run-directory.md"]
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		named := filepath.Base(filepath.Dir(path)) // folders whose files are named after data sets and processes
		if err == nil && !d.IsDir() && named != "audit" && named != "progress" && !strings.Contains(text, d.Name()) {
			t.Errorf("%s is not documented", d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestScoresJoinTheTable joins as docs/run-directory.md says: row k of the scores is row k of the exported table,
// which has the same truth; a unit's key is the values of its columns.
func TestScoresJoinTheTable(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "synth.csv")
	if code, _, errOut := plumb(t, "data", "export", "synth", file, "--quiet"); code != exitOK {
		t.Fatal(errOut)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int {
		i := slices.Index(table[0], name)
		if i < 0 {
			t.Fatalf("the export has no column %q: %v", name, table[0])
		}
		return i
	}
	attack, class, src, dst := at("attack"), at("class"), at("src"), at("dst")
	for unit, key := range map[string]func(row int) string{
		"flow":       strconv.Itoa,
		"host":       func(row int) string { return table[1+row][src] },
		"connection": func(row int) string { return table[1+row][src] + " " + table[1+row][dst] },
	} {
		e := writeExperiment(t, "name: join\ndata: [synth]\nmodels: [znorm]\nbootstrap: 0\nunit: "+unit+"\n")
		code, out, errOut := plumb(t, "run", e, "--out", root, "--quiet")
		if code != exitOK {
			t.Fatal(errOut)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		scores, attacks := runstest.Scores(t, filepath.Join(lines[len(lines)-1], "cells/synth/znorm/s1"))[1:], 0
		for _, s := range scores {
			row, err := strconv.Atoi(s[0])
			if err != nil || row >= len(table)-1 {
				t.Fatalf("%s: row %q: %v", unit, s[0], err)
			}
			if s[1] != key(row) || s[3] != table[1+row][attack] || s[4] != table[1+row][class] {
				t.Fatalf("%s: scores say %v, the table's row %d is %v", unit, s, row, table[1+row])
			}
			if s[3] == "1" {
				attacks++
			}
		}
		if attacks == 0 || attacks == len(scores) {
			t.Errorf("%s: %d of %d units are attacks: the join shows nothing", unit, attacks, len(scores))
		}
	}
}

// keysOf collects the keys of a JSON value and of all that it holds, but for what stands below the keys in closed.
func keysOf(v any, closed, into map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			keysOf(item, closed, into)
		}
	case map[string]any:
		for k, item := range v {
			into[k] = true
			if !closed[k] {
				keysOf(item, closed, into)
			}
		}
	}
}

// TestDocumentedJSON: what --json prints has the keys that docs/commands.md names, all of them and no others.
func TestDocumentedJSON(t *testing.T) {
	_, rest, ok := strings.Cut(manual(t)["docs/commands.md"], "<!-- json -->\n")
	table, _, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatal("docs/commands.md lost its table of JSON")
	}
	x, n := newExamples(t), 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.Contains(cells[1], "`plumbline ") {
			continue
		}
		closed, needed, known := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, m := range regexp.MustCompile("`([a-z0-9_]+)([?…]?)`").FindAllStringSubmatch(cells[2], -1) {
			known[m[1]] = true
			if m[2] == "…" {
				closed[m[1]] = true
			}
			if m[2] != "?" {
				needed[m[1]] = true
			}
		}
		for _, m := range regexp.MustCompile("`plumbline ([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			n++
			args := strings.Fields(x.replace.Replace(m[1]))
			if args[0] == "list" {
				args = append(args, x.root)
			}
			if args[0] == "automaton" && args[1] == "learn" { // what it writes is there, for the commands that read it
				args = append(args, "--force")
			}
			code, out, errOut := plumb(t, args...)
			if code != exitOK {
				t.Errorf("%s: exit %d: %s", m[1], code, errOut)
				continue
			}
			found := map[string]bool{}
			dec := json.NewDecoder(strings.NewReader(out))
			for dec.More() {
				var v any
				if err := dec.Decode(&v); err != nil {
					t.Fatalf("%s: %v: %.200s", m[1], err, out)
				}
				keysOf(v, closed, found)
			}
			for k := range found {
				if !known[k] {
					t.Errorf("%s: the key %q is not documented", m[1], k)
				}
			}
			for k := range needed {
				if !found[k] {
					t.Errorf("%s: the documented key %q is missing", m[1], k)
				}
			}
		}
	}
	if n < 13 {
		t.Errorf("%d commands with --json are documented", n)
	}
}

// TestEveryJSONIsDocumented: a command that takes --json stands in the table of docs/commands.md.
func TestEveryJSONIsDocumented(t *testing.T) {
	text := manual(t)["docs/commands.md"]
	a := &app{&command.App{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if c.Flags().Lookup("json") != nil && !regexp.MustCompile("`"+c.CommandPath()+"[^`]* --json`").MatchString(text) {
			t.Errorf("%s --json is not documented", c.CommandPath())
		}
	}
	walk(a.root())
}
