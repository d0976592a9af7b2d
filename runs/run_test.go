package runs

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"plumbline/configs"
	"plumbline/data/source"
	"plumbline/eval"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

func runSmall(t testing.TB, text string, o Options, overrides ...string) *Outcome {
	t.Helper()
	if o.Root == "" {
		o.Root = t.TempDir()
	}
	out, err := Run(context.Background(), runstest.Load(t, text, overrides...), o)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(out.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range rec.Faults { // of a run that nobody has touched
		t.Errorf("%s: %v", out.Dir, f)
	}
	return out
}

// scores is the content of every scores file of a run, by cell.
func scores(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != "scores.csv.zst" {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := zstd.NewReader(f)
		if err != nil {
			return err
		}
		defer z.Close()
		raw, err := io.ReadAll(z)
		rel, _ := filepath.Rel(dir, path)
		out[rel] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// results is results.csv without what differs between two runs of one experiment: times and memory.
func results(t testing.TB, dir string) string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if !slices.Contains([]string{"fit_seconds", "score_seconds", "peak_rss_mb"}, rows[0][i]) {
				b.WriteString(cell + ",")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestRunDirectory(t *testing.T) {
	out := runSmall(t, runstest.Small, Options{})
	if out.Failed != 0 || len(out.Results) != 7 { // three deterministic models once, two others twice
		t.Fatalf("%d results, %d failed: %+v", len(out.Results), out.Failed, out.Results)
	}
	for _, name := range []string{"experiment.yaml", "manifest.json", "results.csv", "summary.json", "log.jsonl"} {
		if _, err := os.Stat(filepath.Join(out.Dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{
		"status.json", "spec.yaml", "metrics.json", "history.csv", "scores.csv.zst", "threshold.json", "prep.json",
		"model.bin",
	} {
		if _, err := os.Stat(filepath.Join(out.Dir, "cells/synth/iforest/s1", name)); err != nil {
			t.Error(err)
		}
	}
	// trees are grown in steps that have no loss: there is no history of them
	history, err := os.ReadFile(filepath.Join(out.Dir, "cells/synth/iforest/s1/history.csv"))
	if err != nil || string(history) != "epoch,of,loss,valid_loss,rate,samples\n" {
		t.Errorf("history of iforest: %q, %v", history, err)
	}
	head, err := os.ReadFile(filepath.Join(out.Dir, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	const columns = "data,model,label,seed,fold,unit,status,error,n_train,n_test,n_features,auroc,auprc,prevalence," +
		"fpr_at_95tpr,tpr_at_1fpr,threshold,accuracy,balanced_accuracy,precision,recall,specificity,f1,mcc," +
		"fit_seconds,score_seconds,peak_rss_mb,train_sha256,test_sha256,cell,"
	if !strings.HasPrefix(string(head), columns) {
		t.Errorf("results.csv begins with %.300s", head)
	}
	tests := map[string]bool{}
	for _, r := range out.Results {
		if r.Model != "markov" {
			tests[r.TestSHA256] = true
		}
		if r.Test != out.Results[0].Test {
			t.Errorf("%s is judged on %d units, %s on %d", r.Label, r.Test, out.Results[0].Label, out.Results[0].Test)
		}
	}
	if len(tests) != 1 {
		t.Errorf("vector models saw %d different test sets", len(tests))
	}
	rec, err := record.Open(out.Dir)
	if err == nil && !slices.Contains([]string{"generic", "avx2", "avx512"}, rec.Manifest.Kernels) {
		t.Errorf("the instruction set is %q", rec.Manifest.Kernels)
	}
	if err != nil || !rec.Complete || rec.OK() != 7 || rec.Name != "small" {
		t.Errorf("Open: %+v, %v", rec, err)
	}
	if rec.Threshold != "fpr 0.01 on validation" {
		t.Errorf("threshold %q", rec.Threshold)
	}
	if list, err := record.List(filepath.Dir(out.Dir)); err != nil || len(list) != 1 {
		t.Errorf("List: %v, %v", list, err)
	}
}

func TestFolds(t *testing.T) {
	if testing.Short() {
		t.Skip("values of several runs")
	}
	out := runSmall(t, runstest.Small, Options{}, "models=[iforest,znorm]", "++split={kind: kfold, folds: 3}")
	if len(out.Results) != 9 || out.Failed > 0 { // two seeds and one, three folds each
		t.Fatalf("%d results, %d failed: %+v", len(out.Results), out.Failed, out.Results)
	}
	folds := map[string]int{}
	sums := map[string]bool{}
	for _, r := range out.Results {
		folds[r.Fold]++
		sums[r.TrainSHA256] = true
	}
	if folds["f1"] != 3 || folds["f2"] != 3 || folds["f3"] != 3 || len(sums) != 3 {
		t.Errorf("folds %v, %d different training sets", folds, len(sums))
	}
	if _, err := os.Stat(filepath.Join(out.Dir, "cells/synth/iforest/s2-f3/status.json")); err != nil {
		t.Error(err)
	}
	again := runSmall(t, runstest.Small, Options{Workers: 1}, "models=[iforest,znorm]", "++split={kind: kfold, folds: 3}")
	if results(t, out.Dir) != results(t, again.Dir) {
		t.Error("the same folds give other results")
	}
	left := runSmall(
		t,
		runstest.Small,
		Options{},
		"models=[znorm]",
		"++split={kind: leave_out, leave_out: [scan, beacon], test: 0.5}",
	)
	if len(left.Results) != 2 || left.Failed > 0 || left.Results[0].Metric("auroc") < left.Results[1].Metric("auroc") {
		t.Errorf("scans are not easier than beacons: %+v", left.Results)
	}
	dirty := runSmall(t, runstest.Small, Options{}, "models=[znorm]", "++split={kind: random, contamination: 0.05}")
	clean := runSmall(t, runstest.Small, Options{}, "models=[znorm]", "++split={kind: random}")
	if dirty.Failed+clean.Failed > 0 || dirty.Results[0].Train <= clean.Results[0].Train {
		t.Errorf("contamination: %+v, %+v", dirty.Results[0], clean.Results[0])
	}
}

func TestAudit(t *testing.T) {
	out := runSmall(t, runstest.Small, Options{}, "models=[znorm]")
	rec, err := record.Open(out.Dir)
	if err != nil || !strings.Contains(rec.Manifest.Data[0].Audit, "shortcuts: dst") {
		t.Errorf("%+v, %v", rec, err)
	}
	var report struct{ Findings []any }
	if err := record.ReadJSON(out.Dir, "audit/synth.json", &report); err != nil || len(report.Findings) == 0 {
		t.Errorf("%+v, %v", report, err)
	}
	strict := runSmall(t, runstest.Small, Options{}, "models=[znorm]", "+audit=strict")
	if r := strict.Results[0]; r.Status != record.Failed || !strings.Contains(r.Error, "audit: strict") {
		t.Errorf("strict: %s %q", r.Status, r.Error)
	}
	off := runSmall(t, runstest.Small, Options{}, "models=[znorm]", "+audit=off")
	if _, err := os.Stat(filepath.Join(off.Dir, "audit")); err == nil {
		t.Error("an audit that is off is written")
	}
}

func TestSameBytesWhateverTheWorkers(t *testing.T) {
	one := runSmall(t, runstest.Small, Options{Workers: 1})
	two := runSmall(t, runstest.Small, Options{Workers: 2})
	a, b := scores(t, one.Dir), scores(t, two.Dir)
	if len(a) != 7 || len(b) != 7 {
		t.Fatalf("%d and %d scores files", len(a), len(b))
	}
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s differs", name)
		}
	}
	if results(t, one.Dir) != results(t, two.Dir) {
		t.Error("results.csv differs by more than times")
	}
}

func TestRepeatFromRunDirectory(t *testing.T) {
	first := runSmall(t, runstest.Small, Options{}, "models=[iforest,markov]", "models.0.trees=20")
	e, err := experiment.Load(
		filepath.Join(first.Dir, "experiment.yaml"),
		experiment.LoadOptions{},
	) // nothing built in is needed
	if err != nil {
		t.Fatal(err)
	}
	again, err := Run(context.Background(), e, Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if results(t, first.Dir) != results(t, again.Dir) {
		t.Errorf("the repetition differs:\n%s\n%s", results(t, first.Dir), results(t, again.Dir))
	}
}

// TestKillAndResume kills a run with SIGKILL in the middle, resumes it and checks it against one that was
// left alone. The run is a process of its own: this test binary, told what to do by the environment.
func TestKillAndResume(t *testing.T) {
	if dir := os.Getenv("PLUMBLINE_TEST_RUN"); dir != "" {
		e, err := experiment.Load(os.Getenv("PLUMBLINE_TEST_FILE"), experiment.LoadOptions{Builtin: configs.Files})
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		_, err = Run(context.Background(), e, Options{Root: dir, Workers: 1, Observe: func(ev Event) {
			if ev.Kind == Finished {
				done++
			}
			if ev.Kind == Started && done == 3 {
				if self, err := os.FindProcess(os.Getpid()); err == nil {
					self.Kill() // not to be caught: SIGKILL on Unix
				}
				time.Sleep(time.Minute)
			}
		}})
		t.Fatalf("not killed: %v", err)
	}
	root, file := t.TempDir(), runstest.Write(t, runstest.Small)
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKillAndResume$")
	cmd.Env = append(os.Environ(), "PLUMBLINE_TEST_RUN="+root, "PLUMBLINE_TEST_FILE="+file)
	if err := cmd.Run(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the run was not killed: %v", err)
	}
	dirs, err := os.ReadDir(root)
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%v, %v", dirs, err)
	}
	dir := filepath.Join(root, dirs[0].Name())
	if _, err := os.Stat(filepath.Join(dir, "results.csv")); err == nil {
		t.Fatal("the killed run has a results.csv")
	}
	kept := 0
	out, err := Resume(
		context.Background(),
		dir,
		experiment.LoadOptions{Builtin: configs.Files},
		Options{Observe: func(e Event) {
			if e.Kind == Planned {
				kept = e.Done
			}
		}},
	)
	if err != nil || out.Failed > 0 {
		t.Fatalf("resume: %+v, %v", out, err)
	}
	if kept != 3 {
		t.Errorf("%d cells were kept, want 3", kept)
	}
	whole := runSmall(t, runstest.Small, Options{})
	if results(t, dir) != results(t, whole.Dir) {
		t.Errorf("resumed:\n%s\nwhole:\n%s", results(t, dir), results(t, whole.Dir))
	}
	a, b := scores(t, dir), scores(t, whole.Dir)
	for name := range b {
		if a[name] != b[name] {
			t.Errorf("%s differs", name)
		}
	}
}

// full is a disk on which files of one name find no room.
type full struct {
	io.WriteCloser
	left int
}

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n, _ := f.WriteCloser.Write(p[:f.left])
		f.left = 0
		return n, syscall.ENOSPC
	}
	f.left -= len(p)
	return f.WriteCloser.Write(p)
}

func TestDiskFull(t *testing.T) {
	var o Options
	o.create = func(path string) (io.WriteCloser, error) {
		f, err := os.Create(path)
		if strings.Contains(path, "lof") && strings.Contains(path, "model.bin") {
			return &full{f, 100}, err
		}
		return f, err
	}
	// all cells after the one that finds no room are left for later, and none is trained in vain
	o.Root, o.Workers = t.TempDir(), 1
	begun := map[string]bool{}
	o.Observe = func(e Event) {
		if e.Kind == Started {
			begun[e.Cell.Entry.Label] = true
		}
	}
	out, err := Run(context.Background(), runstest.Load(t, runstest.Small), o)
	if !errors.Is(err, record.ErrUnwritable) || !strings.Contains(err.Error(), "no space left") ||
		!strings.Contains(err.Error(), "model.bin") {
		t.Fatalf("the error does not say what is wrong: %v", err)
	}
	want := map[string]string{
		"iforest": record.OK,
		"lof":     record.Failed,
		"markov":  record.Interrupted,
		"znorm":   record.Interrupted,
		"random":  record.Interrupted,
	}
	for _, r := range out.Results {
		if r.Status != want[r.Label] || begun[r.Label] != (r.Status != record.Interrupted) {
			t.Errorf("%s: %s %q, begun: %v; want %s", r.Label, r.Status, r.Error, begun[r.Label], want[r.Label])
		}
	}
	if m, _ := filepath.Glob(filepath.Join(out.Dir, "cells/synth/lof/*/model.bin*")); m != nil {
		t.Errorf("half a file is left: %v", m)
	}
	again, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{Builtin: configs.Files}, Options{})
	if err != nil || again.Failed != 0 {
		t.Fatalf("with room again: %+v, %v", again, err)
	}
}

func TestUnwritableOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "occupied")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), runstest.Load(t, runstest.Small), Options{Root: file}); err == nil ||
		!strings.Contains(err.Error(), "output folder") {
		t.Errorf("error %v", err)
	}
}

func TestInterruptAndTimeout(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, err := Run(ctx, runstest.Load(t, runstest.Small), Options{Root: t.TempDir(), Workers: 1, Observe: func(e Event) {
		if e.Kind == Finished && e.Done == 2 {
			cancel()
		}
	}})
	if err != nil || !out.Interrupted {
		t.Fatalf("%+v, %v", out, err)
	}
	if rec, err := record.Open(out.Dir); err != nil || !rec.Manifest.Finished.IsZero() {
		t.Errorf("an interrupted run has an end: %+v, %v", rec, err)
	}
	ended := map[string]int{}
	for _, r := range out.Results {
		ended[r.Status]++
	}
	if ended[record.OK] != 2 || ended[record.Interrupted] != 5 {
		t.Errorf("cells ended as %v", ended)
	}
	out = runSmall(t, runstest.Small, Options{}, "+timeout=1ns", "models=[lof]")
	if r := out.Results[0]; r.Status != record.TimedOut || !strings.Contains(r.Error, "not done within 1ns") {
		t.Errorf("%s %q", r.Status, r.Error)
	}
}

// TestClusters: of a model that parts rows the run says how it ranks within its parts, of others nothing.
func TestClusters(t *testing.T) {
	text := strings.Replace(
		runstest.Small,
		"models: [iforest, lof, markov, znorm, random]",
		"models: [{model: ksae, params: {clusters: 2, base: znorm}}, znorm]",
		1,
	)
	out := runSmall(t, text, Options{}, "seeds=[1]")
	rec, err := record.Open(out.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rec.Results {
		raw, err := os.ReadFile(filepath.Join(out.Dir, filepath.FromSlash(r.Cell), "clusters.json"))
		if r.Model == "znorm" {
			if err == nil || !math.IsNaN(r.Metric("weighted_cluster_auroc")) ||
				!math.IsNaN(r.Metric("zero_filled_cluster_auroc")) {
				t.Errorf("%s has clusters: %s, %v", r.Cell, raw, r.Metric("weighted_cluster_auroc"))
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var m eval.ClusterMetrics
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, c := range m.Clusters {
			n += c.Samples
		}
		if v := r.Metric("silhouette"); !(v >= -1 && v <= 1) || !(r.Metric("davies_bouldin") > 0) ||
			!(r.Metric("calinski_harabasz") > 0) {
			t.Errorf(
				"%s: silhouette %v, indices %v and %v",
				r.Cell,
				v,
				r.Metric("davies_bouldin"),
				r.Metric("calinski_harabasz"),
			)
		}
		if len(m.Clusters) != 2 || n != r.Test || r.Metric("weighted_cluster_auroc") != m.WeightedAUROC ||
			!(m.WeightedAUROC > 0 && m.WeightedAUROC <= 1) {
			t.Errorf(
				"%s: %d clusters of %d samples, want 2 of %d; %v in results.csv, %v in the file",
				r.Cell,
				len(m.Clusters),
				n,
				r.Test,
				r.Metric("weighted_cluster_auroc"),
				m.WeightedAUROC,
			)
		}
	}
}

// TestFixedThreshold needs no held-out rows, and may be below zero.
func TestFixedThreshold(t *testing.T) {
	out := runSmall(
		t,
		runstest.Small,
		Options{},
		"seeds=[1]",
		"models=[znorm]",
		"threshold={rule: fixed, value: -1.5}",
		"split={kind: random, validation: 0}",
	)
	rec, err := record.Open(out.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if r := rec.Results[0]; r.Status != record.OK || r.Metric("threshold") != -1.5 || r.Metric("recall") != 1 {
		t.Errorf("%s: threshold %v, recall %v: %s", r.Status, r.Metric("threshold"), r.Metric("recall"), r.Error)
	}
}

func TestUnitsMeet(t *testing.T) {
	for _, unit := range []string{"host", "connection", "[dst]"} {
		out := runSmall(t, runstest.Small, Options{}, "+unit="+unit, "models=[znorm,markov]", "+aggregate=mean")
		if out.Failed > 0 || out.Results[0].Test != out.Results[1].Test || out.Results[0].Test > 500 {
			t.Errorf("%s: %+v", unit, out.Results)
		}
	}
}

// TestShareOfFlows: a connection is judged by how many of its flows are above a quantile of benign flows; small ones
// are left out; the resolved experiment says so again.
func TestShareOfFlows(t *testing.T) {
	out := runSmall(
		t,
		runstest.Small,
		Options{},
		"+unit=connection",
		"models=[znorm]",
		"+split={validation: 0.3}",
		"+aggregate={flow: last, unit: share, above: 0.9}",
		"+min_flows=4",
	)
	if out.Failed > 0 {
		t.Fatalf("%+v", out.Results)
	}
	all := runSmall(t, runstest.Small, Options{}, "+unit=connection", "models=[znorm]")
	if out.Results[0].Test >= all.Results[0].Test || out.Results[0].Test == 0 {
		t.Errorf("%d connections of 4 flows, %d in all", out.Results[0].Test, all.Results[0].Test)
	}
	for cell, text := range scores(t, out.Dir) {
		for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
			f := strings.Split(line, ",")
			if v, err := strconv.ParseFloat(f[2], 64); err != nil || v < 0 || v > 1 {
				t.Fatalf("%s: score %q is no share", cell, f[2])
			}
		}
	}
	var limit struct {
		Limit float64 `json:"flow_limit"`
	}
	if err := record.ReadJSON(out.Dir, out.Results[0].Cell+"/threshold.json", &limit); err != nil || !(limit.Limit > 0) {
		t.Errorf("limit %v, %v", limit, err)
	}
	e, err := experiment.Load(filepath.Join(out.Dir, "experiment.yaml"), experiment.LoadOptions{Builtin: configs.Files})
	if err != nil || e.Aggregate != (experiment.Aggregate{Flow: "last", Unit: "share", Above: 0.9}) || e.MinFlows != 4 {
		t.Errorf("%+v, %v", e.Aggregate, err)
	}
}

// TestEvasion: attacks that take the values of benign rows are found less often, and the run says what was done.
func TestEvasion(t *testing.T) {
	plain := runSmall(t, runstest.Small, Options{}, "models=[znorm,iforest]", "seeds=[1]")
	evaded := runSmall(
		t,
		strings.Replace(runstest.Small, "rate: 4}}", "rate: 4}, evasion: {kind: random, share: 1}}", 1),
		Options{},
		"models=[znorm,iforest]",
		"seeds=[1]",
	)
	for i := range plain.Results {
		a, b := plain.Results[i], evaded.Results[i]
		if a.Status != record.OK || b.Status != record.OK || a.TrainSHA256 != b.TrainSHA256 ||
			a.TestSHA256 == b.TestSHA256 ||
			!(b.Metric("auroc") < a.Metric("auroc")-0.1) {
			t.Errorf("%s: AUROC %v, disguised %v (%s %s)", a.Label, a.Metric("auroc"), b.Metric("auroc"), a.Error, b.Error)
		}
	}
	r, err := record.Open(evaded.Dir)
	if err != nil || !strings.Contains(strings.Join(r.Manifest.Data[0].Warnings, "\n"), "evasion random: ") {
		t.Errorf("manifest says %v, %v", r.Manifest.Data[0].Warnings, err)
	}
	unknown := strings.Replace(runstest.Small, "rate: 4}}", "rate: 4}, evasion: {kind: hide}}", 1)
	_, err = experiment.Load(runstest.Write(t, unknown), experiment.LoadOptions{Builtin: configs.Files})
	if err == nil || !strings.Contains(err.Error(), "evasion") {
		t.Errorf("an unknown kind: %v", err)
	}
}

// TestLabelledByFile: data without a label column, whose files are benign or attacks throughout.
func TestLabelledByFile(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]int{"normal.csv": 0, "scan.csv": 1000} {
		var b bytes.Buffer
		for i := range 100 {
			fmt.Fprintf(&b, "%d,%d\n", from+i%7, i*i%13)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf(`
name: own
data:
  - name: own
    format: delimited
    files: {train: [%s, %s]}
    label: {files: [{file: "normal*", is: benign}, {file: "scan*", is: attack, class: scan}]}
    options:
      columns: [{name: a, type: number}, {name: b, type: number}]
    prep: [impute, {step: scale, kind: zscore}]
models: [znorm]
bootstrap: 0
`, filepath.Join(dir, "normal.csv"), filepath.Join(dir, "scan.csv"))
	if r := runSmall(t, text, Options{}).Results[0]; r.Status != record.OK || r.Metric("auroc") != 1 {
		t.Errorf("%+v", r)
	}
	unlabelled := strings.NewReplacer("label:", "#", "[znorm]", "[tree]").Replace(text)
	_, err := experiment.Load(runstest.Write(t, unlabelled), experiment.LoadOptions{})
	if err == nil || !strings.Contains(err.Error(), "own has no labels, which") {
		t.Errorf("without labels: %v", err)
	}
}

func TestChangedDataIsNoticed(t *testing.T) {
	dir := t.TempDir()
	csvFile := filepath.Join(dir, "flows.csv")
	body := func(shift int) string {
		var b bytes.Buffer
		for i := range 200 {
			label := "normal"
			if i%10 == 9 {
				label = "scan"
			}
			fmt.Fprintf(&b, "%d,%d,%s\n", i%7+shift, (i*i)%13, label)
		}
		return b.String()
	}
	if err := os.WriteFile(csvFile, []byte(body(0)), 0o644); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`
name: own
data:
  - name: own
    format: delimited
    files: {train: [%s]}
    label: {column: label, benign: [normal]}
    options:
      columns: [{name: a, type: number}, {name: b, type: number}, {name: label, type: category}]
    prep: [impute, {step: scale, kind: zscore}]
models: [znorm, lof]
`, csvFile)
	ctx, cancel := context.WithCancel(context.Background())
	out, err := Run(ctx, runstest.Load(t, text), Options{Root: t.TempDir(), Workers: 1, Observe: func(e Event) {
		if e.Kind == Finished {
			cancel()
		}
	}})
	if err != nil || !out.Interrupted {
		t.Fatalf("%+v %v", out, err)
	}
	if err := os.WriteFile(csvFile, []byte(body(1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{}, Options{}); err == nil ||
		!strings.Contains(err.Error(), "differ") {
		t.Errorf("error %v", err)
	}
	if err := os.Remove(csvFile); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), out.Dir, experiment.LoadOptions{}, Options{}); !errors.Is(
		err,
		source.ErrNoFile,
	) ||
		!strings.Contains(err.Error(), "flows.csv") {
		t.Errorf("missing file: %v", err)
	}
	if rec, err := record.Open(out.Dir); err != nil || rec.OK() != 1 || rec.Complete {
		t.Errorf("after it: %+v, %v", rec, err)
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Error("not cancelled")
	}
}
