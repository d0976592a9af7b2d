package experiment_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/data"
	_ "plumbline/models/all"
	"plumbline/runs/experiment"
)

// TestControls: which controls an experiment gets, that none is there twice, and that the resolved file says all of it.
func TestControls(t *testing.T) {
	load := func(text string) (*experiment.Experiment, error) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "experiment.yaml")
		if err := os.WriteFile(file, []byte("name: c\ndata: [synth]\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
		return experiment.Load(file, experiment.LoadOptions{Builtin: configs.Files})
	}
	labels := func(e *experiment.Experiment) string {
		var out []string
		for _, m := range e.Entries {
			out = append(out, m.Label)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct{ text, want string }{
		{"models: [iforest]\n", "iforest random znorm best_feature untrained"},
		{"models: [iforest]\ncontrols: off\n", "iforest"},
		{"models: [iforest]\ncontrols: false\n", "iforest"},
		{"models: [iforest]\ncontrols: on\n", "iforest random znorm best_feature untrained"},
		{"models: [iforest]\ncontrols: [znorm]\n", "iforest znorm"},
		{"models: [iforest, untrained]\n", "iforest untrained"},
		{"models: [iforest, centroid]\n", "iforest centroid random znorm best_feature untrained"},
		{"models: [iforest, {model: znorm, label: control}]\n", "iforest control"},
		{"models: [iforest, {model: znorm, label: control}]\ncontrols: on\n",
			"iforest control random best_feature untrained"},
		{"models: [markov]\n", "markov"},
		{"models: [iforest, markov]\n", "iforest markov"},
		{"models: [iforest, markov]\ncontrols: on\n", "iforest markov random znorm best_feature untrained"},
		{"models: [markov]\ncontrols: [random]\n", "markov random"},
		{"models: [tree]\nsplit: {kind: random, attacks: split}\n",
			"tree random znorm best_feature untrained one_rule permuted"},
	} {
		e, err := load(c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if got := labels(e); got != c.want {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
		resolved, err := e.Resolved()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "again.yaml")
		if err := os.WriteFile(file, resolved, 0o644); err != nil {
			t.Fatal(err)
		}
		again, err := experiment.Load(file, experiment.LoadOptions{Builtin: configs.Files})
		if err != nil || labels(again) != c.want {
			t.Errorf("%s: resolved, %v: %q", c.text, err, labels(again))
		}
		if !slices.EqualFunc(e.Plan(), again.Plan(), func(a, b experiment.Cell) bool { return a.Path() == b.Path() }) {
			t.Errorf("%s: the resolved file has other cells", c.text)
		}
	}
	for text, want := range map[string]string{
		"models: [iforest]\ncontrols: perhaps\n": `"perhaps" is neither on nor off`,
		"models: [iforest]\ncontrols: [znrm]\n":  `did you mean "znorm"?`,
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	// a run directory that was made before there were controls gets none
	dir := t.TempDir()
	for name, text := range map[string]string{"experiment.yaml": "name: c\ndata: [synth]\nmodels: [iforest]\n",
		"manifest.json": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e, err := experiment.Load(filepath.Join(dir, "experiment.yaml"), experiment.LoadOptions{Builtin: configs.Files})
	if err != nil || labels(e) != "iforest" {
		t.Errorf("%v", err)
	}
}

// TestBuiltinControls: what comes with the program has the usual controls beside models of rows, or says that it has
// others or none; a file that named one of them and no more would go without the rest in silence.
func TestBuiltinControls(t *testing.T) {
	var files []string
	for _, dir := range []string{"experiments", "papers"} {
		found, err := fs.Glob(configs.Files, dir+"/*.yaml")
		if err != nil || len(found) == 0 {
			t.Fatal(dir, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := configs.Files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		said := strings.Contains("\n"+string(text), "\ncontrols:")
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		e, err := experiment.Load(name, experiment.LoadOptions{Builtin: configs.Files})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		rows := slices.ContainsFunc(e.Entries, func(m experiment.Entry) bool { return m.Info.Needs.Input == data.Vectors })
		untrained := slices.ContainsFunc(e.Entries, func(m experiment.Entry) bool { return m.Label == "untrained" })
		if rows && !said && !untrained {
			t.Errorf("%s has models of rows, no controls and does not say so", name)
		}
	}
}
