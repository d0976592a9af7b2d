package experiment

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/evasion"
	"plumbline/data/prep"
	"plumbline/data/pseudonym"
	"plumbline/data/source"
	"plumbline/data/split"
	_ "plumbline/data/synth"
	"plumbline/models"
	"plumbline/runs/record"
)

// loader resolves the names of an experiment.
type loader struct {
	e   *Experiment
	doc settings.Node
	lib Library
	// found is what decoding has found wrong.
	found settings.Problems
	// dirs are the folders of the data configs that were read by name: files that they name may lie there.
	dirs []string
}

func (l *loader) resolve() (ps settings.Problems) {
	e := l.e
	for _, key := range []string{"name", "data", "models"} {
		if _, ok := l.doc.Get(key); !ok {
			ps = append(ps, l.doc.Problem("the key %q is missing", key))
		}
	}
	if e.Name != "" && !validName(e.Name) {
		ps = append(ps, l.at("name", "%q cannot name a folder: letters, digits, dots, dashes and underscores only",
			e.Name))
	}
	if err := e.Threshold.Check(); err != nil {
		ps = append(ps, l.at("threshold", "%v", err))
	}
	for i, s := range e.Seeds {
		if slices.Contains(e.Seeds[:i], s) && !l.wrong("seeds") { // a seed that cannot be read is 0 here
			ps = append(ps, l.at("seeds", "seed %d is given twice", s))
		}
	}
	if e.Timeout != "" {
		d, err := time.ParseDuration(e.Timeout)
		if err != nil || d <= 0 {
			ps = append(ps, l.at("timeout", "%q is not a time such as 90s or 2h", e.Timeout))
		}
		e.Limit = d
	}
	labels := map[string]bool{}
	for _, r := range e.Models {
		if r.Model == "" {
			continue
		}
		entry, problems := l.model(r)
		ps = append(ps, problems...)
		if labels[entry.Label] {
			ps = append(ps, r.at.Problem("two models are called %q: give one of them another label", entry.Label))
		}
		labels[entry.Label] = true
		e.Entries = append(e.Entries, entry)
	}
	ps = append(ps, l.controls(labels)...)
	if _, err := e.Operating.MaxGap(); err != nil && !l.wrong("operating") {
		ps = append(ps, l.at("operating", "%v", err))
	}
	if d, ok := l.doc.Get("published"); ok && !l.wrong("published") {
		ps = append(ps, record.CheckPublished(d, e.Published)...)
	}
	names := map[string]bool{}
	var refs []dataRef
	for _, r := range e.Data {
		varied, problems := l.varied(r)
		refs, ps = append(refs, varied...), append(ps, problems...)
	}
	key, problems := l.pseudonyms()
	ps = append(ps, problems...)
	for _, r := range refs {
		set, problems := l.dataSet(r)
		ps = append(ps, problems...)
		if set.Config == nil {
			continue
		}
		set.Config = set.Config.WithPseudonyms(key)
		if names[set.Config.Name] {
			ps = append(ps, r.doc.Problem("two data sets are called %q: give one of them another name",
				set.Config.Name))
		}
		names[set.Config.Name] = true
		e.Sets = append(e.Sets, set)
	}
	ps = append(ps, l.fit()...)
	return append(ps, l.tuning(len(ps)+len(l.found) == 0)...)
}

// controls adds the controls whose labels are not taken: those that the file names, or the usual ones.
func (l *loader) controls(labels map[string]bool) (ps settings.Problems) {
	at, given := l.doc.Get("controls")
	if !given && l.uncontrolled() {
		return nil
	}
	learn := slices.ContainsFunc(l.e.Entries, func(m Entry) bool { return m.Info.Needs.Labels.Any() })
	for _, name := range l.e.Controls.names(learn) {
		there := func(m Entry) bool { return m.Info.Control && m.Info.Name == name }
		if labels[name] || slices.ContainsFunc(l.e.Entries, there) {
			continue
		}
		entry, problems := l.model(modelRef{Model: name, at: at})
		if ps = append(ps, problems...); len(problems) == 0 {
			labels[entry.Label] = true
			l.e.Entries = append(l.e.Entries, entry)
		}
	}
	return ps
}

// uncontrolled says whether an experiment that does not speak of controls gets none. Its models name one of the usual
// ones: it has chosen. A model of it sees traces: controls see rows, and would not be judged over the same units. Or it
// is the file of a run directory whose version did not add any.
func (l *loader) uncontrolled() bool {
	if _, err := os.Stat(filepath.Join(filepath.Dir(l.e.File), "manifest.json")); err == nil {
		return true
	}
	usual := Controls{On: true}.names(true)
	return slices.ContainsFunc(l.e.Entries, func(m Entry) bool {
		return m.Info.Needs.Input != data.Vectors || slices.Contains(usual, m.Info.Name) || slices.Contains(usual, m.Label)
	})
}

// wrong says whether decoding found a problem in what stands under a key.
func (l *loader) wrong(key string) bool {
	return slices.ContainsFunc(l.found, func(p settings.Problem) bool {
		return p.Path == key || strings.HasPrefix(p.Path, key+".")
	})
}

func (l *loader) at(key, format string, args ...any) settings.Problem {
	return l.doc.At(key).Problem(format, args...)
}

// problems turns an error of a lookup or decoder into problems at d.
func problems(d settings.Node, err error) settings.Problems {
	if err == nil {
		return nil
	}
	var ps settings.Problems
	if errors.As(err, &ps) {
		return ps
	}
	return settings.Problems{d.Problem("%v", err)}
}

// model resolves one model entry: the config file of that name over the registered defaults, the entry's
// own parameters over both.
func (l *loader) model(r modelRef) (Entry, settings.Problems) {
	e := Entry{Label: r.Model}
	name := r.Model
	var layers []settings.Node
	file, err := l.lib.Open("models", r.Model)
	switch {
	case err == nil:
		var m modelRef
		if ps := file.Decode(&m); len(ps) > 0 {
			return e, ps
		}
		if m.Model != "" {
			name = m.Model
		}
		if m.Label != "" {
			e.Label = m.Label
		}
		layers = append(layers, m.Params)
	case !errors.Is(err, errNoConfig):
		return e, problems(r.at, err)
	}
	if r.Label != "" {
		e.Label = r.Label
	}
	if !validName(e.Label) {
		return e,
			settings.Problems{
				r.at.Problem("%q cannot name a folder: letters, digits, dots, dashes and underscores only", e.Label),
			}
	}
	info, lookupErr := models.Lookup(name)
	if lookupErr != nil {
		at := r.at
		if m, ok := at.Get("model"); ok {
			at = m
		}
		known := append(models.Names(), l.lib.Names("models")...)
		return e, settings.Problems{at.Problem("unknown model %q%s", name, settings.DidYouMean(name, known))}
	}
	e.Info = info
	spec, err := models.Decode(name, append(layers, r.Params)...)
	if err != nil {
		return e, problems(r.at, err)
	}
	if _, err := spec.New(models.Env{}); err != nil {
		return e, settings.Problems{r.at.Problem("%v", err)}
	}
	e.Spec, e.Info.Needs = spec, info.NeedsOf(spec)
	return e, nil
}

// pseudonyms is what replaces addresses; nil: nothing does. A path is relative to the experiment file.
func (l *loader) pseudonyms() (*pseudonym.Mapper, settings.Problems) {
	path := &l.e.PseudonymKey
	if *path == "" || l.wrong("pseudonym_key") {
		return nil, nil
	}
	if file := onDisk(l.e.File); file != "" && !filepath.IsAbs(*path) {
		*path = filepath.Join(filepath.Dir(file), *path)
	}
	if abs, err := filepath.Abs(*path); err == nil { // a run's own experiment.yaml stands elsewhere
		*path = abs
	}
	m, err := pseudonym.ReadKey(*path)
	if err != nil {
		return nil, settings.Problems{l.at("pseudonym_key", "%v", err)}
	}
	return m, nil
}

// dataSet resolves one data entry and what the experiment changes about it.
func (l *loader) dataSet(r dataRef) (DataSet, settings.Problems) {
	doc, ps := l.dataDoc(r.doc)
	if len(ps) > 0 {
		return DataSet{}, ps
	}
	c, err := source.DecodeConfig(doc)
	if err != nil {
		return DataSet{}, problems(r.doc, err)
	}
	if !validName(c.Name) {
		ps = append(ps, doc.Problem("%q cannot name a folder: letters, digits, dots, dashes and underscores only",
			c.Name))
	}
	set := DataSet{Config: c, Split: split.DefaultSplit(), Doc: doc, Unit: Unit{Name: "flow"}}
	ps = append(ps, c.Split.Decode(&set.Split)...)
	ps = append(ps, l.e.Split.Decode(&set.Split)...)
	if err := set.Split.Check(); err != nil {
		ps = append(ps, r.doc.Problem("%s: %v", c.Name, err))
	}
	steps := c.Prep
	if l.e.Prep.Given() {
		steps = l.e.Prep
	}
	if set.Prep, err = prep.Decode(steps); err != nil {
		ps = append(ps, problems(r.doc, err)...)
	}
	for _, name := range set.Prep.Models() {
		if _, err := models.AnyReferenceTo(name).Spec(); err != nil {
			ps = append(ps, steps.Problem("%v", err))
		}
	}
	if c.Traces.Given() || l.e.Traces.Given() {
		t := prep.DefaultTraces()
		ps = append(ps, c.Traces.Decode(&t)...)
		ps = append(ps, l.e.Traces.Decode(&t)...)
		if err := t.Check(); err != nil {
			ps = append(ps, r.doc.Problem("%s: %v", c.Name, err))
		}
		set.Traces = &t
	}
	ps = append(ps, c.Unit.Decode(&set.Unit)...)
	if l.e.Unit != nil {
		set.Unit = *l.e.Unit
	}
	if set.MinFlows = l.e.MinFlows; set.MinFlows > 0 && set.Unit.Name == "flow" {
		ps = append(ps, l.at("min_flows", "%s is judged by flows: min_flows is for hosts, connections and other units",
			c.Name))
	}
	ps = append(ps, l.place(&set, c.Axis)...)
	if l.e.Labels != nil {
		set.Attacks = l.e.Labels.Attacks
	}
	if c.Evasion.Given() {
		e := evasion.DefaultEvasion()
		if bad := c.Evasion.Decode(&e); len(bad) > 0 {
			ps = append(ps, bad...)
		} else if err := e.Check(); err != nil {
			ps = append(ps, c.Evasion.Problem("%v", err))
		}
		set.Evasion = &e
	}
	return set, ps
}

// dataDoc is the whole config of a data entry: a name, a name with changes, or the config itself.
func (l *loader) dataDoc(d settings.Node) (settings.Node, settings.Problems) {
	if _, ok := d.Scalar(); ok {
		return l.named(d)
	}
	if !d.IsMap() {
		return d, settings.Problems{d.Problem("want the name of a data set, or a map")}
	}
	if _, ok := d.Get("train"); ok {
		return l.crossed(d)
	}
	ref, ok := d.Get("data")
	if !ok {
		d, err := l.lib.inherit("data", d)
		return d, problems(ref, err)
	}
	base, ps := l.named(ref)
	if len(ps) > 0 {
		return base, ps
	}
	if ps := d.Repeated(); len(ps) > 0 {
		return base, ps
	}
	changed := d.Without("data")
	_, moved := d.Get("folder")
	_, placed := base.Get("folder")
	if name, ok := base.Get("name"); ok && !moved && !placed { // another name does not move the files
		folder, _ := name.Scalar()
		changed = changed.With("folder", folder, ref)
	}
	return settings.Merge(base, changed), nil
}

// crossed is the config of {train: A, test: B}: A's, with B as the set that it is tested on, and what else the entry
// changes. It is named A-to-B and split by the two sets unless the entry says otherwise.
func (l *loader) crossed(d settings.Node) (settings.Node, settings.Problems) {
	var docs [2]settings.Node
	var names [2]string
	for i, key := range []string{"train", "test"} {
		ref, ok := d.Get(key)
		if !ok {
			return d, settings.Problems{d.Problem("names a data set to train on; test must name the one to test on")}
		}
		doc, ps := l.dataDoc(ref)
		if len(ps) > 0 {
			return d, ps
		}
		if _, twice := doc.Get("test_set"); twice {
			return d, settings.Problems{ref.Problem("is tested on another data set itself")}
		}
		docs[i] = doc
		name, _ := doc.Get("name")
		names[i], _ = name.Scalar()
	}
	train := docs[0]
	if _, placed := train.Get("folder"); !placed {
		train = train.With("folder", names[0], d)
	}
	changed := d.Without("train").Without("test")
	if _, named := changed.Get("name"); !named {
		changed = changed.With("name", names[0]+"-to-"+names[1], d)
	}
	out := settings.Merge(train.Without("split").WithNode("test_set", docs[1]), changed)
	if _, split := changed.Get("split"); !split {
		official, err := settings.Parse(d.File, []byte("{kind: official, validation: 0.1}"))
		if err != nil {
			return d, problems(d, err)
		}
		out = out.WithNode("split", official)
	}
	return out, nil
}

// named is the data config that a scalar names.
func (l *loader) named(ref settings.Node) (settings.Node, settings.Problems) {
	name, _ := ref.Scalar()
	n, err := l.lib.Data(name)
	if err != nil {
		return n.Doc, problems(ref, err)
	}
	if n.Dir != "" && !slices.Contains(l.dirs, n.Dir) {
		l.dirs = append(l.dirs, n.Dir)
	}
	if n.Inferred {
		c, err := source.DecodeConfig(n.Doc)
		if err != nil {
			return n.Doc, problems(ref, err)
		}
		if l.e.Inferred == nil {
			l.e.Inferred = map[string]*source.Config{}
		}
		l.e.Inferred[name] = c
	}
	return n.Doc, nil
}

// fit checks that each model can work on each data set as it is split and prepared.
func (l *loader) fit() (ps settings.Problems) {
	if k := l.e.Labels; k != nil {
		if k.Attacks < 1 && !l.wrong("labels") {
			ps = append(ps, l.at("labels", "say how many labelled attacks models are shown, as in {attacks: 30}"))
		}
		if !slices.ContainsFunc(l.e.Entries, func(m Entry) bool { return m.Info.Needs.Labels.Any() }) {
			ps = append(ps, l.at("labels", "no model of the experiment learns from labels"))
		}
	}
	for _, s := range l.e.Sets {
		var noTraces, noLabels []string
		for _, m := range l.e.Entries {
			if m.Info.Needs.Input == data.Traces && s.Traces == nil {
				noTraces = append(noTraces, m.Label)
			}
			if !s.Config.Label.None() && m.Info.Needs.Labels.Any() && s.Split.Attacks == "test" &&
				!slices.Contains([]string{"official", "time", "order", "leave_out"}, s.Split.Kind) {
				noLabels = append(noLabels, m.Label)
			}
		}
		if noTraces != nil {
			ps = append(ps,
				l.at("models", "%s: %s has no traces: leave the model out, or say under traces what a trace is",
					strings.Join(noTraces, ", "), s.Config.Name))
		}
		if noLabels != nil {
			ps = append(ps,
				l.at("models",
					"%s learns from labelled attacks, and the %s split of %s leaves none in training: set "+
						"split.attacks: split", strings.Join(noLabels, ", "), s.Split.Kind, s.Config.Name))
		}
		if s.Config.Label.None() {
			ps = append(ps, l.unlabelled(s)...)
		}
	}
	return ps
}

// unlabelled is what needs labels of a data set that has none.
func (l *loader) unlabelled(s DataSet) (ps settings.Problems) {
	need := func(key, what string) {
		ps = append(ps, l.at(key, "%s has no labels, which %s needs", s.Config.Name, what))
	}
	for _, m := range l.e.Entries {
		if m.Info.Needs.Labels.Any() {
			need("models", m.Label)
		}
	}
	if what := s.Split.NeedsLabels(); what != "" {
		need("split", what)
	}
	if s.Evasion != nil {
		need("data", "evasion")
	}
	return ps
}
