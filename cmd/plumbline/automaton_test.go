package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"plumbline/data/datatest"
	"plumbline/models/automata"
	"plumbline/models/automata/flexfringe"
)

const (
	letterFile = "models/automata/flexfringe/testdata/letters.dat"
	flowFile   = "models/automata/flexfringe/testdata/flows_train.csv"
)

// learnt is a machine's file, learnt with some flags.
func learnt(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "m.json")
	code, _, errOut := plumb(t, append([]string{"automaton", "learn", "-o", out}, args...)...)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	return out
}

func rows(t *testing.T, text string) [][]string {
	t.Helper()
	r, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAutomatonLearn: the printed refinements are FlexFringe's, the file reads back, and DOT is read as well.
func TestAutomatonLearn(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m.json")
	code, _, errOut := plumb(t, "automaton", "learn", letterFile, "--preset", "alergia", "--steps", "-q", "-o", out)
	want, err := os.ReadFile("models/automata/flexfringe/testdata/letters.alergia.steps.txt")
	if err != nil {
		t.Fatal(err)
	}
	if code != exitOK || strings.Join(strings.Fields(errOut), " ") != strings.Join(strings.Fields(string(want)), " ") {
		t.Errorf("exit %d, steps %.200s", code, errOut)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := flexfringe.ReadJSON(f, out); err != nil || len(m.States) < 10 {
		t.Errorf("%v, %v", m, err)
	}
	code, drawn, _ := plumb(t, "automaton", "draw", out)
	dot := filepath.Join(t.TempDir(), "m.dot")
	if err := os.WriteFile(dot, []byte(drawn), 0o644); err != nil || code != exitOK {
		t.Fatal(code, err)
	}
	_, fromJSON, _ := plumb(t, "automaton", "replay", out, letterFile)
	code, fromDOT, errOut := plumb(t, "automaton", "replay", dot, letterFile)
	if code != exitOK || fromDOT != fromJSON || len(rows(t, fromDOT)) != 2001 {
		t.Errorf("exit %d, %s: the drawing replays differently", code, errOut)
	}
}

// TestAutomatonReplayInPieces: a stream replayed in two pieces with counters between them has the scores of the
// stream at once.
func TestAutomatonReplayInPieces(t *testing.T) {
	m := learnt(t, flowFile, "--preset", "sequent", "--compat", "v26", "--sinkcount", "40", "--window", "10")
	raw, err := os.ReadFile("models/automata/flexfringe/testdata/flows_test.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(raw), "\n")
	dir := t.TempDir()
	piece := func(name string, lines []string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	half := len(lines) / 2
	first, second := piece("1.csv", lines[:half]), piece("2.csv", append(lines[:1:1], lines[half:]...))
	run := func(args ...string) [][]string {
		code, out, errOut := plumb(t, append([]string{"automaton", "replay", m, "--window", "10", "--compat", "v26"},
			args...)...)
		if code != exitOK {
			t.Fatalf("%v: exit %d: %s", args, code, errOut)
		}
		return rows(t, out)[1:]
	}
	// windows of each piece are cut on their own, so the stream at once is their windows one after the other
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	pieces := append(run(first, "--train", flowFile, "--counters", a), run(second, "--counters", a)...)
	alone := run(second, "--train", flowFile, "--counters", b)
	if len(pieces) < 100 || len(alone) < 50 {
		t.Fatalf("%d and %d windows", len(pieces), len(alone))
	}
	f, err := os.Open(m)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	machine, err := flexfringe.ReadJSON(f, m)
	if err != nil {
		t.Fatal(err)
	}
	id := map[string]int32{}
	for q, s := range machine.States {
		id[fmt.Sprint(s.ID)] = int32(q)
	}
	trained := make([]int64, len(machine.States))
	for _, row := range run(flowFile, "--train", flowFile) {
		for _, q := range strings.Fields(row[5]) {
			trained[id[q]]++
		}
	}
	roll := automata.NewStateFrequency(trained, automata.DistinctStates)
	differ := 0
	for i, row := range pieces {
		var states []int32
		for _, q := range strings.Fields(row[5]) {
			states = append(states, id[q])
		}
		want, cause := roll.Window(states)
		if row[6] != fmt.Sprint(want) || id[row[7]] != states[cause] {
			t.Fatalf("window %d: score %s at %s, want %v", i, row[6], row[7], want)
		}
		if k := i - (len(pieces) - len(alone)); k >= 0 && alone[k][6] != row[6] {
			differ++
		}
	}
	if differ == 0 {
		t.Error("the second piece has the scores that it has alone: the counters had no effect")
	}
}

// TestAutomatonAlarms: a threshold of no standard deviation calls some windows alarms, one of 100 none.
func TestAutomatonAlarms(t *testing.T) {
	m := learnt(t, letterFile)
	count := func(sd string) (n int) {
		code, out, errOut := plumb(t, "automaton", "replay", m, letterFile, "--train", letterFile, "--sd", sd, "--symbols")
		if code != exitOK {
			t.Fatal(errOut)
		}
		all := rows(t, out)
		if got := strings.Join(all[0], ","); got != "trace,label,length,logp,mean,states,symbols,score,cause,alarm" {
			t.Error(got)
		}
		for _, row := range all[1:] {
			if row[9] == "true" {
				n++
			}
		}
		return n
	}
	if a, b := count("0"), count("100"); a == 0 || a == 2000 || b != 0 {
		t.Errorf("%d and %d alarms", a, b)
	}
}

func TestAutomatonPerplexity(t *testing.T) {
	dir := filepath.Join(datatest.Dir(t, "pautomac"), "pautomac")
	m := learnt(t, filepath.Join(dir, "7.pautomac.train.gz"), "--pautomac")
	code, out, errOut := plumb(t, "automaton", "perplexity", m, filepath.Join(dir, "7.pautomac.test.gz"),
		filepath.Join(dir, "7.pautomac_solution.txt.gz"))
	if code != exitOK || out != "perplexity 51.2431\noptimum    51.2243\nexcess     0.04 %\n" {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}

// TestAutomatonDraw: with a dot in the path its output is written, without one the DOT text and a note.
func TestAutomatonDraw(t *testing.T) {
	m := learnt(t, letterFile)
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	out := filepath.Join(dir, "m.svg")
	code, _, errOut := plumb(t, "automaton", "draw", m, "-o", out)
	raw, err := os.ReadFile(filepath.Join(dir, "m.dot"))
	if code != exitOK || err != nil || !strings.HasPrefix(string(raw), "digraph") ||
		!strings.Contains(errOut, "not installed") {
		t.Errorf("without dot: exit %d, %v: %s", code, err, errOut)
	}
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for dot is a shell script")
	}
	for script, want := range map[string]string{
		"#!/bin/sh\nwhile read -r line; do n=x; done\necho \"<svg $1/>\"\n": "<svg -Tsvg/>\n",
		"#!/bin/sh\necho 'no layout' >&2\nexit 3\n":                         "",
	} {
		os.Remove(out)
		if err := os.WriteFile(filepath.Join(dir, "dot"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		code, _, errOut = plumb(t, "automaton", "draw", m, "-o", out)
		raw, _ := os.ReadFile(out)
		if code != exitOK || string(raw) != want || want == "" && !strings.Contains(errOut, "no layout") {
			t.Errorf("exit %d, %q: %s", code, raw, errOut)
		}
	}
}

// TestAutomatonImportINI: what is printed is a config that the program reads.
func TestAutomatonImportINI(t *testing.T) {
	dir := t.TempDir()
	ini := filepath.Join(dir, "sm.ini")
	if err := os.WriteFile(ini,
		[]byte("[default]\nheuristic-name = likelihoodratio\nextrapar = 0.5\nlargestblue = 1\nslidingwindow = 1\n"+
			"swsize = 10\nswstride = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "configs/models"), 0o755); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := plumb(t, "automaton", "import-ini", ini, "--model", "sequent", "--compat", "v23", "-o",
		filepath.Join(dir, "configs/models/sm.yaml"))
	if code != exitOK || out != "" {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "configs/models/sm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"model: sequent\n", "  heuristic: likelihood\n", "  compat: v23\n",
		"window: {kind: count, length: 10, stride: 1}", `line 3: "extrapar" = "0.5": FlexFringe does not know`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("output lacks %q:\n%s", want, raw)
		}
	}
	exp := filepath.Join(dir, "configs/experiments/exp.yaml")
	if err := os.Mkdir(filepath.Dir(exp), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exp, []byte("name: x\ndata: [synth]\nmodels: [sm]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := plumb(t, "check", exp); code != exitOK {
		t.Errorf("the config is refused: %s", errOut)
	}
}

func TestAutomatonMessages(t *testing.T) {
	m := learnt(t, letterFile)
	plain := filepath.Join(t.TempDir(), "p.dot")
	if err := os.WriteFile(plain, []byte("digraph { I -> a; a -> a [label=x] }"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{}, "want one of learn, replay"},
		{[]string{"lern"}, `unknown command "lern"`},
		{[]string{"learn", letterFile, "--preset", "x"}, `--preset "x"`},
		{[]string{"learn", letterFile, "--confidence_bound", "2"}, "--confidence_bound: 2 is out of range"},
		{[]string{"learn", letterFile, "--sinkcount", "many"}, "--sinkcount: "},
		{[]string{"learn", letterFile, "--heuristic", "kl"}, "compat clean alone"},
		{[]string{"learn", letterFile, "--window", "3", "--stride", "4"}, "windows of 3 symbols moved on by 4"},
		{[]string{"learn", letterFile, "--pautomac"}, "letters.dat:2:6: "},
		{[]string{"learn", "nowhere.dat"}, "nowhere.dat"},
		{[]string{"replay", "go.mod", letterFile}, "unreadable machine: go.mod:1:1: "},
		{[]string{"replay", m, letterFile, "--missing", "jump"}, `--missing "jump"`},
		{[]string{"replay", m, letterFile, "--correction", "0"}, "--correction 0"},
		{[]string{"replay", m, letterFile, "--compat", "v1"}, `--compat "v1"`},
		{[]string{"replay", m, letterFile, "--sd", "2"}, "--train"},
		{[]string{"replay", m, letterFile, "--counters", "nowhere.json"}, "needs --train"},
		{[]string{"replay", plain, letterFile}, "no counts"},
		{[]string{"perplexity", m, letterFile, "go.mod"}, "letters.dat:2:6: "},
		{[]string{"draw", m, "--format", "png"}, `--format "png"`},
		{[]string{"import-ini", "go.mod"}, "go.mod:1:1: "},
		{[]string{"import-ini", "go.mod", "--model", "x"}, `--model "x"`},
	} {
		code, _, errOut := plumb(t, append([]string{"automaton"}, c.args...)...)
		if code != exitUsage || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: exit %d, %q; want %q", c.args, code, errOut, c.want)
		}
	}
}
