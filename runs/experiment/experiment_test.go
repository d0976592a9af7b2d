package experiment

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
	_ "plumbline/models/all"
)

// small is an experiment of a few seconds on simulated flows.
const small = `
name: small
data:
  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}
models: [iforest, lof, markov, znorm, random]
seeds: [1, 2]
bootstrap: 50
`

func write(t testing.TB, text string) string {
	t.Helper()
	if !strings.Contains(text, "controls:") { // the cells are those of the models that are named
		text = strings.TrimRight(text, "\n") + "\ncontrols: off\n"
	}
	file := filepath.Join(t.TempDir(), "experiment.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func load(t testing.TB, text string, overrides ...string) *Experiment {
	t.Helper()
	e, err := Load(write(t, text), LoadOptions{Overrides: overrides, Builtin: configs.Files})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		overrides  []string
		want       []string // each must be in the error
	}{
		{name: "empty", text: "", want: []string{`the key "name" is missing`, `the key "data" is missing`,
			`the key "models" is missing`}},
		{name: "unknown key", text: "name: x\ndata: [synth]\nmodels: [znorm]\nseed: [1]\n",
			want: []string{"experiment.yaml:4:1: seed: unknown key", `did you mean "seeds"?`}},
		{name: "epochs of no method", text: "name: x\ndata: [synth]\nmodels: [znorm]\nkeep: {coordinates: {methods: [pca], " +
			"epochs: [1]}}\n", want: []string{"experiment.yaml:4:", "epochs are of the method latent"}},
		{name: "unknown model", text: "name: x\ndata: [synth]\nmodels:\n  - znorm\n  - iforrest\n",
			want: []string{"experiment.yaml:5:5", `unknown model "iforrest"`, `did you mean "iforest"?`}},
		{name: "labels of models that read none", text: "name: x\ndata: [synth]\nmodels: [znorm]\nlabels: {attacks: 3}\n",
			want: []string{"experiment.yaml:4:9: labels: no model of the experiment learns from labels"}},
		{name: "no attack to show", text: "name: x\ndata: [synth]\nmodels: [znorm]\nlabels: {attacks: 0}\n",
			want: []string{"experiment.yaml:4:19: labels.attacks"}},
		{name: "labels without a number", text: "name: x\ndata: [synth]\nmodels: [znorm]\nlabels: {}\n",
			want: []string{"labels: say how many labelled attacks"}},
		{name: "unknown data set", text: "name: x\ndata: [sinth]\nmodels: [znorm]\n",
			want: []string{"experiment.yaml:2:8", `did you mean "synth"?`}},
		{name: "unknown parameter", text: "name: x\ndata: [synth]\nmodels: [{model: iforest, params: {tres: 5}}]\n",
			want: []string{"experiment.yaml:3:36", "tres: unknown key", `did you mean "trees"?`}},
		{name: "out of range", text: "name: x\ndata: [synth]\nmodels: [{model: iforest, params: {trees: 0}}]\n",
			want: []string{"experiment.yaml:3:43", "at least 1"}},
		{name: "wrong type", text: "name: x\ndata: [synth]\nmodels: [znorm]\nseeds: one\n",
			want: []string{"experiment.yaml:4:8: seeds: want a whole number"}},
		{name: "two problems at once",
			text: "name: a/b\ndata: [synth]\nmodels: [znorm]\nthreshold: {rule: fpr, value: 3}\n",
			want: []string{"cannot name a folder", "between 0 and 1"}},
		{name: "two cells with one name", text: "name: x\ndata: [synth]\nmodels: [znorm, znorm]\n",
			want: []string{"experiment.yaml:3:17", `two models are called "znorm"`}},
		{name: "two data sets with one name", text: "name: x\ndata: [synth, synth]\nmodels: [znorm]\n",
			want: []string{`two data sets are called "synth"`}},
		{name: "seed twice", text: "name: x\ndata: [synth]\nmodels: [znorm]\nseeds: [1, 1]\n",
			want: []string{"seed 1 is given twice"}},
		{name: "traces missing", text: "name: x\ndata: [nsl-kdd]\nmodels: [markov]\n",
			want: []string{"nsl-kdd has no traces"}},
		{name: "problem in a changed data config",
			text: "name: x\ndata: [{data: synth, options: {hosts: 1}}]\nmodels: [znorm]\n",
			want: []string{"experiment.yaml:2:39", "hosts", "at least 4"}},
		{name: "unknown step", text: "name: x\ndata: [synth]\nmodels: [znorm]\nprep: [imput]\n",
			want: []string{"experiment.yaml:4:8", `did you mean "impute"?`}},
		{name: "override of an unknown key", text: small, overrides: []string{"models.0.tres=3"},
			want: []string{"command line: models.0.tres=3", `did you mean "trees"?`}},
		{name: "override out of range", text: small, overrides: []string{"models.0.trees=-1"},
			want: []string{"command line: models.0.trees=-1", "at least 1"}},
		{name: "override that is none", text: small, overrides: []string{"seeds"}, want: []string{"want key=value"}},
		{name: "override of a label that is none", text: small, overrides: []string{"models.iforst.trees=1"},
			want: []string{`no entry of models is called "iforst"; did you mean "iforest"?`}},
		{name: "override beyond the list", text: small, overrides: []string{"models.9.trees=1"},
			want: []string{"models has 5 items"}},
		{name: "addition of what is there", text: small, overrides: []string{"+seeds=[1]"},
			want: []string{"seeds is there already"}},
		{name: "deletion of what is not", text: small, overrides: []string{"~threshold"},
			want: []string{"there is no threshold"}},
		{name: "not YAML", text: "name: [x\n", want: []string{"experiment.yaml:"}},
		{name: "timeout", text: small, overrides: []string{"+timeout=soon"}, want: []string{`"soon" is not a time`}},
		{name: "override and file at once", text: "name: x\ndata: [synth]\nmodels: [znorm]\nseed: [1]\n",
			overrides: []string{"models.9.trees=1"}, want: []string{"models has 1 items", `did you mean "seeds"?`}},
		{name: "labels missing", text: "name: x\ndata: [synth]\nmodels: [labelled]\nsplit: {kind: random}\n",
			want: []string{"learns from labelled attacks", "split.attacks: split"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(write(t, c.text), LoadOptions{Overrides: c.overrides, Builtin: configs.Files})
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error lacks %q:\n%v", w, err)
				}
			}
		})
	}
}

// TestProblemsOnce: what concerns every data set of an experiment is said once.
func TestProblemsOnce(t *testing.T) {
	_, err := Load(write(t,
		"name: x\ndata: [synth, {data: synth, name: other}]\nmodels: [znorm]\nsplit: {knd: x}\nprep: [imput]\n"),
		LoadOptions{Builtin: configs.Files})
	if err == nil || strings.Count(err.Error(), "unknown") != 2 {
		t.Errorf("want each of two problems once:\n%v", err)
	}
}

// labelled stands for any model that learns from labels.
type labelled struct{}

func (labelled) New(models.Env) (models.Detector, error) { return nil, nil }

func init() {
	models.Register(models.Info{Name: "labelled", Doc: "for a test", Paper: "none",
		Needs: models.Needs{
			Input:  data.Vectors,
			Labels: models.AllLabels,
		}, Defaults: func() models.Spec { return &labelled{} }})
}

// TestRenamedData: a data set under another name has its files where they were, unless it says otherwise.
func TestRenamedData(t *testing.T) {
	text := "name: x\ndata: [{data: nsl-kdd, name: other}, {data: nsl-kdd, name: moved, folder: there}, {data: " +
		"iot23-34-1, name: capture}]\nmodels: [znorm]\n"
	e, err := Load(write(t, text), LoadOptions{Builtin: configs.Files})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"nsl-kdd", "there", "iot-23"} {
		if got := e.Sets[i].Config.Folder; got != want {
			t.Errorf("%s is looked for in %q, want %q", e.Sets[i].Config.Name, got, want)
		}
	}
}

// TestPlanAsksSettingsForTheSeed: a model whose settings ignore the seed is trained once, whatever the model can do.
func TestPlanAsksSettingsForTheSeed(t *testing.T) {
	e := load(t, `
name: seeds
data: [synth]
models:
  - {model: msm, label: quarters, params: {rule: quartile}}
  - {model: msm, label: densities, params: {model: kde}}
  - {model: msm, label: forests, params: {model: iforest}}
  - {model: entity_msm, label: entities}
  - {model: entity_means, label: means, params: {model: iforest}}
  - znorm
seeds: [1, 2, 3]
traces: {key: [src_ip], events: true}
`)
	cells := map[string]int{}
	for _, c := range e.Plan() {
		cells[c.Entry.Label]++
	}
	want := map[string]int{"quarters": 1, "densities": 1, "forests": 3, "entities": 1, "means": 3, "znorm": 1}
	if !maps.Equal(cells, want) {
		t.Errorf("cells %v, want %v", cells, want)
	}
}

func TestOverrides(t *testing.T) {
	e := load(t, small, "models.0.trees=7", "models.1.params.k=3", "seeds=[5,6,7]", "+threshold.value=0.05",
		"data.0.options.hosts=9", "~bootstrap", "models.2.label=chain", "++unit=host")
	if e.Entries[0].Label != "iforest" || len(e.Plan()) != 3+1+1+1+3 || e.Seeds[2] != 7 || e.Threshold.Value != 0.05 ||
		e.Bootstrap != defaults().Bootstrap || e.Entries[2].Label != "chain" || e.Sets[0].Unit.Name != "host" {
		t.Errorf("%+v", e.Config)
	}
	raw, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"trees: 7", "k: 3", "hosts: 9", "label: chain"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the resolved file lacks %q:\n%s", want, raw)
		}
	}
}

// TestSeedsThatCannotBeRead: one that is no number is not taken for a second 0.
func TestSeedsThatCannotBeRead(t *testing.T) {
	_, err := Load(
		write(t, "name: x\ndata: synth\nmodels: znorm\nseeds: [-1, 1.5]\n"),
		LoadOptions{Builtin: configs.Files},
	)
	if err == nil || strings.Contains(err.Error(), "given twice") ||
		strings.Count(err.Error(), "experiment.yaml:4:") != 2 {
		t.Errorf("want one problem for each of two seeds: %v", err)
	}
}

// TestLists: a scalar is a list of one, and entries of lists are changed by their names.
func TestLists(t *testing.T) {
	e := load(
		t,
		"name: x\ndata: synth\nmodels: iforest\nseeds: 7\nprep: impute\n",
		"data.synth.options.hosts=9",
		"models.iforest.trees=7",
	)
	if len(e.Plan()) != 1 || e.Seeds[0] != 7 || len(e.Sets[0].Prep.Names()) != 1 {
		t.Errorf("%+v", e.Config)
	}
	text := strings.Replace(
		small,
		"models: [iforest, lof,",
		"models: [iforest, {model: iforest, label: a.b}, {model: lof, label: trees},",
		1,
	)
	e = load(
		t,
		text,
		"models.iforest.trees=7",
		"models.a.b.trees=8",
		"models.trees.k=3",
		"data.synth.name=other",
		"data.0.options.hosts=9",
	)
	raw, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{"iforest": "trees: 7", "a.b": "trees: 8", "trees": "k: 3"} {
		_, entry, _ := strings.Cut(string(raw), "label: "+label+"\n")
		entry, _, _ = strings.Cut(entry, "- model:")
		if !strings.Contains(entry, want) {
			t.Errorf("%s lacks %q:\n%s", label, want, raw)
		}
	}
	if e.Sets[0].Config.Name != "other" || !strings.Contains(string(raw), "hosts: 9") {
		t.Errorf("%s", raw)
	}
}

func TestAuditWords(t *testing.T) {
	for text, want := range map[string]Audit{"on": "on", "true": "on", "off": "off", "false": "off", "strict": "strict"} {
		if e := load(t, small+"audit: "+text+"\n"); e.Audit != want {
			t.Errorf("audit: %s is %q, want %q", text, e.Audit, want)
		}
	}
	for _, text := range []string{"strikt", "1", "[on]", "null"} {
		if _, err := Load(write(t, small+"audit: "+text+"\n"), LoadOptions{Builtin: configs.Files}); err == nil ||
			!strings.Contains(err.Error(), "experiment.yaml:8:8: audit: ") {
			t.Errorf("audit: %s: %v", text, err)
		}
	}
}

// TestInherit: a data config has the settings of its base but for its own, from any depth, and messages say where
// each stands.
func TestInherit(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, "configs", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("data/office.yaml", "base: synth\nname: office\noptions: {hosts: 9}\n")
	put("data/branch.yaml", "base: office\nname: branch\noptions: {rate: 4}\n")
	put("data/saved.yaml", "base: synth\nname: own-name\n")
	put("data/loop.yaml", "base: pool\nname: loop\n")
	put("data/pool.yaml", "base: loop\nname: pool\n")
	put("data/lost.yaml", "base: nowhere\nname: lost\n")
	put("data/twice.yaml", "base: synth\nname: twice\nsplit: {test: 0.5, test: 0.4}\n")
	put("data/wrong.yaml", "base: office\nname: wrong\noptions: {hosts: 1}\n")
	put("data/key.yaml", "base: office\nname: key\nsplitt: {}\n")
	load := func(entry string) (*Experiment, error) {
		put("experiments/e.yaml", "name: e\ndata: ["+entry+"]\nmodels: [znorm]\n")
		return Load(filepath.Join(dir, "configs/experiments/e.yaml"), LoadOptions{Builtin: configs.Files})
	}
	for entry, want := range map[string][]string{
		"branch":                             {"name: branch", "hosts: 9", "rate: 4", "format: synth"},
		"{data: branch, options: {rate: 5}}": {"name: branch", "hosts: 9", "rate: 5"},
		"{base: branch, name: inline}":       {"name: inline", "hosts: 9", "rate: 4"},
		"own-name":                           {"name: own-name", "hosts: 30"},
	} {
		e, err := load(entry)
		if err != nil {
			t.Errorf("%s: %v", entry, err)
			continue
		}
		raw, err := e.Resolved()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range append(want, "step: scale") {
			if !strings.Contains(string(raw), w) {
				t.Errorf("%s: the resolved file lacks %q:\n%s", entry, w, raw)
			}
		}
		if strings.Contains(string(raw), "base:") {
			t.Errorf("%s: the resolved file names a base:\n%s", entry, raw)
		}
	}
	for entry, want := range map[string]string{
		"loop":  `"pool" is a base of itself (pool, loop, pool)`,
		"lost":  `lost.yaml:1:7: base: no such config: data "nowhere"`,
		"twice": "twice.yaml:3:20: split.test: given twice",
		"wrong": "wrong.yaml:3:18: options.hosts: 1 is out of range: want at least 4",
		"key":   `key.yaml:3:1: splitt: unknown key; did you mean "split"?`,
	} {
		if _, err := load(entry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
}

// TestNamedExperiment: an experiment of the program is loaded by its name, with the program's configs and no folder
// of its own; a file of that name comes first.
func TestNamedExperiment(t *testing.T) {
	t.Chdir(t.TempDir())
	o := LoadOptions{Builtin: configs.Files, Overrides: []string{"models=[znorm]", "controls=off"}}
	e, err := Load("quickstart", o)
	if err != nil || e.Name != "quickstart" || len(e.Plan()) != 1 {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := os.WriteFile("quickstart", []byte("name: mine\ndata: synth\nmodels: znorm\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if e, err = Load("quickstart", o); err != nil || e.Name != "mine" {
		t.Errorf("%+v, %v", e, err)
	}
	for name, want := range map[string]string{
		"quickstrat":  `quickstrat is neither a file nor an experiment that has this name: no such config: experiment "quickstrat"; did you mean "quickstart"?`,
		"a.yaml":      "a.yaml: no such file",
		"dir/quickst": "dir/quickst: no such file",
	} {
		if _, err := Load(name, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// TestShippedExperiments: every shipped experiment is sound.
func TestShippedExperiments(t *testing.T) {
	for _, kind := range []string{"experiments", "papers"} {
		files, err := filepath.Glob("../../configs/" + kind + "/*.yaml")
		if err != nil || len(files) < 4 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			// the neural models are not linked into this test
			e, err := Load(f, LoadOptions{})
			if err != nil && !strings.Contains(err.Error(), "unknown model") {
				t.Errorf("%s:\n%v", f, err)
			}
			if err == nil && (e.Doc == "" || e.Name+".yaml" != filepath.Base(f)) {
				t.Errorf("%s: name %q; or it has no doc", f, e.Name)
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(small)
	f.Add("name: x\ndata: [{data: synth, prep: [impute]}]\nmodels: [{model: iforest}]\nunit: [src]\n")
	f.Add("data: &a [*a]\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(dir, "experiment.yaml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		e, err := Load(file, LoadOptions{Builtin: configs.Files})
		if err != nil {
			return
		}
		raw, err := e.Resolved()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		again, err := Load(file, LoadOptions{})
		if err != nil {
			t.Fatalf("the resolved file is refused: %v\n%s", err, raw)
		}
		if twice, err := again.Resolved(); err != nil || !bytes.Equal(twice, raw) {
			t.Fatalf("resolving what is resolved changes it, %v:\n%s\nbecomes\n%s", err, raw, twice)
		}
	})
}

func FuzzOverride(f *testing.F) {
	f.Add("models.0.trees=3")
	f.Add("~data.0")
	f.Add("++a.b.c=[1,{x: y}]")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := settings.Parse("f", []byte(small))
		if err != nil {
			t.Fatal(err)
		}
		_ = settings.ApplyOverrides(&doc, []string{text})
	})
}

// TestTwice: a key that a data entry repeats is refused, also where the entry is laid over a named config.
func TestTwice(t *testing.T) {
	for _, entry := range []string{"{data: synth, split: {kind: time}, split: {kind: random}}",
		"{data: synth, split: {kind: time, kind: random}}"} {
		_, err := Load(write(t, "name: x\ndata: ["+entry+"]\nmodels: [znorm]\n"), LoadOptions{Builtin: configs.Files})
		if err == nil || !strings.Contains(err.Error(), "given twice") {
			t.Errorf("%s: %v", entry, err)
		}
	}
}
