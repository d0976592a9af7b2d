package experiment_test

import (
	"slices"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/runs/experiment"
	"plumbline/runs/runstest"
)

const tuned = `
name: tuned
data: [synth]
models: [iforest, {model: ae, label: ae.small}]
tune:
`

// TestTuneIsChecked: what a search cannot do is said before any data is read.
func TestTuneIsChecked(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"  {space: {TREES}}", ""},
		{"  {space: {models.ae.small.epochs: {log_int: [5, 9]}}}", ""},
		{"  {trials: 3}", "needs the key space"},
		{"  {space: {}}", "needs the key space"},
		{"  {space: {models.lof.k: {int: [5, 9]}}}", "no model of the experiment is called so"},
		{"  {space: {split.validation: {uniform: [0.1, 0.3]}}}", "decides more than how a model works"},
		{"  {space: {models.iforest.tree: {int: [5, 9]}}}", "did you mean"},
		{"  {space: {models.iforest.trees: {int: [0, 9]}}}", "models.iforest.trees=0"},
		{"  {space: {models.iforest.trees: {int: [9, 5]}}}", "low < high"},
		{"  {space: {models.iforest.trees: {log: [-1, 5]}}}", "a range above 0"},
		{"  {space: {models.iforest.trees: {int: [5, 9], choice: [1]}}}", "found 2"},
		{"  {space: {models.iforest.trees: {choice: [5, many]}}}", `models.iforest.trees="many"`},
		{"  {space: {models.iforest.trees: {choice: []}}}", "want a value at least"},
		{"  {metric: aurok, space: {TREES}}", `did you mean "auroc"`},
		{"  {metric: prevalence, space: {TREES}}", "neither that more is better"},
		{"  {trials: 0, space: {TREES}}", "needs a number of trials"},
		{"  {split: {kind: official}, space: {TREES}}", "no official parts"},
		{"  {objective: benign_loss, space: {prep: {choice: [[impute], [impute, onehot]]}}}", "do not compare"},
		{"  {resource: {key: models.ae.small.epochs, min: 9, max: 3}, space: {TREES}}", "1 ≤ N ≤ M"},
	} {
		text := tuned + strings.ReplaceAll(c.body, "TREES", "models.iforest.trees: {int: [5, 9]}")
		_, err := experiment.Load(runstest.Write(t, text), experiment.LoadOptions{Builtin: configs.Files})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.body, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want it to say %q", c.body, err, c.want)
		}
	}
}

// TestCandidatesKnowNoData: what a search trains has no data set and no way to files, and the experiment with a search
// comes back as it was.
func TestCandidatesKnowNoData(t *testing.T) {
	text := tuned + "  {space: {models.iforest.trees: {int: [5, 9]}, prep: {choice: [[impute], [impute, onehot]]}}}"
	e := runstest.Load(t, text)
	if got := e.Keys("iforest"); !slices.Equal(got, []string{"models.iforest.trees", "prep"}) {
		t.Error(got)
	}
	if got := e.Keys("ae.small"); !slices.Equal(got, []string{"prep"}) {
		t.Error(got)
	}
	a, err := e.Candidate(0, "iforest", []string{"models.iforest.trees=7"})
	if err != nil {
		t.Fatal(err)
	}
	if s := a.Settings; s.Sets != nil || s.Data != nil || s.Finder.Dirs != nil || s.File != "" {
		t.Errorf("%+v", s)
	}
	b, err := e.Candidate(0, "iforest", []string{"models.iforest.trees=8"})
	if err != nil || a.Decides == b.Decides {
		t.Error(err, "two numbers of trees have one hash")
	}
	resolved, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	again := runstest.Load(t, string(resolved))
	c, err := again.Candidate(0, "iforest", []string{"models.iforest.trees=7"})
	if err != nil || c.Decides != a.Decides {
		t.Errorf("%v: the resolved experiment has other candidates", err)
	}
}
