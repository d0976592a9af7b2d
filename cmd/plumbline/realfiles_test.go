package main

import (
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data/datatest"
	"plumbline/data/source"
	"plumbline/runs/record"
)

var everyFile = flag.String("every-file", "", "try: infer and run every file of $PLUMBLINE_DATA, which takes minutes; "+
	"update: rewrite the table of docs/own-data.md too")

// noTable says of packets, traces of symbols, rows quoted without headers and lists that they are no tables of rows.
func noTable(path string) bool {
	for _, part := range []string{"sealed/", "pcap/", "pautomac/", "excerpts/", "published_", ".nfcapd", "kddcup.names",
		"Attack Types", "Field Names", "OFFICIAL_", "ctu13subs", "NUSW-NB15_features", ".md"} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

// TestInferThenRun: for every real table, what infer writes runs without an edit, and a run names each single column
// that tells nearly all. Its rows are those of the table in docs/own-data.md.
func TestInferThenRun(t *testing.T) {
	if *everyFile == "" {
		t.Skip("run it with -every-file=try")
	}
	root := datatest.Dir(t, "nsl-kdd")
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if rel, bad := filepath.Rel(root, path); err == nil && bad == nil && !d.IsDir() && strings.Contains(rel, "/") &&
			!noTable(rel) {
			files = append(files, rel)
		}
		return err
	})
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	doc := filepath.Join("docs", "own-data.md")
	manual, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".gz")
		row, err := inferredRow(t, root, file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Log(row)
		if *everyFile == "update" {
			manual = []byte(replaceRow(string(manual), name, row))
		}
	}
	if *everyFile == "update" {
		if err := os.WriteFile(doc, manual, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// inferredRow infers and runs one file, and is its row of the table but for the last column.
func inferredRow(t *testing.T, root, file string) (string, error) {
	dir := t.TempDir()
	config, experiment := filepath.Join(dir, "guess.yaml"), filepath.Join(dir, "e.yaml")
	if code, _, errOut := plumb(t, "data", "infer", filepath.Join(root, file), "-o", config); code != 0 {
		return "", fmt.Errorf("infer: %d %s", code, errOut)
	}
	raw, err := os.ReadFile(config)
	if err != nil {
		return "", err
	}
	parsed, err := settings.Parse(config, raw)
	if err != nil {
		return "", err
	}
	c, err := source.DecodeConfig(parsed)
	if err != nil {
		return "", err
	}
	text := "name: e\ndata: [guess.yaml]\nmodels: [znorm]\nbootstrap: 0\nkeep: {scores: false, models: false}\n"
	if err := os.WriteFile(experiment, []byte(text), 0o644); err != nil {
		return "", err
	}
	code, out, errOut := plumb(t, "run", experiment, "--data", filepath.Dir(filepath.Join(root, file)), "--cache", "off",
		"--out", filepath.Join(dir, "runs"))
	if code != 0 {
		return "", fmt.Errorf("run: %d %s%s", code, out, errOut)
	}
	found, err := filepath.Glob(filepath.Join(dir, "runs", "*"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%d runs, %v", len(found), err)
	}
	rec, err := record.Open(found[0])
	if err != nil {
		return "", err
	}
	label := "none: –"
	if !c.Label.None() {
		label = c.Label.Column
		if c.Label.Class != "" {
			label += ", " + c.Label.Class
		}
		label += ": " + strings.Join(c.Label.Benign, ", ")
	}
	auroc := "–"
	if v := rec.Results[0].Metric("auroc"); !math.IsNaN(v) {
		auroc = fmt.Sprintf("%.4f", v)
	}
	var split struct {
		Kind string `yaml:"kind"`
	}
	if kind, ok := c.Split.Get("kind"); ok {
		split.Kind, _ = kind.Scalar()
	}
	named := "none"
	for _, w := range rec.Manifest.Data[0].Warnings {
		if _, rest, ok := strings.Cut(w, "(AUROC above 0.999): "); ok {
			named, _, _ = strings.Cut(rest, ": a shortcut")
		}
	}
	drop := "none"
	if len(c.Drop) > 0 {
		drop = strings.Join(c.Drop, ", ")
	}
	for _, level := range c.Label.Levels {
		label += " [" + level + "]"
	}
	times := 0
	for _, n := range rec.Manifest.Data[0].Notes {
		if strings.HasSuffix(n, "(time) is not a feature") {
			times++
		}
	}
	return fmt.Sprintf("| %s | %s | %d | %s | %s | %s | %s |", strings.TrimSuffix(file, ".gz"), escaped(label),
		times, escaped(drop), split.Kind, auroc, escaped(named)), nil
}

func escaped(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// replaceRow puts a file's row in the place of the old one, whose last column stays.
func replaceRow(manual, name, row string) string {
	lines := strings.Split(manual, "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "| "+name+" |") })
	if at < 0 {
		last := 0
		for i, l := range lines {
			if strings.HasPrefix(l, "| ") && strings.Contains(l, "/") && strings.Count(l, " | ") >= 7 {
				last = i
			}
		}
		return strings.Join(slices.Insert(lines, last+1, row+" the same |"), "\n")
	}
	cells := strings.Split(strings.TrimSuffix(lines[at], " |"), " | ")
	lines[at] = row + " " + cells[len(cells)-1] + " |"
	return strings.Join(lines, "\n")
}
