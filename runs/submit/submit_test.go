package submit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

const folds = `
name: many folds
data:
  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}
models: [iforest, {model: ae, params: {epochs: 3}}, znorm]
seeds: [1, 2, 3]
split: {kind: kfold, folds: 2}
launch: {group: 3, array_limit: 2, memory: 2GB, time: 90m, program: /opt/it's here/plumbline, data: [/data/flows]}
`

// begun makes the run directory of an experiment, of which nothing is carried out.
func begun(t *testing.T, text string, overrides ...string) (string, *experiment.Experiment) {
	t.Helper()
	e := runstest.Load(t, strings.Replace(text, "many folds", "folds", 1), overrides...)
	dir, err := runs.Begin(e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return dir, e
}

func layOut(t *testing.T, dir string, e *experiment.Experiment, o Options) *Plan {
	t.Helper()
	p, err := Make(context.Background(), dir, e, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMake: every cell that is not ok is in one task, a task is of one fold, no array is longer than the limit, and the
// files of tasks say the same.
func TestMake(t *testing.T) {
	dir, e := begun(t, folds)
	plan := e.Plan()
	done := plan[4].Path() // one that is ok is not handed out
	if err := record.NewDirectory(dir).WriteJSON(done+"/status.json", record.Status{Cell: done, Status: record.OK,
		Result: record.Result{Cell: done, Status: record.OK}}); err != nil {
		t.Fatal(err)
	}
	p := layOut(t, dir, e, Options{})
	seen := map[int]bool{5: true}
	for _, a := range p.Arrays {
		if len(a.Tasks) > 2 || a.Memory != 2e9 || a.Seconds != 5400 {
			t.Errorf("array %+v", a)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "submit", "1", a.Name+".tasks"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
		if len(lines) != len(a.Tasks) {
			t.Fatalf("%s has %d lines, %d tasks", a.Name, len(lines), len(a.Tasks))
		}
		for i, task := range a.Tasks {
			if cells, err := runs.ParseCells(lines[i]); err != nil || !slices.Equal(cells, task.Cells) || len(cells) > 3 {
				t.Errorf("%s task %d: %q of %v, %v", a.Name, i+1, lines[i], task.Cells, err)
			}
			for _, n := range task.Cells {
				if seen[n] || plan[n-1].Fold != a.Fold {
					t.Errorf("cell %d of fold %s is in %s, or twice", n, plan[n-1].Fold, a.Name)
				}
				seen[n] = true
			}
		}
	}
	if len(seen) != len(plan) || len(p.Arrays) != 3 || p.Arrays[2].Name != "synth-f2.2" {
		t.Errorf("%d of %d cells, arrays %+v", len(seen), len(plan), p.Arrays)
	}
	tasks, collect := p.Commands()
	if want := `'/opt/it'\''s here/plumbline' run --resume ` + dir + ` --cells `; len(tasks) != 5 ||
		!strings.HasPrefix(tasks[0], want) || !strings.Contains(tasks[0], " --data /data/flows ") ||
		!strings.HasSuffix(collect, " collect "+dir) {
		t.Errorf("%q, %q", tasks, collect)
	}
	if _, err := Make(context.Background(), dir, e, Options{Again: 1}); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing lacked memory: %v", err)
	}
	// what lacked memory is handed out once more with twice as much, and no more than the settings say
	mark := func(number int, task string) {
		if err := os.WriteFile(filepath.Join(dir, "submit", fmt.Sprint(number), task+".memory"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mark(1, "synth-f2.1-2")
	again := layOut(t, dir, e, Options{Again: 1})
	if len(again.Arrays) != 1 || again.Arrays[0].Memory != 4e9 || again.Number != 2 ||
		!slices.Equal(again.Arrays[0].Tasks[0].Cells, p.Arrays[1].Tasks[1].Cells) {
		t.Errorf("%+v, of %+v", again, p.Arrays)
	}
	mark(2, again.Arrays[0].Name+"-1")
	if _, err := Make(context.Background(), dir, e, Options{Again: 2}); !errors.Is(err, ErrNothing) {
		t.Errorf("memory is doubled twice: %v", err)
	}
}

// TestGroup: tasks are even, and of about the time that is asked for.
func TestGroup(t *testing.T) {
	var cells []int
	for n := range 40 {
		cells = append(cells, n+1)
	}
	seconds := func(n int) float64 { return float64(n) } // 820 in all
	tasks := group(cells, seconds, 0, 1, 100)
	if len(tasks) != 9 {
		t.Fatalf("%d tasks", len(tasks))
	}
	for _, task := range tasks {
		if math.Abs(task.Seconds-820./9) > 5 {
			t.Errorf("a task of %v s, want about %.0f", task.Seconds, 820./9)
		}
	}
	if tasks := group(cells[:2], seconds, 0, 1, 1e9); len(tasks) != 1 || tasks[0].Seconds != 3 {
		t.Errorf("two short cells: %+v", tasks)
	}
	if tasks := group(cells[:2], seconds, 0, 8, 1e9); tasks[0].Seconds != 1.5 {
		t.Errorf("two cells side by side: %+v", tasks)
	}
	if tasks := group(cells[:3], seconds, 0, 1, .1); len(tasks) != 3 {
		t.Errorf("cells that are longer than a task: %+v", tasks)
	}
}

// TestEstimate: times grow with rows, epochs and, of models of pairs of rows, with their square; what cells of the run
// took counts more; and each is said.
func TestEstimate(t *testing.T) {
	dir, e := begun(t, folds, "models=[ae,{model: ae,label: long,params: {epochs: 1000}},lof]", "~launch")
	plan := e.Plan()
	at := map[string]experiment.Cell{}
	for _, c := range plan {
		at[c.Entry.Label] = c
	}
	guessed := func(label string, rows float64) float64 {
		c := at[label]
		s, rated := guess(&c, rows, 30, 1)
		if !rated {
			t.Errorf("%s was not measured", label)
		}
		return s - 2 - rows*30*readNanoseconds/1e9
	}
	if a, b := guessed("ae", 1e6), guessed("ae", 2e6); math.Abs(b/a-2) > 1e-9 {
		t.Errorf("ae: %v and %v s", a, b)
	}
	if a, b := guessed("lof", 1e6), guessed("lof", 2e6); math.Abs(b/a-4) > 1e-9 {
		t.Errorf("lof: %v and %v s", a, b)
	}
	usual := number2(t, at["ae"])
	if a, b := guessed("ae", 1e6), guessed("long", 1e6); math.Abs(b/a-1000/usual) > 1e-9 {
		t.Errorf("1000 epochs of ae: %v, %v of them: %v s", b, usual, a)
	}
	lof, ae := at["lof"], at["ae"]
	if a, b := memoryOf(&ae, 1e6, 30, 1), memoryOf(&ae, 2e6, 30, 1); b <= a || a < 1e6*30*48 {
		t.Errorf("memory of ae: %d, %d", a, b)
	}
	if a, b := memoryOf(&lof, 1e6, 30, 1), memoryOf(&lof, 1e6, 30, 4); b <= a {
		t.Errorf("four cells side by side take %d, one takes %d", b, a)
	}
	steps, err := record.OpenSteps(dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range plan[:4] {
		if err := steps.Add(record.Step{Cell: c.Path(), Status: record.OK, Seconds: float64(100 + i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := steps.Close(); err != nil {
		t.Fatal(err)
	}
	est, err := estimate(dir, e, plan, 1)
	if err != nil || est.seconds(1) != 101.5 {
		t.Errorf("%v s, %v", est.seconds(1), err)
	}
	if said := strings.Join(est.notes, "\n"); !strings.Contains(said, "are the means") ||
		!strings.Contains(said, "are estimates") || !strings.Contains(said, "synth: estimated for") {
		t.Error(said)
	}
}

func number2(t *testing.T, c experiment.Cell) float64 {
	t.Helper()
	return ratio(c.Entry.Info.Defaults(), struct{ Epochs int }{1}, "Epochs")
}

// TestSize: rows and columns of a file, compressed or not, and of what is no text.
func TestSize(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "flows.csv")
	line := "10.0.0.1,10.0.0.2,443,1234,0.5,benign\n"
	if err := os.WriteFile(file, []byte("a,b,c,d,e,f\n"+strings.Repeat(line, 20_000)), 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := experiment.Load(runstest.Write(t, "name: x\ndata: ["+file+"]\nmodels: [znorm]\nseeds: [1]\n"),
		experiment.LoadOptions{Builtin: configs.Files})
	if err != nil {
		t.Fatal(err)
	}
	if s := sizeOf(e, &e.Sets[0]); s.columns != 6 || math.Abs(s.rows-20_000) > 2 {
		t.Errorf("%+v", s)
	}
	if err := os.WriteFile(file, make([]byte, 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	if columns, _ := sample(file); columns != 0 {
		t.Errorf("%v columns of no text", columns)
	}
	if columns, _ := sample(file + "x"); columns != 0 {
		t.Errorf("%v columns of no file", columns)
	}
}

// TestCosts: every model that can be named has been measured, and no other.
func TestCosts(t *testing.T) {
	dir, e := begun(t, folds, "models=[znorm]")
	c := e.Plan()[0]
	if s, rated := guess(&c, 1e5, 40, 1); !rated || s < 2 || s > 60 {
		t.Errorf("%s: znorm takes %v s", dir, s)
	}
	for name, k := range costs {
		if k.seconds <= 0 || k.power != 1 && k.power != 2 {
			t.Errorf("%s: %+v", name, k)
		}
	}
}

// TestPossible: what a launcher cannot do is known before there is a run directory.
func TestPossible(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no sbatch
	shared := t.TempDir()
	image := "+launch.kubernetes={image: registry.example/plumbline:1, volume: runs, mount: " + shared + "}"
	for _, c := range []struct {
		launcher, root string
		search         bool
		overrides      []string
		want           string
	}{
		{"local", shared, false, nil, ""},
		{"print", shared, false, nil, ""},
		{"print", shared, true, nil, "launch.throttle"},
		{"print", shared, true, []string{"+launch.throttle=2"}, ""},
		{"slurm", shared, false, nil, "sbatch"},
		{"slurm", "s3://lab/sweeps", false, nil, "its nodes share"},
		{"kubernetes", shared, false, nil, "launch.kubernetes.image"},
		{"kubernetes", shared + "/below", false, []string{image}, ""},
		{"kubernetes", t.TempDir(), false, []string{image}, "is not below"},
		{"kubernetes", "s3://lab/sweeps", false, []string{"+launch.kubernetes={image: registry.example/plumbline:1}"}, ""},
	} {
		e := runstest.Load(t, strings.Replace(folds, "many folds", "folds", 1), c.overrides...)
		err := Possible(c.launcher, e, c.root, c.search)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s in %s, search %v, %v: %v, want %q", c.launcher, c.root, c.search, c.overrides, err, c.want)
		}
	}
	launch := experiment.DefaultLaunch()
	launch.Signal = "20h"
	if _, _, _, err := launch.Times(); err == nil || !strings.Contains(err.Error(), "longer than sbatch takes") {
		t.Errorf("a signal before the limit of 20 hours: %v", err)
	}
}
