package runs

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/models"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

const folded = "name: folded\ndata: [{data: synth, options: {hosts: 6, hours: 12}}]\nmodels: [{model: iforest, " +
	"params: {trees: 10}}, znorm]\nseeds: [1]\nsplit: {kind: kfold, folds: 3}\ncontrols: off\nbootstrap: 0\n"

// TestFoldSeeds: each fold's model is trained with a seed of its own, which its files name; resuming a run in which
// the folds shared one trains those models again.
func TestFoldSeeds(t *testing.T) {
	e := runstest.Load(t, folded)
	out, err := Run(t.Context(), e, Options{Root: t.TempDir()})
	if err != nil || out.Failed > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	seeds := map[uint64]bool{}
	for i, c := range e.Plan() {
		r := out.Results[i]
		if !c.Entry.UsesSeed() {
			if r.ModelSeed != 0 {
				t.Errorf("%s has the seed %d", r.Cell, r.ModelSeed)
			}
			continue
		}
		if r.Cell != c.Path() || r.Seed != 1 || r.ModelSeed != c.ModelSeed() {
			t.Errorf("%s: seed %d, model %d, want %d", r.Cell, r.Seed, r.ModelSeed, c.ModelSeed())
		}
		seeds[r.ModelSeed] = true
		src := &prepare.Source{Set: c.Set, Finder: e.Finder, Workers: 1}
		p, err := src.Prepare(t.Context(), c.FoldIndex)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Sets(t.Context(), prepare.NeedsOf(c.Entry.Info.Needs))
		if err != nil {
			t.Fatal(err)
		}
		det, err := c.Entry.Spec.New(models.Env{Seed: r.ModelSeed})
		if err == nil {
			err = det.Fit(t.Context(), s.Train)
		}
		var state bytes.Buffer
		if err == nil {
			err = det.Save(&state)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(out.Dir, filepath.FromSlash(r.Cell), "model.bin"))
		if err != nil || !bytes.Equal(got, state.Bytes()) {
			t.Errorf("%s is another model than one of the seed %d (%v)", r.Cell, r.ModelSeed, err)
		}
		var manifest struct {
			ModelSeed uint64 `json:"model_seed"`
		}
		if err := record.ReadJSON(out.Dir, r.Cell+"/bundle.json", &manifest); err != nil ||
			manifest.ModelSeed != r.ModelSeed {
			t.Errorf("%s: %+v, %v", r.Cell, manifest, err)
		}
	}
	if len(seeds) != 3 {
		t.Errorf("the folds have the seeds %v", seeds)
	}

	forget(t, out, "model_seed")
	kept := -1
	observe := func(e Event) {
		if e.Kind == Planned {
			kept = e.Done
		}
	}
	lo := experiment.LoadOptions{Builtin: configs.Files}
	again, err := Resume(t.Context(), out.Dir, lo, Options{Observe: observe})
	if err != nil || again.Failed > 0 || kept != 3 {
		t.Errorf("%d cells kept, want those of znorm; %+v, %v", kept, again, err)
	}
	for i := range again.Results {
		if again.Results[i].ModelSeed != out.Results[i].ModelSeed {
			t.Errorf("%s: %d", again.Results[i].Cell, again.Results[i].ModelSeed)
		}
	}
	log, err := os.ReadFile(filepath.Join(out.Dir, "log.jsonl"))
	if err != nil || strings.Count(string(log), "in which all folds shared a seed") != 3 {
		t.Errorf("the log: %s, %v", log, err)
	}
}

// forget takes a line out of the status of every cell of a run, as a version that did not write it would have left it.
func forget(t *testing.T, out *Outcome, key string) {
	t.Helper()
	line := regexp.MustCompile(`\n *"` + key + `": [^\n]*,`)
	name := filepath.Join(out.Dir, "manifest.json")
	manifest, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Results {
		file := filepath.Join(out.Dir, filepath.FromSlash(r.Cell), "status.json")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		less := line.ReplaceAll(raw, nil)
		was, is := record.SumOf(raw), record.SumOf(less)
		size := func(s record.FileSum) string { return `"bytes": ` + strconv.FormatInt(s.Bytes, 10) + "," }
		at := bytes.Index(manifest, []byte(r.Cell+"/status.json"))
		if at < 0 {
			t.Fatalf("the manifest has no %s", r.Cell)
		}
		tail := strings.Replace(string(manifest[at:]), was.SHA256, is.SHA256, 1)
		manifest = append(manifest[:at], strings.Replace(tail, size(was), size(is), 1)...)
		if err := os.WriteFile(file, less, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, manifest, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFoldlessSeed: without folds a model has the cell's own seed, and a program is told both.
func TestFoldlessSeed(t *testing.T) {
	out := runSmall(t, strings.Replace(folded, "split: {kind: kfold, folds: 3}\n", "", 1), Options{})
	for _, r := range out.Results {
		if r.ModelSeed != 0 || r.Seed != 1 {
			t.Errorf("%+v", r)
		}
	}
	want := map[string]string{
		"": `test "$PLUMBLINE_MODEL_SEED" = 1`,
		"split: {kind: kfold, folds: 2}\n": `test "$PLUMBLINE_MODEL_SEED" -gt 1000 && ` +
			`grep -q "\"model_seed\": $PLUMBLINE_MODEL_SEED" "$1/task.json"`,
	}
	for more, check := range want {
		results, _ := elsewhere(t, more, map[string]string{"told": score + "test \"$PLUMBLINE_SEED\" = 1 && " + check + "\n"})
		if r := results["told"]; r.Status != record.OK {
			t.Errorf("%q: %s", more, r.Error)
		}
	}
}
