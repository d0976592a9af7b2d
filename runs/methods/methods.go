package methods

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/split"
	"plumbline/models"
	"plumbline/runs/compare"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Write takes the methods section of a run from its directory. builtin holds the program's configs and may be nil.
func Write(rec *record.Record, builtin fs.FS) (*Section, error) {
	e, err := experiment.Load(filepath.Join(rec.Dir, "experiment.yaml"), experiment.LoadOptions{Builtin: builtin})
	if err != nil {
		return nil, err
	}
	w := &writer{Section: Section{Title: "Methods of " + e.Name, refs: &references{}}, rec: rec, e: e}
	w.heading("Data")
	for i := range e.Sets {
		w.data(&e.Sets[i])
	}
	w.heading("Models")
	if err := w.models(); err != nil {
		return nil, err
	}
	w.heading("Decisions and evaluation")
	w.decisions()
	w.evaluation()
	w.heading("Software")
	w.software()
	return &w.Section, nil
}

// writer collects a section.
type writer struct {
	Section
	rec *record.Record
	e   *experiment.Experiment
}

// data tells what was read of a data set, how it was split and prepared.
func (w *writer) data(s *experiment.DataSet) {
	m, read := w.rec.Manifest.DataSet(s.Config.Name)
	from := ""
	if s.Config.Citation != "" {
		from = cite(w.refs.add("data", s.Config.Name, s.Config.Citation, s.Config.URL))
	}
	if !read {
		w.text(fmt.Sprintf("%s%s: no cell of the run came to read it.", s.Config.Name, from))
		return
	}
	var files []string
	for _, f := range m.Files {
		hash := ""
		if f.SHA256 != "" { // that of rows which are made here is not known
			hash = fmt.Sprintf(", SHA-256 %.16s…", f.SHA256)
		}
		files = append(files, fmt.Sprintf("%s (%d rows%s)", f.Name, f.Rows, hash))
	}
	lines := []string{fmt.Sprintf("%s%s has %s.", m.Name, from, m.Labelled())}
	if files != nil {
		lines = append(lines, "It was read from "+list(files)+".")
	}
	if m.BadRows > 0 {
		lines = append(lines, fmt.Sprintf("%d rows that could not be read are left out.", m.BadRows))
	}
	w.text(append(lines, sentence(m.Notes...))...)
	w.text(w.split(s, &m)...)
	if len(m.Classes) > 0 {
		rows := [][]string{{"class", "", "train", "held out", "test"}}
		for _, c := range m.Classes {
			kind := "benign"
			if c.Attack {
				kind = "attack"
			}
			rows = append(rows, []string{c.Name, kind, strconv.Itoa(c.Train), strconv.Itoa(c.Valid), strconv.Itoa(c.Test)})
		}
		caption := "Rows of " + m.Name + " by class and part"
		if len(s.Split.FoldNames()) > 1 {
			caption += ", of the first fold"
		}
		w.grid(caption, -1, rows)
		if asTaken(&s.Split) {
			w.text("Models that learn without labels see the benign training rows alone.")
		}
	}
	w.text(w.preparation(s)...)
	w.text(sentence(m.Audit))
}

// split tells how rows became parts.
func (w *writer) split(s *experiment.DataSet, m *record.DataManifest) (out []string) {
	sp := &s.Split
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	share := number(sp.Test)
	switch sp.Kind {
	case "official":
		add("The publisher's training and test files are the parts.")
	case "random":
		add("A share of %s of the benign rows, drawn at random within each class, tests.", share)
	case "time":
		add("The last rows in time, a share of %s of the benign ones, test.", share)
	case "order":
		add("The last rows of the files, a share of %s of the benign ones, test.", share)
	case "group":
		add("Whole groups of rows that agree in %s are on one side; a share of %s of the groups tests.", list(sp.Columns),
			share)
	case "kfold":
		add("Benign rows are partitioned into %d folds, each of which tests once, in %d partitions.", sp.Folds, sp.Repeats)
	case "repeated":
		add("%d random splits, in each of which a share of %s of the benign rows tests.", sp.Folds, share)
	case "leave_out":
		add("One attack class at a time (%s) tests, and the others train.", list(sp.LeaveOut))
	}
	standard := split.DefaultSplit()
	if slices.Contains([]string{"random", "group", "kfold", "repeated"}, sp.Kind) {
		switch sp.Attacks {
		case "split":
			add("Attacks are shared like benign rows.")
		case "family":
			add("Each fold has other attack classes to test.")
		default:
			add("All attacks test.")
		}
	}
	if sp.Validation > 0 {
		add("A share of %s of the benign training rows is held out to set thresholds.", number(sp.Validation))
	}
	if sp.Unlabelled == "all" {
		add("Models without labels train on all training rows, attacks among them.")
	}
	if sp.Contamination > 0 {
		add("Attacks, a share of %s, are mixed into the rows that models without labels take for benign.",
			number(sp.Contamination))
	}
	if sp.Rows > 0 {
		add("About %d rows are kept, a random choice that keeps the shares of parts and classes and has a row of each.",
			sp.Rows)
	}
	if sp.Duplicates != standard.Duplicates {
		add("Training rows that repeat another: %s.", sp.Duplicates)
	}
	if sp.Overlap != standard.Overlap {
		add("Test rows whose values occur in training: %s.", sp.Overlap)
	}
	if s.Attacks > 0 {
		add("Models that learn from labels are shown %d attacks.", s.Attacks)
	}
	out = append(out, robustness(s)...)
	add("The split has the seed %d: %s, %d held out, %d test.", sp.Seed, training(sp, m), m.Valid, m.Test)
	if s.Evasion != nil {
		add("Attacks of the test rows are disguised before any model sees them (%s).", inDoc(s.Doc, "evasion"))
	}
	return out
}

// preparation tells what models see of the rows.
func (w *writer) preparation(s *experiment.DataSet) (out []string) {
	if steps := s.Prep.Doc.Items(); len(steps) > 0 {
		var texts []string
		for _, step := range steps {
			texts = append(texts, stepText(step))
		}
		out = append(out, "Preprocessing, fitted on benign training rows where a step does not say otherwise: "+
			strings.Join(texts, "; ")+".")
	}
	if widths := w.widths(s.Config.Name); widths != nil {
		out = append(out, "Models of rows see "+list(widths)+" columns.")
	}
	traces := slices.ContainsFunc(w.e.Entries, func(m experiment.Entry) bool {
		return m.Info.Needs.Input == data.Traces
	})
	if traces && s.Traces != nil {
		out = append(out, "Models of traces see windows ("+inDoc(s.Doc, "traces")+").")
	}
	return out
}

// widths is the numbers of columns that models of rows saw.
func (w *writer) widths(set string) (out []string) {
	for _, r := range w.rec.Results {
		text := strconv.Itoa(r.Features)
		if r.Data == set && r.Status == record.OK && r.Input == "vectors" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// models tells which models there are, with the settings that are not their defaults.
func (w *writer) models() error {
	rows := [][]string{{"label", "model", "learns from", "settings other than the defaults"}}
	var seedless, seeded []string
	for _, m := range w.e.Entries {
		changed, err := changes(m.Info, m.Spec)
		if err != nil {
			return err
		}
		learns := "benign rows"
		switch {
		case m.Info.Control || m.Label == "untrained":
			learns = "control"
		case m.Info.Needs.Labels.Any():
			learns = "labelled rows"
		}
		name := m.Info.Name + cite(w.refs.add("model", m.Info.Name, m.Info.Paper, ""))
		rows = append(rows, []string{m.Label, name, learns, changed})
		if m.UsesSeed() {
			seeded = append(seeded, m.Label)
		} else {
			seedless = append(seedless, m.Label)
		}
	}
	w.grid("Models and their settings", 3, rows)
	w.text(tuned(w.rec.Manifest.Tuned)...)
	var seeds []string
	for _, s := range w.e.Seeds {
		seeds = append(seeds, strconv.FormatUint(s, 10))
	}
	folds := ""
	if slices.ContainsFunc(w.e.Sets, func(s experiment.DataSet) bool { return len(s.Split.FoldNames()) > 1 }) {
		folds = " Each fold draws by a seed of its own, which is made from that and the fold's name."
	}
	if seeded != nil {
		w.text("With " + count(len(seeds), "the seed ", "the seeds ") + list(seeds) + ", for each data set and fold, were " +
			"trained " + list(seeded) + "." + folds)
	}
	if seedless != nil {
		w.text("Trained once for each data set and fold, since they ignore the seed: " + list(seedless) + ".")
	}
	return nil
}

// decisions tells how scores become those of units and these decisions.
func (w *writer) decisions() {
	e := w.e
	unit := "flow"
	if e.Unit != nil {
		unit = e.Unit.String()
	}
	out := []string{"The judged unit is the " + unit + "."}
	if unit != "flow" {
		out = append(out, fmt.Sprintf("A unit is an attack if any of its flows is; its score is the %s of theirs.",
			e.Aggregate.Unit))
		if e.Aggregate.Unit == "share" {
			out = append(out, fmt.Sprintf("The share is of flows above the quantile %s.", number(e.Aggregate.Above)))
		}
		if e.MinFlows > 0 {
			out = append(out, fmt.Sprintf("Units of fewer than %d flows are left out.", e.MinFlows))
		}
	}
	if e.Protocol.Kind == "prequential" {
		out = append(out, fmt.Sprintf("Test rows are scored in turn (%s order), each before the model learns from it, in "+
			"blocks of %d.", e.Protocol.Order, e.Protocol.Block))
	}
	on := "held-out benign rows"
	if e.Threshold.On == "train" {
		on = "the training rows"
	}
	v := number(e.Threshold.Value)
	rule := map[string]string{
		"fpr":      "the lowest that at most a share of " + v + " of them is above",
		"quantile": "their quantile " + v,
		"mean_sd":  "their mean plus " + v + " standard deviations",
		"mad":      "their median plus " + v + " scaled median absolute deviations",
		"iqr":      "their upper quartile plus " + v + " interquartile ranges",
		"gaussian": "what a share of " + v + " of a normal distribution of their mean and deviation is above",
		"pot":      "what a share of " + v + " is above by a generalised Pareto distribution of their largest values",
		"fixed":    v + ", fixed beforehand",
	}[e.Threshold.Rule]
	if rule == "" {
		rule = "by the rule " + e.Threshold.Rule + ", " + v
	}
	w.text(append(out, "A score above the threshold is an alarm. The threshold is fitted to the scores of "+on+": "+rule+
		".")...)
}

// evaluation tells which intervals and tests there are.
func (w *writer) evaluation() {
	out := []string{fmt.Sprintf("Of %d cells (data set, model, seed, fold) %d are ok.", len(w.rec.Results), w.rec.OK())}
	for _, r := range w.rec.Results {
		if r.Status != record.OK {
			out = append(out, fmt.Sprintf("%s is %s.", r.Cell, r.Status))
		}
	}
	out = append(out, "AUROC counts equal scores one half; average precision is not interpolated.")
	folds := slices.ContainsFunc(w.rec.Results, func(r record.Result) bool { return r.Fold != "" })
	if folds {
		out = append(out, "Intervals are over folds, whose values are means over seeds, by Student's t with the variance of "+
			"Nadeau and Bengio for training rows that folds share.")
	} else {
		out = append(out, "Intervals of means over seeds are Student's t, on the logit scale for shares.")
	}
	if w.e.Bootstrap > 0 {
		out = append(out, fmt.Sprintf("Those of one training are percentiles over %d resamples of the test units.",
			w.e.Bootstrap))
	}
	w.text(out...)
	w.text(controls(w.e))
	t := compare.StoredTests(w.rec)
	if t == nil {
		w.text("No tests of the models against each other are kept.")
		return
	}
	w.text("On each data set the model of the largest mean AUROC was compared with each other one on the units that both "+
		"judged, by DeLong's test for each pair of cells of one seed and fold, of which the largest P counts, with Holm's "+
		"correction for the models; by McNemar's exact test at the thresholds, corrected alike; and by the effect size A12.",
		map[bool]string{true: "Over folds the corrected resampled t-test was made."}[folds], overSets(t))
}

func overSets(t *compare.Tests) string {
	if t.Over == nil {
		return ""
	}
	return fmt.Sprintf("Over %d data sets, among the models that have a value on each: Friedman's test with Nemenyi's "+
		"critical difference of mean ranks, Wilcoxon's signed ranks with Holm's correction, and the Bayesian signed-rank "+
		"test with differences up to %s as equivalent.", t.Over.Friedman.N, number(t.Over.Rope))
}

// software tells what the run was made with.
func (w *writer) software() {
	m := &w.rec.Manifest
	version := m.Version
	if m.Revision != "" {
		version += fmt.Sprintf(", revision %.12s", m.Revision)
		if m.Modified {
			version += " with changes"
		}
	}
	w.text(fmt.Sprintf("plumbline %s, built with %s, on %s/%s (%s, %d logical processors, numeric kernels %s).", version,
		m.Go, m.OS, m.Arch, m.CPU, m.CPUs, m.Kernels),
		fmt.Sprintf("The SHA-256 of the resolved experiment begins with %.16s.", m.Experiment))
}

// changes is the settings of a spec that are not its model's defaults.
func changes(info models.Info, spec models.Spec) (string, error) {
	mine, err := asValue(spec)
	if err != nil {
		return "", err
	}
	standard, err := asValue(info.Defaults())
	if err != nil {
		return "", err
	}
	out := differing("", mine, standard)
	if out == nil {
		return "none", nil
	}
	return strings.Join(out, "; "), nil
}

func asValue(spec models.Spec) (any, error) {
	raw, err := settings.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("methods: %w", err)
	}
	doc, err := settings.Parse("spec", raw)
	if err != nil {
		return nil, fmt.Errorf("methods: %w", err)
	}
	return doc.Value()
}

// number is a float with as many digits as it needs.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
