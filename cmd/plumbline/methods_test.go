package main

import (
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// methodsRuns are experiments whose methods differ in all that the section tells.
var methodsRuns = map[string]string{
	"flows": tiny,
	"folds": "name: folded\ndata: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}, " +
		"{data: synth, name: again, options: {hosts: 7, hours: 12, rate: 3}, prep: [impute, {step: clip, " +
		"low: 0.015, high: 0.985}, onehot, {step: scale, kind: robust}]}]\n" +
		"models: [{model: iforest, params: {trees: 23, extension: 1}}, {model: ocsvm, params: {nu: 0.07}}, tree]\n" +
		"controls: on\nseeds: [3, 14]\nsplit: {kind: repeated, folds: 2, test: 0.35, validation: 0.15, attacks: split}\n" +
		"threshold: {rule: mean_sd, value: 2.75}\nbootstrap: 0\n",
	"hosts": "name: hosts\ndata: [{data: synth, options: {hosts: 9, hours: 12, rate: 3}}]\nmodels: [znorm, lof]\n" +
		"controls: off\nseeds: [5]\nunit: host\nmin_flows: 4\naggregate: {flow: last, unit: share, above: 0.925}\n" +
		"threshold: {rule: quantile, value: 0.985, on: train}\nbootstrap: 35\n",
}

// TestMethods: every number of a methods section stands in the run directory.
func TestMethods(t *testing.T) {
	for name, text := range methodsRuns {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			if code, _, errOut := plumb(t, "run", writeExperiment(t, text), "--out", out, "--quiet"); code != exitOK {
				t.Fatalf("exit %d: %s", code, errOut)
			}
			checkMethods(t, onlyRun(t, out))
		})
	}
}

// TestMethodsOfNSLKDD is the same of real data.
func TestMethodsOfNSLKDD(t *testing.T) {
	dir := os.Getenv("PLUMBLINE_DATA")
	if _, err := os.Stat(filepath.Join(dir, "nsl-kdd")); dir == "" || err != nil {
		t.Skip("needs the folder nsl-kdd below $PLUMBLINE_DATA")
	}
	out := t.TempDir()
	code, _, errOut := plumb(t, "run", "nsl-kdd-supervised", "models=[iforest,tree]", "seeds=[1]", "controls=[znorm]",
		"bootstrap=0", "audit=off", "--out", out, "--quiet")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	section := checkMethods(t, onlyRun(t, out))
	// rows of the published files: README of the data set, and Tavallaee and others 2009
	for _, want := range []string{"25192 rows", "22544 rows", "| neptune | attack | 8282 | 0 | 4657 |", "[@data-nsl-kdd",
		"M. Tavallaee, E. Bagheri, W. Lu, A. Ghorbani", "onehot (fit train)", "Liu, Ting, Zhou"} {
		if !strings.Contains(section, want) {
			t.Errorf("no %q in:\n%s", want, section)
		}
	}
}

func onlyRun(t *testing.T, out string) string {
	t.Helper()
	runs, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	return runs[0]
}

var (
	tokens  = regexp.MustCompile(`[\p{L}\p{N}_.+/@-]*\p{Nd}[\p{L}\p{N}_.+/@-]*`)
	numbers = regexp.MustCompile(`\d+(?:\.\d+)?(?:[eE][-+]?\d+)?`)
)

// checkMethods holds what the section says against the files of the run, and compiles it where LaTeX is.
func checkMethods(t *testing.T, run string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(run, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) == ".bin" || filepath.Ext(file) == ".zst" {
			return err
		}
		raw, err := os.ReadFile(file)
		all.WriteString(strings.ToLower(string(raw)) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	known := map[float64]bool{}
	for _, n := range numbers.FindAllString(all.String(), -1) {
		if v, err := strconv.ParseFloat(n, 64); err == nil {
			known[v] = true
		}
	}
	if len(known) < 100 || known[math.Pi] {
		t.Fatalf("%d numbers in the run", len(known))
	}
	code, section, errOut := plumb(t, "methods", run)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	body, _, _ := strings.Cut(section, "### References")
	body = strings.ReplaceAll(body, `\`, "")
	found := 0
	for _, token := range tokens.FindAllString(body, -1) {
		token = strings.Trim(strings.ToLower(token), ".-/@")
		v, err := strconv.ParseFloat(token, 64)
		switch {
		case err == nil && known[v]:
			found++
		case err == nil:
			t.Errorf("the number %s is nowhere in the run", token)
		case strings.HasPrefix(token, "data-") || strings.HasPrefix(token, "model-"): // keys of references
		default: // the system is two words there, as in linux/amd64
			for _, word := range strings.Split(strings.ReplaceAll(token, "sha-256", "sha256"), "/") {
				if !strings.Contains(all.String(), word) {
					t.Errorf("%q is nowhere in the run", word)
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("%d numbers in the section:\n%s", found, section)
	}
	compileMethods(t, run)
	return section
}

// compileMethods compiles the LaTeX and BibTeX of a run's section; every citation has its entry.
func compileMethods(t *testing.T, run string) {
	t.Helper()
	dir := t.TempDir()
	tex, bib := filepath.Join(dir, "methods.tex"), filepath.Join(dir, "methods.bib")
	for format, file := range map[string]string{"latex": tex, "bibtex": bib} {
		if code, _, errOut := plumb(t, "methods", run, "--format", format, "-o", file); code != exitOK {
			t.Fatalf("%s: exit %d: %s", format, code, errOut)
		}
	}
	section, err := os.ReadFile(tex)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadFile(bib)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range regexp.MustCompile(`\\cite\{([^}]*)\}`).FindAllStringSubmatch(string(section), -1) {
		if !strings.Contains(string(entries), "@misc{"+c[1]+",") {
			t.Errorf("no entry for %s", c[1])
		}
	}
	if _, err := exec.LookPath("pdflatex"); err != nil {
		t.Log("pdflatex is not here: the section is not compiled")
		return
	}
	main := `\documentclass{article}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{booktabs,tabularx}` +
		"\n\\begin{document}\n\\input{methods}\n\\bibliographystyle{plain}\\bibliography{methods}\n\\end{document}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.tex"), []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	latex := []string{"pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main"}
	for _, args := range [][]string{latex, {"bibtex", "main"}, latex, latex} {
		c := exec.Command(args[0], args[1:]...)
		c.Dir = dir
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, said)
		} else if args[0] == "bibtex" && strings.Contains(string(said), "Warning") {
			t.Errorf("bibtex: %s", said)
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "main.log"))
	if err != nil || strings.Contains(string(log), "undefined") ||
		strings.Contains(string(log), "Float too large") {
		t.Errorf("%v\n%s", err, log)
	}
}
