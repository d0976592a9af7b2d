package runs

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"plumbline/configs"
	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// faulty is a model that breaks its promises where it is told to.
type faulty struct {
	At string `yaml:"at"`
}

func init() {
	models.Register(
		models.Info{
			Name:     "faulty",
			Doc:      "for tests",
			Paper:    "none",
			Needs:    models.Needs{Input: data.Vectors},
			Seeded:   models.Never,
			Defaults: func() models.Spec { return &faulty{} },
		},
	)
}

func (f *faulty) New(models.Env) (models.Detector, error) { return faultyDetector{f.At}, nil }

type faultyDetector struct{ at string }

// hole is an objective that is not there when a worker of the network asks it.
type hole struct{}

func (hole) Gradient(*nn.Batch) float64 { panic("a hole in the network") }

func (d faultyDetector) Fit(ctx context.Context, s *data.Set) error {
	switch d.at {
	case "fit":
		panic("a hole in the model")
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "error":
		return errors.New("first line\nsecond line")
	case "network":
		job := nn.TrainJob{
			Network: nn.Network{Layers: []nn.Dense{{In: s.D, Out: 1, Activation: nn.Tanh}}, Objective: hole{}},
			Inputs:  make([]float32, s.N*s.D), Targets: make([]float32, s.N), Rows: s.N,
		}
		_, err := job.Train(ctx, models.Env{Workers: 2}, nn.DefaultTraining(1, s.N))
		return err
	case "worker":
		return models.Env{Workers: 3}.Blocks(ctx, 100, 1, func(from, _ int) {
			if from == 50 {
				panic("a hole in a worker")
			}
		})
	}
	return nil
}

func (d faultyDetector) Score(_ context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	switch d.at {
	case "scribble":
		s.X[len(s.X)/2]++
	case "nan":
		out[s.N-1] = math.NaN()
	case "few":
		out = out[1:]
	}
	return out, nil
}

func (d faultyDetector) Save(w io.Writer) error {
	if d.at == "save" {
		io.WriteString(w, "half a mo")
		panic("a hole in the writer")
	}
	return nil
}

func (d faultyDetector) Load(io.Reader) error { return nil }

func TestFaultyModels(t *testing.T) {
	text := `
name: faulty
data: [{data: synth, options: {hosts: 8, hours: 20, rate: 4}}]
timeout: 5s
bootstrap: 0
models: [znorm`
	want := map[string][2]string{
		"fit":     {record.Failed, "the model panicked: a hole in the model"},
		"worker":  {record.Failed, "the model panicked: a hole in a worker"},
		"network": {record.Failed, "the model panicked: a hole in the network"},
		"save":    {record.Failed, "the model panicked: a hole in the writer"},
		"wait":    {record.TimedOut, "not done within 300ms"},
		"error":   {record.Failed, "first line second line"},
		"nan":     {record.Failed, "is NaN"},
		"few":     {record.Failed, "scores for"},
	}
	for at := range want {
		text += ", {model: faulty, label: " + at + ", params: {at: " + at + "}}"
	}
	out := runSmall(t, text+"]\n", Options{}, "timeout=300ms")
	if out.Failed != len(want) || out.Interrupted {
		t.Fatalf("%d cells are not ok, want %d", out.Failed, len(want))
	}
	for _, r := range out.Results {
		w, faulty := want[r.Label]
		switch {
		case !faulty && r.Status != record.OK:
			t.Errorf("%s: %s %q: one model's fault reached another", r.Label, r.Status, r.Error)
		case faulty && (r.Status != w[0] || !strings.Contains(r.Error, w[1])):
			t.Errorf("%s: %s %q, want %s %q", r.Label, r.Status, r.Error, w[0], w[1])
		}
	}
	log, err := os.ReadFile(filepath.Join(out.Dir, "log.jsonl"))
	for _, want := range []string{"faultyDetector.Fit", "nn.runWorkers.func"} {
		if err != nil || !strings.Contains(string(log), want) {
			t.Errorf("%s is in no stack of the log: %v", want, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(out.Dir, "cells/*/save/s1/model.bin*")); left != nil {
		t.Errorf("a panic while saving left %v", left)
	}
}

// TestPanicOfAResample: a panic on a goroutine that draws resamples fails one cell of six.
func TestPanicOfAResample(t *testing.T) {
	var cells atomic.Int32
	out := runSmall(t, runstest.Small, Options{Workers: 2, judge: func(
		scores []float64, truth eval.Truth, threshold float64, resamples int, seed uint64,
	) (*eval.Metrics, error) {
		if cells.Add(1) == 3 {
			r, err := eval.Rank(scores, truth.Attack)
			if err != nil {
				return nil, err
			}
			r.BootstrapOf(100, seed, func(*eval.Ranking) float64 { panic("a hole in a statistic") })
		}
		return eval.Summarise(scores, truth, threshold, resamples, seed)
	}}, "models=[znorm, pca, iforest, mahalanobis, hbos, random]", "seeds=[1]")
	failed := 0
	for _, r := range out.Results {
		if r.Status != record.OK {
			failed++
			if r.Status != record.Failed || !strings.Contains(r.Error, "a hole in a statistic") {
				t.Errorf("%s: %s %q", r.Label, r.Status, r.Error)
			}
		}
	}
	if failed != 1 || len(out.Results) != 6 {
		t.Errorf("%d of %d cells failed, want 1 of 6", failed, len(out.Results))
	}
	log, err := os.ReadFile(filepath.Join(out.Dir, "log.jsonl"))
	if err != nil || !strings.Contains(string(log), "eval.(*Ranking).bootstrap.func") {
		t.Errorf("the stack of the goroutine is not in the log: %v", err)
	}
	again, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{}, Options{})
	if err != nil || again.Failed > 0 {
		t.Errorf("taken up again: %+v, %v", again, err)
	}
}

// TestChangedData: where a model changes the data that all cells share, none of them is ok, and nothing of it is left
// for a later attempt to take over.
func TestChangedData(t *testing.T) {
	out := runSmall(
		t,
		runstest.Small,
		Options{Workers: 1},
		"models=[znorm, {model: faulty, params: {at: scribble}}, pca, random]",
		"seeds=[1]",
	)
	if out.Failed != 4 {
		t.Errorf("%d of 4 cells failed", out.Failed)
	}
	for _, r := range out.Results {
		if r.Status != record.Failed || !strings.Contains(r.Error, "was changed while cells worked on it") {
			t.Errorf("%s: %s %q", r.Label, r.Status, r.Error)
		}
		if v := r.Metric("auroc"); !math.IsNaN(v) {
			t.Errorf("%s has an AUROC of %v", r.Label, v)
		}
	}
	rec, err := record.Open(out.Dir)
	if err != nil || rec.OK() != 0 || rec.Faults != nil {
		t.Errorf("on disk: %d ok, %v, %v", rec.OK(), rec.Faults, err)
	}
}

func TestEditedExperimentIsNotResumed(t *testing.T) {
	out := runSmall(t, runstest.Small, Options{}, "models=[znorm]")
	file := filepath.Join(out.Dir, "experiment.yaml")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(raw, "timeout: 1h\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{}, Options{}); err == nil ||
		!strings.Contains(err.Error(), "was changed since the run began") {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{}, Options{}); err != nil {
		t.Errorf("the file as it was: %v", err)
	}
}

// TestInterruptedResumes: what Open says of a run that is interrupted twice is what its cells say, and the
// data files of both data sets stay on record.
func TestInterruptedResumes(t *testing.T) {
	const two = `
name: two
data:
  - {data: synth, name: one, options: {hosts: 8, hours: 20, rate: 4}}
  - {data: synth, name: two, options: {hosts: 8, hours: 20, rate: 4, seed: 2}}
models: [znorm, pca]
bootstrap: 0
`
	stopAfter := func(n int) (context.Context, Options) {
		ctx, cancel := context.WithCancel(context.Background())
		t.Cleanup(cancel)
		return ctx, Options{Root: t.TempDir(), Workers: 1, Observe: func(e Event) {
			if e.Kind == Finished && e.Done == n {
				cancel()
			}
		}}
	}
	ctx, o := stopAfter(3)
	out, err := Run(ctx, runstest.Load(t, two), o)
	if err != nil || !out.Interrupted {
		t.Fatalf("%+v, %v", out, err)
	}
	rec, err := record.Open(out.Dir)
	if err != nil || rec.Complete || rec.OK() != 3 || len(rec.Results) != 4 || len(rec.Manifest.Data) != 2 {
		t.Fatalf("interrupted: %+v, %v", rec, err)
	}
	before, err := os.ReadFile(filepath.Join(out.Dir, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{}, Options{}); err != nil ||
		again.Failed > 0 {
		t.Fatalf("%+v, %v", again, err)
	}
	// killed just before results.csv was written anew
	if err := os.WriteFile(filepath.Join(out.Dir, "results.csv"), before, 0o644); err != nil {
		t.Fatal(err)
	}
	if rec, err = record.Open(out.Dir); err != nil || !rec.Complete || rec.OK() != 4 || len(rec.Manifest.Data) != 2 {
		t.Errorf("resumed: %+v, %v", rec, err)
	}
}

// TestOneAtATime: a run that is being carried out is not resumed beside it.
func TestOneAtATime(t *testing.T) {
	var beside error
	tried := false
	out := runSmall(t, runstest.Small, Options{Workers: 1, Observe: func(e Event) {
		if e.Kind == Finished && !tried {
			tried = true
			_, beside = Resume(context.Background(), e.Dir, experiment.LoadOptions{}, Options{})
		}
	}}, "models=[znorm, pca]")
	if out.Failed > 0 {
		t.Errorf("%+v", out.Results)
	}
	if beside == nil && runtime.GOOS != "linux" {
		t.Skip("no locks on this system")
	}
	if beside == nil || !strings.Contains(beside.Error(), "another process is at work") {
		t.Errorf("error %v", beside)
	}
	if _, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{}, Options{}); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

// TestManifestFailureIsNoEnd: a disk that is full for one moment costs no cell.
func TestManifestFailureIsNoEnd(t *testing.T) {
	failures := 2
	o := Options{Root: t.TempDir()}
	o.create = func(path string) (io.WriteCloser, error) {
		f, err := os.Create(path)
		if strings.Contains(path, "manifest.json") && failures > 0 {
			failures--
			return &full{f, 10}, err
		}
		return f, err
	}
	out, err := Run(context.Background(), runstest.Load(t, runstest.Small, "models=[znorm]"), o)
	if err != nil || out.Failed > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	if rec, err := record.Open(out.Dir); err != nil || len(rec.Manifest.Data) != 1 || failures != 0 {
		t.Errorf("%+v, %v", rec, err)
	}
}

// TestFilesBesideConfigs: relative names of data files start at the experiment file or at the data config,
// and a run directory repeats its run from anywhere.
func TestFilesBesideConfigs(t *testing.T) {
	tree := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		file := filepath.Join(tree, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	config := func(name, file string) string {
		return "name: " + name + `
format: delimited
files: {train: [` + file + `]}
label: {column: label, benign: [normal]}
options: {columns: [{name: a, type: number}, {name: label, type: category}]}
prep: [impute, {step: scale, kind: zscore}]
`
	}
	rows := strings.Repeat("1,normal\n2,normal\n3,normal\n9,scan\n", 30)
	put("configs/data/files/named.csv", rows)
	put("configs/data/named.yaml", config("named", "files/named.csv"))
	put("configs/experiments/own/inline.csv", rows)
	inline := strings.ReplaceAll("\n"+strings.TrimSpace(config("inline", "own/inline.csv")), "\n", "\n    ")
	file := put(
		"configs/experiments/e.yaml",
		"name: e\ndata:\n  - named\n  -"+inline+"\nmodels: [znorm]\nbootstrap: 0\n",
	)
	e, err := experiment.Load(file, experiment.LoadOptions{Builtin: configs.Files})
	if err != nil {
		t.Fatal(err)
	}
	first, err := Run(context.Background(), e, Options{Root: t.TempDir()})
	if err != nil || first.Failed > 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	if e, err = experiment.Load(filepath.Join(first.Dir, "experiment.yaml"), experiment.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	again, err := Run(context.Background(), e, Options{Root: t.TempDir()})
	if err != nil || again.Failed > 0 || results(t, first.Dir) != results(t, again.Dir) {
		t.Errorf("the repetition: %+v, %v", again, err)
	}
}

// TestInterruptedTrainingGoesOn: what is being trained when a run is interrupted leaves a checkpoint at once, and the
// run that is resumed has the scores and the history of one that was not interrupted.
func TestInterruptedTrainingGoesOn(t *testing.T) {
	const text = `
name: long
data: [{data: synth, options: {hosts: 8, hours: 20, rate: 4}}]
models: [{model: ae, params: {epochs: 12}}]
bootstrap: 0
`
	files := func(dir string) (all string) {
		t.Helper()
		for _, name := range []string{"scores.csv.zst", "history.csv", "model.bin"} {
			raw, err := os.ReadFile(filepath.Join(dir, "cells/synth/ae/s1", name))
			if err != nil {
				t.Fatal(err)
			}
			all += string(raw)
		}
		return all
	}
	var kinds []EventKind
	whole, err := Run(context.Background(), runstest.Load(t, text), Options{Root: t.TempDir(), Observe: func(e Event) {
		if len(kinds) == 0 || kinds[len(kinds)-1] != e.Kind {
			kinds = append(kinds, e.Kind)
		}
	}})
	if err != nil || whole.Failed > 0 {
		t.Fatalf("%+v, %v", whole, err)
	}
	if n := len(kinds); n < 5 || !slices.Equal(kinds[n-5:], []EventKind{Started, EpochDone, Scoring, Judging, Finished}) {
		t.Errorf("events %v", kinds)
	}
	ctx, cancel := context.WithCancel(context.Background())
	out, err := Run(ctx, runstest.Load(t, text), Options{Root: t.TempDir(), Observe: func(e Event) {
		if e.Kind == EpochDone && e.Epoch.N == 5 {
			cancel()
		}
	}})
	if err != nil || !out.Interrupted {
		t.Fatalf("%+v, %v", out, err)
	}
	left := filepath.Join(out.Dir, "cells/synth/ae/s1/checkpoints/*")
	if found, _ := filepath.Glob(left); len(found) != 1 {
		t.Errorf("%d checkpoints", len(found))
	}
	again, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{}, Options{})
	if err != nil || again.Failed > 0 {
		t.Fatalf("%+v, %v", again, err)
	}
	if files(out.Dir) != files(whole.Dir) {
		t.Error("the resumed run has other scores, history or weights than one that was not interrupted")
	}
	if found, _ := filepath.Glob(left); found != nil {
		t.Errorf("checkpoints stay: %v", found)
	}
}
