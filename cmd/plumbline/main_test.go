package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/models"
)

// plumb runs the program in the module's root.
func plumb(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = execute(args, &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		panic(err)
	}
	if os.Getenv("PLUMBLINE_TEST_DIE") != "" { // the program dies as it would of a panic that nobody catches
		execute([]string{"version"}, io.Discard, io.Discard)
		go func() { panic("nobody catches this") }()
		select {}
	}
	if os.Getenv("PLUMBLINE_TEST_MAIN") != "" { // the test binary stands in for the program
		main()
	}
	dir, err := os.MkdirTemp("", "plumbline-cache") // the user's folder is left alone
	if err != nil {
		panic(err)
	}
	os.Setenv("PLUMBLINE_CACHE", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// tiny is an experiment of a second.
const tiny = "name: tiny\ndata: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]\n" +
	"models: [znorm, markov, {model: iforest, params: {trees: 20}}]\nseeds: [1, 2]\nbootstrap: 20\n"

func writeExperiment(t testing.TB, text string) string {
	t.Helper()
	if !strings.Contains(text, "controls:") { // the cells are those of the models that are named
		text = strings.TrimRight(text, "\n") + "\ncontrols: off\n"
	}
	file := filepath.Join(t.TempDir(), "experiments", "tiny.yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// runDir is a finished run of tiny.
func runDir(t testing.TB) (dir, root string) {
	t.Helper()
	root = t.TempDir()
	code, out, errOut := plumb(t, "run", writeExperiment(t, tiny), "--out", root, "--quiet")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1], root
}

func TestRunCompareShowList(t *testing.T) {
	dir, root := runDir(t)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"compare", dir}, []string{"synth, unit flow", "markov", "iforest", "2/2", "1/1"}},
		{[]string{"compare", dir, "--format", "markdown", "--metric", "auprc"}, []string{"| # | model | AUPRC |"}},
		{[]string{"compare", dir, "--format", "csv"}, []string{"data,unit,rank,label", ",auroc,"}},
		{[]string{"compare", dir, "--format", "json"}, []string{`"metric": "auroc"`}},
		{[]string{"list", root}, []string{"tiny", "4/4"}},
		{[]string{"show", dir}, []string{"cells/synth/markov/s1", "ok"}},
		{[]string{"show", dir + "/markov"}, []string{"status.json", `"status": "ok"`, "order: 1"}},
	} {
		code, out, errOut := plumb(t, c.args...)
		if code != exitOK {
			t.Errorf("%v: exit %d: %s", c.args, code, errOut)
		}
		for _, w := range c.want {
			if !strings.Contains(out, w) {
				t.Errorf("%v: output lacks %q:\n%s", c.args, w, out)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "table.md")
	if code, _, errOut := plumb(t, "compare", dir, "-f", "markdown", "-o", file); code != exitOK {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if raw, err := os.ReadFile(file); err != nil || !bytes.Contains(raw, []byte("markov")) {
		t.Errorf("%s, %v", raw, err)
	}
	if code, _, errOut := plumb(t, "run", "--resume", dir, "--quiet"); code != exitOK {
		t.Errorf("resume of a finished run: exit %d: %s", code, errOut)
	}
}

// TestListBeforeAnyRun: where nothing was run yet there is nothing to list, and that is no error.
func TestListBeforeAnyRun(t *testing.T) {
	t.Chdir(t.TempDir())
	if code, out, errOut := plumb(t, "list"); code != exitOK || out != "" ||
		!strings.Contains(errOut, "no run directories in runs") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := plumb(t, "list", "nowhere"); code != exitUsage || !strings.Contains(errOut, "nowhere") {
		t.Errorf("a folder that was named: exit %d: %s", code, errOut)
	}
}

// TestNamedExperiments: the experiments of the program run from any folder by their names.
func TestNamedExperiments(t *testing.T) {
	t.Chdir(t.TempDir())
	code, out, errOut := plumb(t, "run", "--list")
	for _, want := range []string{"quickstart ", "Controls, vector models and a trace model on simulated flows\n",
		"cao2019-nsl-kdd "} {
		if !strings.Contains(out, want) || code != exitOK {
			t.Errorf("exit %d, no %q: %s%s", code, want, out, errOut)
		}
	}
	if code, out, errOut := plumb(t, "run", "quickstart", "models=[znorm]", "data.synth.options.hosts=6",
		"--quiet"); code != exitOK || !strings.Contains(out, "znorm") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := plumb(t, "run", "--list", "quickstart"); code != exitUsage ||
		!strings.Contains(errOut, "no experiment with --list") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

func TestProgressIsPlainOffATerminal(t *testing.T) {
	_, out, errOut := plumb(t, "run", writeExperiment(t, tiny), "--out", t.TempDir())
	for _, w := range []string{"4 cells to ", "synth: reading", "[4/4] synth "} {
		if !strings.Contains(errOut, w) {
			t.Errorf("stderr lacks %q:\n%s", w, errOut)
		}
	}
	if strings.Contains(out, "[4/4]") || strings.Contains(errOut, "\x1b") {
		t.Errorf("progress on stdout, or escapes:\n%s\n%s", out, errOut)
	}
}

func TestExitCodesAndMessages(t *testing.T) {
	failing := writeExperiment(t, strings.Replace(tiny, "hosts: 6", "hosts: 6, attack_from: 0.1",
		1)+"split: {kind: time, test: 0.99, validation: 0.9}\nprep: [{step: drop, columns: [nothing]}]\n")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no command", []string{"rnu"}, exitUsage, "unknown command"},
		{"unknown flag", []string{"run", "x.yaml", "--fast"}, exitUsage, "--fast"},
		{"no file", []string{"run"}, exitUsage, "an experiment file"},
		{"missing file", []string{"run", "nowhere.yaml"}, exitUsage, "nowhere.yaml"},
		{"config problem", []string{"run", writeExperiment(t, tiny+"sedes: [1]\n")}, exitUsage, `did you mean "seeds"?`},
		{"bad override", []string{"run", writeExperiment(t, tiny), "fast"}, exitUsage, `"fast" is neither`},
		{"failed cells", []string{"run", failing, "--out", t.TempDir()}, exitFailed, "cells are not ok"},
		{"no run directory", []string{"compare", t.TempDir()}, exitUsage, "is not a run directory"},
		{"unknown metric", []string{"compare", "x", "--metric", "auc"}, exitUsage, "x is not a run directory"},
		{"unknown model", []string{"models", "iforst"}, exitUsage, `did you mean "iforest"?`},
		{"unknown data set", []string{"data", "nsl"}, exitUsage, "nsl-kdd"},
		{"unknown schema", []string{"schema", "nothing"}, exitUsage, "neither experiment, data nor a model"},
		{"unknown metric for run", []string{"run", writeExperiment(t, tiny), "--metric", "auc"}, exitUsage, `"auroc"`},
		{"resume with a file", []string{"run", "--resume", "x", "y.yaml"}, exitUsage, "--resume takes no file"},
		{"resume with a folder", []string{"run", "--resume", "x", "--out", "y"}, exitUsage, "--out has no effect"},
		{"flag of another command", []string{"version", "--data", "x"}, exitUsage, "--data"},
		{"data folder that is not there", []string{"data", "nsl-kdd", "--data", "not-there"}, exitUsage,
			"there is no folder not-there"},
		{"unwritable output", []string{"run", writeExperiment(t, tiny), "--out", "go.mod/runs"}, exitFailed,
			"cannot be made"},
		{"several problems", []string{"check", writeExperiment(t, tiny+"sedes: [1]\nworkers: -1\n")}, exitUsage,
			"workers: -1 is out of range"},
		{"status of no run", []string{"status", "runs-nowhere"}, exitUsage, "is not a run directory"},
		{"collect of no run", []string{"collect", "runs-nowhere"}, exitUsage, "is not a run directory"},
		{"resume of no run", []string{"run", "--resume", "runs-nowhere"}, exitUsage, "is not a run directory"},
		{"resume of no search", []string{"tune", "--resume", "runs-nowhere"}, exitUsage, "is not a run directory"},
		{"tests of a metric", []string{"compare", "x", "--test", "a,b", "--metric", "f1"}, exitUsage, "[test metric]"},
		{"files within a tolerance", []string{"verify", "x", "--files", "--tolerance", "0.1"}, exitUsage, "tolerance"},
		{"pods without an image", []string{"run", writeExperiment(t, tiny), "--launcher", "kubernetes", "--out",
			"go.mod/runs"}, exitUsage, "launch.kubernetes.image"}, // before a folder is made
		{"no such cell", []string{"show", "runs"}, exitUsage, "is not a run directory"},
		{"unreadable data", []string{"check",
			writeExperiment(t, "name: x\ndata: [{data: synth, prep: [{step: drop, columns: [nothing]}]}]\nmodels: [znorm]\n")},
			exitFailed, "nothing"},
		{"missing data files of a run",
			[]string{"run", writeExperiment(t, "name: x\ndata: [synth, nsl-kdd, kddcup99]\nmodels: [znorm]\n"), "--data",
				t.TempDir(), "--out", "go.mod/runs"}, exitUsage, "data file not found: corrected (or"},
		{"missing data files of the run, the others",
			[]string{"run", writeExperiment(t, "name: x\ndata: [synth, nsl-kdd, kddcup99]\nmodels: [znorm]\n"), "--data",
				t.TempDir()}, exitUsage, "nsl-kdd: data: data file not found: KDDTest+.txt"},
		{"missing data files", []string{"check", "configs/experiments/nsl-kdd-baselines.yaml", "--data", t.TempDir()},
			exitUsage, "KDDTrain+.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(c.name, "missing data files") {
				t.Setenv("PLUMBLINE_DATA", "")
			}
			code, out, errOut := plumb(t, c.args...)
			if code != c.code || !strings.Contains(errOut, c.want) {
				t.Errorf("exit %d, want %d; stderr lacks %q:\n%s\n%s", code, c.code, c.want, errOut, out)
			}
			if strings.Contains(errOut, "Usage:") {
				t.Errorf("usage page on an error:\n%s", errOut)
			}
		})
	}
}

func TestModelsAndSchemas(t *testing.T) {
	_, out, _ := plumb(t, "models")
	for _, name := range models.Names() {
		if !strings.Contains(out, "\n"+name+" ") {
			t.Errorf("models lacks %s", name)
		}
		code, page, errOut := plumb(t, "models", name)
		if code != exitOK || !strings.Contains(page, "Source: ") {
			t.Errorf("models %s: exit %d: %s%s", name, code, page, errOut)
		}
		code, schema, errOut := plumb(t, "schema", name)
		var v map[string]any
		if err := json.Unmarshal([]byte(schema), &v); code != exitOK || err != nil || v["type"] != "object" {
			t.Errorf("schema %s: exit %d, %v: %s", name, code, err, errOut)
		}
	}
	for _, what := range []string{"experiment", "data"} {
		_, schema, _ := plumb(t, "schema", what)
		var v struct {
			Properties           map[string]any
			AdditionalProperties any `json:"additionalProperties"`
		}
		if err := json.Unmarshal([]byte(schema), &v); err != nil || len(v.Properties) < 10 ||
			v.AdditionalProperties != false {
			t.Errorf("schema %s: %v: %.300s", what, err, schema)
		}
	}
	code, version, _ := plumb(t, "version")
	if code != exitOK || !strings.HasPrefix(version, "plumbline ") || !strings.Contains(version, runtime.Version()) {
		t.Errorf("version: %q", version)
	}
	if code, out, _ := plumb(t, "--version"); code != exitOK || out != version {
		t.Errorf("--version: %q, version says %q", out, version)
	}
	if code, out, _ := plumb(t, "data", "nsl-kdd"); code != exitOK || !strings.Contains(out, "Tavallaee") {
		t.Errorf("data nsl-kdd: %q", out)
	}
	if code, out, _ := plumb(t, "completion", "bash"); code != exitOK || !strings.Contains(out, "plumbline") {
		t.Errorf("completion: exit %d", code)
	}
}

func TestCompletion(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
		not  string
	}{
		{"models i", "iforest\n", "ocsvm.yaml"},
		{"models iforest ", ":4\n", "znorm"},
		{"data n", "nsl-kdd\n", ""},
		{"data synth ", ":4\n", "nsl-kdd"},
		{"schema ", "experiment\n", ""},
		{"run ", "yaml\n", ""},
		{"run quick", "quickstart\n", "yaml\n"},
		{"check cao2019-n", "cao2019-nsl-kdd\n", "baselines"},
		{"run x.yaml ", ":4\n", "yaml\n"},
		{"run x.yaml --metric ", "auprc\n", ""},
		{"compare ", ":16\n", ""},
		{"compare x --format ", "markdown\n", ""},
		{"show ", ":16\n", ""},
		{"check x --data ", ":16\n", ""},
	} {
		code, out, errOut := plumb(t, append([]string{"__complete"}, strings.Split(c.args, " ")...)...)
		if code != exitOK || !strings.Contains(out, c.want) || c.not != "" && strings.Contains(out, c.not) {
			t.Errorf("completion of %q: exit %d: %s%s", c.args, code, out, errOut)
		}
	}
}

// examples replaces the files and folders of documented commands by small real ones.
type examples struct {
	replace *strings.Replacer
	root    string
	n       int
}

func newExamples(t *testing.T) *examples {
	dir, root := runDir(t)
	small := writeExperiment(t, tiny)
	flows := filepath.Join(t.TempDir(), "my-flows.csv")
	var rows strings.Builder
	for i := range 400 {
		fmt.Fprintf(&rows, "%d,%d,%s\n", i%13, i%7, []string{"benign", "benign", "benign", "scan"}[i%4])
	}
	if err := os.WriteFile(flows, []byte("size,packets,label\n"+rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	// where an experiment finds a data config: configs/data beside configs/experiments
	config := filepath.Join(filepath.Dir(filepath.Dir(small)), "data", "my-flows.yaml")
	if err := os.MkdirAll(filepath.Dir(config), 0o755); err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(t.TempDir(), "model.plumb")
	if code, _, errOut := plumb(t, "bundle", dir+"/iforest/s1", "-o", model); code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	traffic := filepath.Join(t.TempDir(), "traffic.csv")
	if code, _, errOut := plumb(t, "data", "export", "synth", traffic, "--quiet"); code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	watched, store := filepath.Join(root, "conn.csv"), filepath.Join(root, "alerts.db")
	for _, args := range [][]string{{"data", "export", "synth", watched, "--quiet"},
		{"watch", model, "--follow", watched, "--once", "--store", store, "--quiet"}} {
		if code, _, errOut := plumb(t, args...); code != exitOK {
			t.Fatalf("%v: exit %d: %s", args, code, errOut)
		}
	}
	_, groups, _ := plumb(t, "alerts", "groups", "--store", store, "--json")
	group := regexp.MustCompile(`"group": "([0-9a-f]+)"`).FindStringSubmatch(groups)
	if group == nil {
		t.Fatalf("no groups of alerts: %s", groups)
	}
	_, list, _ := plumb(t, "alerts", "--store", store, "--limit", "1", "--json")
	one := regexp.MustCompile(`"id": "([0-9a-f]+)"`).FindStringSubmatch(list)
	if one == nil {
		t.Fatalf("no alerts: %s", list)
	}
	traces := exampleTraces(t)
	search, found := exampleSearch(t)
	capture, office := exampleCapture(t, filepath.Dir(flows))
	return &examples{root: root, replace: strings.NewReplacer(append(traces,
		"show model.plumb", "show "+model, "score model.plumb my-flows.csv", "score "+model+" "+traffic,
		"watch model.plumb", "watch "+model, "conn.csv", watched, "alerts.db", store,
		"-o conn.plumb", "-o "+filepath.Join(root, "conn.plumb")+" --force", "watch conn.plumb", "watch "+model,
		"office.csv", filepath.Join(root, "office.csv"), "office.plumb", filepath.Join(root, "office.plumb"),
		"serve model.plumb", "serve "+model, "web=web.plumb", "web="+model,
		"-o watched.plumb", "-o "+filepath.Join(root, "watched.plumb")+" --force",
		"95531e1f99fcb83e", group[1], "0f3c9a1b", one[1],
		"benign.ndjson", filepath.Join(root, "benign.ndjson"),
		"investigate model.plumb my-flows.csv", "investigate "+model+" "+traffic,
		"retrain model.plumb my-flows.csv", "retrain --force "+model+" "+traffic,
		"newer.plumb", filepath.Join(root, "newer.plumb"),
		"train my-flows.csv", "train --force "+traffic, "train synth", "train --force "+traffic,
		"configs/data/my-flows.yaml", config, "--data .", "--data "+filepath.Dir(flows), "my-flows.csv", flows,
		"synth.parquet", filepath.Join(root, "synth.parquet"), "synth.csv.gz", filepath.Join(root, "synth.csv.gz"),
		"-o capture.pcap", "-o "+filepath.Join(root, "capture.pcap"), "truth.csv", filepath.Join(root, "truth.csv"),
		"-o benign.pcap", "-o "+filepath.Join(root, "benign.pcap"), "capture.pcap", capture, "benign.pcap", capture,
		"office.yaml", office,
		"--minutes 10", "--minutes 1", "--minutes 20", "--minutes 1",
		"go run ./cmd/plumbline", "plumbline", "tune tune-quickstart", "tune "+search+" --out "+root,
		"runs/20240101-120000-tune-quickstart", found, "runs/20240101-120000-varied", exampleVaried(t),
		"eda nsl-kdd:train --against nsl-kdd:test", "eda "+traffic+" --against "+traffic,
		"run cao2019-nsl-kdd", "run "+small, "run quickstart", "run "+small,
		"configs/experiments/quickstart.yaml", small, "configs/experiments/nsl-kdd-baselines.yaml", small,
		"verify runs/20240101-120000-quickstart --reference", "verify "+exampleShipped(t)+" --reference",
		"runs/20240101-120000-quickstart", dir, "runs/20240102-090000-quickstart", dir, "runs/*-nsl-kdd-baselines", dir,
		"~/datasets", root, "/tmp/runs", root,
	)...)}
}

// exampleCapture makes the captures of docs/packets.md in a folder, shorter ones, and its config of them.
func exampleCapture(t *testing.T, dir string) (capture, config string) {
	t.Helper()
	capture, config = filepath.Join(dir, "capture.pcap"), filepath.Join(dir, "office.yaml")
	for _, more := range [][]string{{"-o", capture, "--truth", filepath.Join(dir, "truth.csv")},
		{"-o", filepath.Join(dir, "benign.pcap"), "--attacks", "none", "--seed", "2"}} {
		args := append([]string{"data", "simulate", "--minutes", "1", "--clients", "6"}, more...)
		if code, _, errOut := plumb(t, args...); code != exitOK {
			t.Fatal(errOut)
		}
	}
	raw, err := os.ReadFile("docs/packets.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(raw), "```yaml\nname: office\nformat: pcap\nfolder: .\n")
	text, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("docs/packets.md lost its config of two captures")
	}
	if err := os.WriteFile(config, []byte("name: office\nformat: pcap\nfolder: .\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	return capture, config
}

// exampleSearch is the file of a small search, and the directory of one that was carried out.
func exampleSearch(t *testing.T) (file, dir string) {
	t.Helper()
	file = writeExperiment(t, "name: search\ndata: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]\n"+
		"models: [{model: iforest, params: {trees: 20}}]\nsplit: {kind: random, attacks: split}\nbootstrap: 0\naudit: off\n"+
		"tune: {trials: 2, folds: 2, space: {models.iforest.trees: {int: [5, 10]}}}\n")
	root := t.TempDir()
	if code, _, errOut := plumb(t, "tune", file, "--out", root, "--quiet"); code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	made, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	if _, out, _ := plumb(t, "list", root); !strings.Contains(out, " 2 trials  synth ") {
		t.Errorf("a search is listed as %s", out)
	}
	return file, made[0]
}

// exampleVaried is a run along an axis.
func exampleVaried(t *testing.T) (dir string) {
	t.Helper()
	code, out, errOut := plumb(t, "run", writeExperiment(t, "name: varied\nmodels: [znorm]\nbootstrap: 0\naudit: off\n"+
		"data: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]\nvary: {contamination: [0, 0.02]}\n"),
		"--out", t.TempDir(), "--quiet")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

// exampleShipped is a run of a shipped experiment.
func exampleShipped(t *testing.T) (dir string) {
	t.Helper()
	code, out, errOut := plumb(t, "run", "quickstart", "models=[znorm]", "controls=off", "bootstrap=0", "audit=off",
		"--out", t.TempDir(), "--quiet")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

// exampleTraces makes the files of the examples of automaton, and gives the names with what stands for them.
func exampleTraces(t *testing.T) (pairs []string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, raw []byte) string {
		path := filepath.Join(dir, name)
		if raw != nil {
			if err := os.WriteFile(path, raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		pairs = append(pairs, name, path)
		return path
	}
	read := func(path string) []byte {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	zipped := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(text))
		z.Close()
		return b.Bytes()
	}
	letters, flows := file("letters.dat", read(letterFile)), file("flows.csv", read(flowFile))
	for _, name := range []string{"train.csv", "monday.csv", "tuesday.csv"} {
		file(name, read(flowFile))
	}
	file("labelled.dat", []byte("4 2\n1 0\n0 1 a\n1 2 a a\n1 1 b\n"))
	file("sm.ini", []byte("heuristic-name = likelihoodratio\n"))
	file("7.pautomac.test.gz", zipped("2 4\n1 a\n2 b c\n"))
	file("7.pautomac_solution.txt.gz", zipped("2\n0.25\n0.75\n"))
	words := strings.Repeat("1 a\n2 b c\n", 5)
	os.MkdirAll(filepath.Join(dir, "pautomac"), 0o755)
	file("pautomac/7.pautomac.train", []byte("10 4\n"+words))
	file("pautomac/7.pautomac.test", []byte("2 4\n1 a\n2 b c\n"))
	file("pautomac/7.pautomac_solution.txt", []byte("2\n0.25\n0.75\n"))
	pairs = append(pairs, "~/pautomac", filepath.Join(dir, "pautomac"))
	file("table.md", nil)
	for _, name := range []string{"dfa.json", "letters.svg", "state.json"} {
		file(name, nil)
	}
	for name, from := range map[string]string{"letters.json": letters, "7.json": letters, "flows.json": flows} {
		if code, _, errOut := plumb(t, "automaton", "learn", "-q", from, "-o", file(name, nil)); code != exitOK {
			t.Fatal(errOut)
		}
	}
	return pairs
}

// run carries a documented command out.
func (x *examples) run(t *testing.T, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " #")
	line, _, _ = strings.Cut(line, " > ")
	args := words(x.replace.Replace(strings.TrimSpace(line)))
	if len(args) < 2 || args[0] != "plumbline" {
		t.Errorf("%q is not a command of the program", line)
		return
	}
	if len(args) > 2 && args[2] == "fetch" { // needs the publisher's server; TestFetch has one of its own
		x.n++
		return
	}
	if args[1] == "run" && !strings.Contains(line, "--resume") && !strings.Contains(line, "--list") {
		args = append(args, "--out", x.root)
	}
	if len(args) == 2 && args[1] == "list" {
		args = append(args, x.root)
	}
	// what they write is there, for the commands that read it
	if args[1] == "automaton" && args[2] == "learn" || args[1] == "bundle" && args[2] != "show" {
		args = append(args, "--force")
	}
	if i := slices.Index(args, "-o"); i >= 0 && i+1 < len(args) && !filepath.IsAbs(args[i+1]) {
		args[i+1] = filepath.Join(x.root, args[i+1])
	}
	if i := slices.Index(args, "--mlflow"); i >= 0 && i+1 < len(args) {
		args[i+1] = trackingServer(t, new(int)).URL
	}
	before := names(t, ".")
	x.n++
	if args[1] == "serve" {
		serveOnce(t, append(args[1:], "--listen", "127.0.0.1:0"))
		return
	}
	if code, _, errOut := plumb(t, args[1:]...); code != exitOK {
		t.Errorf("%s: exit %d: %s", line, code, errOut)
	}
	for _, name := range names(t, ".") {
		if !slices.Contains(before, name) {
			t.Errorf("%s left %s in the working directory", line, name)
		}
	}
}

// serveOnce starts a server, asks for one of its models, and ends it as a terminal does.
func serveOnce(t *testing.T, args []string) {
	t.Helper()
	r, w := io.Pipe()
	ended := make(chan int)
	var errOut bytes.Buffer
	go func() {
		code := execute(args, w, &errOut)
		w.Close()
		ended <- code
	}()
	address, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: exit %d: %s", args, <-ended, &errOut)
	}
	go io.Copy(io.Discard, r)
	answer, err := http.Get(strings.TrimSpace(address))
	if err != nil {
		t.Error(err)
	} else {
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", address, answer.Status)
		}
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(os.Interrupt)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != exitOK {
		t.Errorf("%v: exit %d: %s", args, code, &errOut)
	}
}

// words are those of a command as a shell has them: blanks within single quotes do not end one.
func words(line string) (out []string) {
	quoted := false
	for _, w := range strings.FieldsFunc(line, func(r rune) bool {
		if r == '\'' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	}) {
		out = append(out, strings.ReplaceAll(w, "'", ""))
	}
	return out
}

// names are those of the entries of a folder.
func names(t *testing.T, folder string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// TestHelpExamples runs what the help pages show.
func TestHelpExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("the goroutines of runs, which package runs tests")
	}
	x := newExamples(t)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		for line := range strings.Lines(c.Example) {
			x.run(t, line)
		}
		if c.Runnable() && c.Example == "" && c.Parent().Name() != "completion" && c.Name() != "help" {
			t.Errorf("%s shows no example", c.Name())
		}
	}
	a := &app{&command.App{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}}
	walk(a.root())
	if x.n < 15 {
		t.Errorf("only %d examples were found", x.n)
	}
}
