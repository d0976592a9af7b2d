package tune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plumbline/configs"
	"plumbline/eval"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// rows writes n rows of a classification whose attacks lie off the benign rows in two of three columns; poison changes
// values and truth of the row numbers from which on it is.
func rows(n int, seed uint64, poison func(i int, cells []string)) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("a,b,c,proto,class\n")
	for i := range n {
		class, shift := "normal", 0.0
		if i%3 == 0 {
			class, shift = []string{"dos", "probe", "worm"}[i/3%3], 1.5
		}
		proto := []string{"tcp", "udp"}[r.IntN(2)]
		cells := []string{fmt.Sprintf("%.4f", r.NormFloat64()+shift), fmt.Sprintf("%.4f", r.NormFloat64()-shift),
			fmt.Sprintf("%.4f", r.NormFloat64()), proto, class}
		if poison != nil {
			poison(i, cells)
		}
		b.WriteString(strings.Join(cells, ",") + "\n")
	}
	return b.String()
}

const text = `
name: search
data:
  - name: rows
    format: delimited
    folder: .
    files: {train: [train.csv]%s}
    options: {header: true, types: {proto: category}}
    label: {column: class, benign: [normal]}
    prep: [impute, {step: onehot, fit: train}, {step: scale, kind: minmax}]
models: [iforest, ae]
seeds: [1, 2]
split: %s
bootstrap: 0
audit: off
tune:
  method: %s
  trials: 5
  folds: 2
  seeds: [1, 2]
  startup: 2
  batch: 2
  space:
    models.iforest.trees: {log_int: [5, 40]}
    models.iforest.max_samples: {choice: [16, 64]}
    models.ae.epochs: {int: [1, 4]}
    models.ae.optimiser.rate: {log: [0.0001, 0.1]}
`

// load puts an experiment beside its files and reads it.
func load(t *testing.T, split, method string, files map[string]string, overrides ...string) *experiment.Experiment {
	t.Helper()
	test := ""
	if strings.Contains(split, "official") {
		test = ", test: [test.csv]"
	}
	file := runstest.Write(t, fmt.Sprintf(text, test, split, method))
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e, err := experiment.Load(file, experiment.LoadOptions{Overrides: overrides, Builtin: configs.Files})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func run(t *testing.T, e *experiment.Experiment, o Options) (string, *State) {
	t.Helper()
	o.Root = t.TempDir()
	dir, s, err := Run(context.Background(), e, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, s
}

// same says how two searches differ but for the time that they took.
func same(a, b *State) string {
	return cmp.Diff(a.Searches, b.Searches, cmpopts.IgnoreFields(Trial{}, "Seconds"), cmpopts.IgnoreUnexported(Trial{}),
		cmp.Comparer(func(a, b eval.Number) bool { return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b)) }))
}

// TestTestRowsReachNoSearch: whatever stands in the test part, the trials are the same; official test files need not
// be there at all.
func TestTestRowsReachNoSearch(t *testing.T) {
	train := rows(240, 1, nil)
	both := map[string]string{"train.csv": train, "test.csv": rows(90, 2, nil)}
	_, clean := run(t, load(t, "{kind: official}", "tpe", both), Options{NoTest: true})
	if clean.Searches[0].Benign != 160 || clean.Searches[0].Attack != 80 {
		t.Fatal(clean.Searches[0])
	}
	_, without := run(t, load(t, "{kind: official}", "tpe", map[string]string{"train.csv": train}), Options{NoTest: true})
	if d := same(clean, without); d != "" {
		t.Error("without a test file:", d)
	}
	// an order split tests the last rows of the file: other values, levels, classes and truth there
	poisons := map[string]func(i int, c []string){
		"clean":  nil,
		"values": func(i int, c []string) { c[0], c[1], c[2], c[3] = "1e6", "-1e6", "", "zz" },
		"classes": func(i int, c []string) {
			if c[4] != "normal" {
				c[4] = "alien"
			}
		},
	}
	var first *State
	for _, name := range []string{"clean", "values", "classes"} {
		file := rows(300, 3, func(i int, c []string) {
			if i >= 200 && poisons[name] != nil {
				poisons[name](i, c)
			}
		})
		e := load(t, "{kind: order, test: 0.3333333333}", "random", map[string]string{"train.csv": file})
		_, s := run(t, e, Options{NoTest: true})
		if n := s.Searches[0].Benign + s.Searches[0].Attack; n != 200 {
			t.Fatalf("%s: the search saw %d rows", name, n)
		}
		if first == nil {
			first = s
		} else if d := same(first, s); d != "" {
			t.Errorf("%s of test rows reach the search: %s", name, d)
		}
	}
	// the same of training rows is another search
	file := rows(300, 3, func(i int, c []string) {
		if i < 20 {
			c[0] = "9"
		}
	})
	_, s := run(t, load(t, "{kind: order, test: 0.3333333333}", "random", map[string]string{"train.csv": file}),
		Options{NoTest: true})
	if same(first, s) == "" {
		t.Error("other training rows give the same trials: the test compares nothing")
	}
}

// TestTrainingHasNoTestRows looks at the table that a search is given.
func TestTrainingHasNoTestRows(t *testing.T) {
	files := map[string]string{"train.csv": rows(300, 3, nil)}
	e := load(t, "{kind: random, attacks: split}", "random", files)
	tr, err := prepare.ReadTraining(context.Background(), &e.Sets[0], e.Finder, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	benign, attacks := tr.Count()
	if benign != 140 || attacks < 69 || attacks > 71 { // 70 % of each class
		t.Errorf("%d benign rows and %d attacks", benign, attacks)
	}
	if s := tr.Set(); len(s.Config.Files.Train)+len(s.Config.Files.Test) != 0 || s.Doc.Given() {
		t.Error("the training part knows files")
	}
	folded := load(t, "{kind: kfold}", "random", files)
	_, err = prepare.ReadTraining(context.Background(), &folded.Sets[0], e.Finder, 1, 0)
	if !errors.Is(err, prepare.ErrFolds) {
		t.Error(err)
	}
}

func TestWorkersAndResume(t *testing.T) {
	files := map[string]string{"train.csv": rows(240, 1, nil), "test.csv": rows(90, 2, nil)}
	for _, method := range []string{"random", "tpe", "halving"} {
		t.Run(method, func(t *testing.T) {
			e := load(t, "{kind: official}", method, files)
			_, one := run(t, e, Options{Workers: 1, NoTest: true})
			_, three := run(t, e, Options{Workers: 3, NoTest: true})
			if d := same(one, three); d != "" {
				t.Fatal("1 and 3 workers:", d)
			}
			ctx, cancel := context.WithCancel(context.Background())
			ended := 0
			root := t.TempDir()
			dir, _, err := Run(ctx, e, Options{Root: root, Workers: 1, Observe: func(v Event) {
				if v.Trial != nil {
					if ended++; ended == 3 {
						cancel()
					}
				}
			}})
			if !errors.Is(err, ErrInterrupted) {
				t.Fatal(err)
			}
			// what a killed process leaves beside what it had finished: halves
			var kept []string
			filepath.WalkDir(filepath.Join(dir, "cells"), func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					kept = append(kept, path)
				}
				return err
			})
			if len(kept) == 0 {
				t.Fatal("nothing was kept")
			}
			os.WriteFile(kept[0]+".part", []byte("{"), 0o644)
			os.WriteFile(kept[0], []byte(`{"cell": "`), 0o644)
			s, err := Resume(context.Background(), dir, experiment.LoadOptions{Builtin: configs.Files}, Options{NoTest: true})
			if err != nil {
				t.Fatal(err)
			}
			if d := same(one, s); d != "" {
				t.Error("resumed:", d)
			}
			if all := one.Trained; s.Trained >= all || s.Trained != all-len(kept)+1 {
				t.Errorf("%d cells were trained again of %d, %d were on file, one of them broken", s.Trained, all, len(kept))
			}
		})
	}
}

// TestTestIsReadOnce: tuned and default models are tested side by side, the run says how, and a search that has read
// its test part is left alone.
func TestTestIsReadOnce(t *testing.T) {
	files := map[string]string{"train.csv": rows(240, 1, nil), "test.csv": rows(90, 2, nil)}
	e := load(t, "{kind: official}", "random", files, "tune.space={models.iforest.trees: {int: [5, 40]}, prep: {choice: "+
		"[[impute, onehot], [impute, onehot, {step: scale, kind: zscore}]]}}")
	dir, s := run(t, e, Options{})
	if len(s.Searches) != 2 { // the auto-encoder has keys of all models alone
		t.Fatal(s.Searches)
	}
	results, err := s.Results(dir, "auroc")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if len(r.DefaultSeeds) != 2 || s.Searches[i].Best > 0 && len(r.TunedSeeds) != 2 {
			t.Errorf("%+v", r)
		}
	}
	// metrics that only metrics.json has, and those of which less is better
	for metric, better := range map[string]float64{"recall_at_fpr": 1, "fpr_at_95tpr": -1} {
		results, err := s.Results(dir, metric)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if want := better * (r.Tuned - r.Default); math.IsNaN(r.Default) || len(r.TunedSeeds) > 0 && r.Gain != want {
				t.Errorf("%s: %+v, want a gain of %v", metric, r, want)
			}
		}
	}
	before, err := os.ReadDir(filepath.Join(dir, "test"))
	if err != nil || s.Test.Finished.IsZero() {
		t.Fatal(err, s.Test)
	}
	os.Remove(filepath.Join(filepath.Dir(e.File), "test.csv"))
	again, err := Resume(context.Background(), dir, experiment.LoadOptions{Builtin: configs.Files}, Options{})
	if err != nil {
		t.Fatal("a finished search looks for its test part:", err)
	}
	after, _ := os.ReadDir(filepath.Join(dir, "test"))
	if d := same(s, again); d != "" || len(before) != len(after) || !again.Test.Finished.Equal(s.Test.Finished) {
		t.Error(d, len(before), len(after))
	}
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(s.Test.Runs[0]), "manifest.json"))
	if err != nil || !slices.ContainsFunc(s.Searches, func(one *Search) bool {
		return strings.Contains(string(raw), `"`+one.Label+`-tuned"`)
	}) {
		t.Errorf("%v: the manifest does not say what was tuned", err)
	}
}

// TestTestIsTakenUp: a test part that was begun is gone on with, wherever the folder is, and whatever else lies there.
func TestTestIsTakenUp(t *testing.T) {
	files := map[string]string{"train.csv": rows(240, 1, nil), "test.csv": rows(90, 2, nil)}
	e := load(t, "{kind: official}", "random", files, "tune.trials=1", "models=[iforest]", "~tune.space",
		"+tune.space={models.iforest.trees: {int: [5, 40]}}")
	dir, s, err := Run(t.Context(), e, Options{Root: filepath.Join(t.TempDir(), "no [pattern] *")})
	if err != nil {
		t.Fatal(err)
	}
	begun := s.Test.Runs[0]
	for _, other := range []string{"notes-search-test", "20240101-120000-another-search-test"} {
		if err := os.Mkdir(filepath.Join(dir, "test", other), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.Test = &Test{Begun: s.Test.Begun} // killed before it was noted that the test part was read
	if err := record.NewDirectory(dir).WriteJSON(StateFile, s); err != nil {
		t.Fatal(err)
	}
	again, err := Resume(t.Context(), dir, experiment.LoadOptions{Builtin: configs.Files}, Options{})
	if err != nil || !slices.Equal(again.Test.Runs, []string{begun}) {
		t.Errorf("%v: the test part was read by %v, want %s alone", err, again.Test.Runs, begun)
	}
}
