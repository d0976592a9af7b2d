package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"plumbline/runs/record"
)

// pythonWith is a Python that has the modules; without one the test is skipped.
func pythonWith(t *testing.T, modules string) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if path, err := exec.LookPath(python); err == nil && exec.Command(path, "-c", "import "+modules).Run() == nil {
			return path
		}
	}
	t.Skip("no python3 with " + modules)
	return ""
}

// TestElsewhere carries the page on methods from elsewhere out: the program as a command, and its scores from a file,
// give the same row, and scikit-learn's metrics say the same of them.
func TestElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("the goroutines of runs, which package runs tests")
	}
	python := pythonWith(t, "sklearn.ensemble, numpy")
	page, err := os.ReadFile("docs/elsewhere.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) string {
		m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(page)
		if m == nil {
			t.Fatalf("the page has no example in %s", language)
		}
		return string(m[1])
	}
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	experiment := strings.Replace(block("yaml"), "[python3,", "["+python+",", 1)
	write("detector.py", block("python"))
	write("elsewhere.yaml", experiment)
	code, out, errOut := plumb(t, "run", "elsewhere.yaml", "seeds=[1]", "-q", "--out", "runs", "--cache", "off")
	if code != exitOK {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	for _, args := range [][]string{{"data", "export", "elsewhere.yaml", "--prepared", "--out", "prepared"},
		{"data", "export", "elsewhere.yaml", "--prepared", "--truth", "--out", "judge"}} {
		if code, out, errOut := plumb(t, args...); code != exitOK {
			t.Fatalf("%v: exit %d: %s%s", args, code, out, errOut)
		}
	}
	detect := exec.Command(python, "detector.py", "prepared/synth")
	if text, err := detect.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	entry := regexp.MustCompile(`(?m)^  (- \{model: scores,.*\})$`).FindSubmatch(page)
	if entry == nil {
		t.Fatal("the page has no entry of scores")
	}
	write("scores.yaml", "name: scores\ndata: [synth]\nmodels:\n"+string(entry[1])+"\n")
	if code, out, errOut := plumb(t, "run", "scores.yaml", "-q", "--out", "runs", "--cache", "off"); code != exitOK {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	byProgram, byFile := cellOf(t, "runs/*-elsewhere"), cellOf(t, "runs/*-scores")
	for _, name := range []string{"auroc", "auprc", "threshold", "f1", "precision", "recall", "fpr", "mcc", "auroc_low"} {
		if a, b := byProgram.Metric(name), byFile.Metric(name); a != b {
			t.Errorf("%s: %v by the program, %v by the file", name, a, b)
		}
	}
	if len(byProgram.Warnings) != len(byFile.Warnings) || byProgram.TestSHA256 != byFile.TestSHA256 {
		t.Errorf("%q, %q", byProgram.Warnings, byFile.Warnings)
	}
	const judge = `
import json, csv, sys, numpy as np
from sklearn import metrics
rows = np.load("judge/synth/test-rows.npy"); y = np.load("judge/synth/test-attack.npy")
score = {int(r["row"]): float(r["score"]) for r in csv.DictReader(open("prepared/synth/scores.csv"))}
s = np.array([score[r] for r in rows.tolist()]); flag = s > float(sys.argv[1])
print(json.dumps({"auroc": metrics.roc_auc_score(y, s), "auprc": metrics.average_precision_score(y, s),
  "f1": metrics.f1_score(y, flag), "mcc": metrics.matthews_corrcoef(y, flag),
  "partial": metrics.roc_auc_score(y, s, max_fpr=0.01)}))`
	threshold := strconv.FormatFloat(byFile.Metric("threshold"), 'g', -1, 64)
	raw, err := exec.Command(python, "-c", judge, threshold).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]float64
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"auroc", "auprc", "f1", "mcc"} {
		if got := byFile.Metric(name); got < want[name]-1e-9 || got > want[name]+1e-9 {
			t.Errorf("%s: %v, scikit-learn says %v", name, got, want[name])
		}
	}
}

// cellOf is the first cell of the only run that a pattern fits.
func cellOf(t *testing.T, pattern string) *record.Result {
	t.Helper()
	dirs, _ := filepath.Glob(pattern)
	if len(dirs) != 1 {
		t.Fatalf("%s: %q", pattern, dirs)
	}
	rec, err := record.Open(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	return &rec.Results[0]
}

// TestExportPrepared: what is written is what models see, in each format, and flags that have no effect are refused.
func TestExportPrepared(t *testing.T) {
	exp := writeExperiment(t, tiny)
	dir := t.TempDir()
	code, out, errOut := plumb(t, "data", "export", exp, "--prepared", "--split", "test", "--format", "csv", "--truth",
		"-o", dir)
	if code != exitOK || !strings.Contains(out, "test: ") || strings.Contains(out, "train: ") {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "test.csv"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || rows[0][0] != "row" || rows[0][len(rows[0])-2] != "attack" || rows[0][len(rows[0])-1] != "class" {
		t.Fatalf("%v: %q", err, rows[0])
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{exp, "--prepared", "-o", dir}, "already"},
		{[]string{exp, "--prepared", "--split", "tst"}, "unknown part"},
		{[]string{exp, "--prepared", "--format", "xlsx"}, "unknown format"},
		{[]string{exp, "--prepared", "--force"}, "no effect"},
		{[]string{"synth", "x.csv", "--labels"}, "no effect without --prepared"},
	} {
		code, _, errOut := plumb(t, append([]string{"data", "export"}, c.args...)...)
		if code != exitUsage || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, errOut)
		}
	}
}
