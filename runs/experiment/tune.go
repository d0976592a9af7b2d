package experiment

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/prep"
	"plumbline/data/split"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/record"
)

// Tune is how the settings of an experiment's models are searched for inside its training data.
type Tune struct {
	// grid: every combination; random: drawn alike over each range; tpe: random at first, then where good trials lie
	// denser than the others (tree-structured Parzen estimator); halving: many on little, the best on more
	// (successive halving)
	Method string `yaml:"method" jsonschema:"enum=grid,enum=random,enum=tpe,enum=halving"`
	// settings that are tried for each model, those of the file among them; grid: 0 stands for all combinations
	Trials int `yaml:"trials" jsonschema:"minimum=0,maximum=100000"`
	// what a trial is judged by on training rows: cross_validation: benign rows in folds and all attacks of training
	// (models that learn from labels: a fold of them); families: the same with other attack classes in each fold;
	// benign_loss: reconstruction error of held-out benign rows, for models that rebuild rows and data without attacks
	// in training
	Objective string `yaml:"objective" jsonschema:"enum=cross_validation,enum=families,enum=benign_loss"`
	// metric of cross_validation and families
	Metric string `yaml:"metric"`
	// folds of the training rows
	Folds int `yaml:"folds" jsonschema:"minimum=2,maximum=100"`
	// how the training rows are split in place of folds, such as {kind: time, test: 0.3}
	Split settings.Node `yaml:"split,omitempty"`
	// seeds of each trial; a trial is a cell for each seed and fold
	Seeds []uint64 `yaml:"seeds" jsonschema:"minItems=1"`
	// of the search's own draws
	Seed uint64 `yaml:"seed"`
	// tpe: trials that are drawn before the first is chosen
	Startup int `yaml:"startup" jsonschema:"minimum=1,maximum=10000"`
	// tpe: trials that are chosen at a time, from what is known before any of them; it does not depend on the workers
	Batch int `yaml:"batch" jsonschema:"minimum=1,maximum=1000"`
	// halving: one trial in this many goes on, with this many times the resource
	Eta int `yaml:"eta" jsonschema:"minimum=2,maximum=16"`
	// halving: what trials get little of at first: cells (folds and seeds), or a key of whole numbers such as
	// models.ae.epochs
	Resource Resource `yaml:"resource"`
	// values to try, by key: models.LABEL.SETTING for one model; keys below prep, traces, aggregate and threshold for
	// every model, each on its own
	Space map[string]Domain `yaml:"space" jsonschema:"minItems=1"`
}

// Resource is what successive halving spends.
type Resource struct {
	// cells, or a key
	Key string `yaml:"key"`
	// of a key: what the first round and the last one get
	Min int `yaml:"min" jsonschema:"minimum=0"`
	Max int `yaml:"max" jsonschema:"minimum=0"`
}

// Forms are cells, or a map.
func (*Resource) Forms() []settings.Form {
	type plain Resource
	return []settings.Form{{Texts: []string{"cells"}}, {Keys: plain{}}}
}

// UnmarshalSettings takes cells, or a map.
func (r *Resource) UnmarshalSettings(d settings.Node) settings.Problems {
	if text, ok := d.Scalar(); ok {
		if text != "cells" {
			return settings.Problems{d.Problem("%q is not cells; a key is written {key, min, max}", text)}
		}
		*r = Resource{Key: text}
		return nil
	}
	type plain Resource
	var p plain
	ps := d.Decode(&p)
	if *r = Resource(p); len(ps) == 0 && (r.Key == "" || r.Min < 1 || r.Max < r.Min) {
		ps = append(ps, d.Problem("want {key: KEY, min: N, max: M} with 1 ≤ N ≤ M"))
	}
	return ps
}

// MarshalYAML is the shortest form that UnmarshalSettings reads.
func (r Resource) MarshalYAML() (any, error) {
	if r.Key == "cells" {
		return r.Key, nil
	}
	type plain Resource
	return plain(r), nil
}

// Domain is the values of one key.
type Domain struct {
	// these values
	Choice []settings.Node `yaml:"choice,omitempty"`
	// a number in a range, each alike likely
	Uniform []float64 `yaml:"uniform,omitempty,flow"`
	// a number in a range above 0, each order of magnitude alike likely
	Log []float64 `yaml:"log,omitempty,flow"`
	// a whole number in a range
	Int []int `yaml:"int,omitempty,flow"`
	// a whole number in a range above 0, each order of magnitude alike likely
	LogInt []int `yaml:"log_int,omitempty,flow"`
	// grid: values of a range that are tried, its ends among them
	Points int `yaml:"points,omitempty"`
}

// UnmarshalSettings takes a map of one kind of values.
func (d *Domain) UnmarshalSettings(n settings.Node) settings.Problems {
	type plain Domain
	var p plain
	ps := n.Decode(&p)
	*d = Domain(p)
	if len(ps) > 0 {
		return ps
	}
	given := 0
	for _, is := range []bool{d.Choice != nil, d.Uniform != nil, d.Log != nil, d.Int != nil, d.LogInt != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return settings.Problems{n.Problem("want one of choice, uniform, log, int and log_int, found %d", given)}
	}
	low, high, whole := d.Range()
	switch positive := d.Log != nil || d.LogInt != nil; {
	case d.Choice != nil && len(d.Choice) == 0:
		ps = append(ps, n.Problem("choice: want a value at least"))
	case d.Choice != nil:
	case len(d.Uniform)+len(d.Log)+len(d.Int)+len(d.LogInt) != 2 || !(low < high):
		ps = append(ps, n.Problem("want a range [low, high] with low < high"))
	case positive && !(low > 0):
		ps = append(ps, n.Problem("want a range above 0, found %v", low))
	case whole && high > 1<<40:
		ps = append(ps, n.Problem("%v is too large", high))
	}
	if d.Points < 0 || d.Points == 1 || d.Points > 1000 || d.Points > 0 && d.Choice != nil {
		ps = append(ps, n.Problem("points: want from 2 to 1000, and no choice"))
	}
	return ps
}

// Range is the ends of a domain of numbers, and whether they are whole.
func (d Domain) Range() (low, high float64, whole bool) {
	for _, r := range [][]float64{d.Uniform, d.Log} {
		if len(r) == 2 {
			return r[0], r[1], false
		}
	}
	for _, r := range [][]int{d.Int, d.LogInt} {
		if len(r) == 2 {
			return float64(r[0]), float64(r[1]), true
		}
	}
	return 0, 0, false
}

// Logarithmic says whether orders of magnitude are alike likely.
func (d Domain) Logarithmic() bool { return d.Log != nil || d.LogInt != nil }

// ChoiceText is a value of the domain in one line of YAML.
func (d Domain) ChoiceText(i int) (string, error) {
	v, err := d.Choice[i].Value()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(v)
	return string(text), err
}

func defaultTune() Tune {
	return Tune{
		Method: "random", Trials: 20, Objective: "cross_validation", Metric: "auroc", Folds: 3, Seeds: []uint64{1},
		Seed: 1, Startup: 10, Batch: 4, Eta: 3, Resource: Resource{Key: "cells"},
	}
}

// UnmarshalSettings fills in over the defaults.
func (t *Tune) UnmarshalSettings(d settings.Node) settings.Problems {
	type plain Tune
	p := plain(defaultTune())
	ps := d.Decode(&p)
	*t = Tune(p)
	return ps
}

// tunable are the keys that a search may change: none of them decides which rows are judged.
var tunable = []string{"models", "prep", "traces", "aggregate", "threshold"}

// tuning checks the search of the experiment, which is right but for it.
func (l *loader) tuning(right bool) (ps settings.Problems) {
	t := l.e.Tune
	if t == nil || l.wrong("tune") {
		return nil
	}
	at, _ := l.doc.Get("tune")
	fail := func(format string, args ...any) { ps = append(ps, at.Problem(format, args...)) }
	if len(t.Space) == 0 {
		fail("needs the key space: which values to try")
	}
	if m, ok := eval.MetricNamed(t.Metric); !ok {
		fail("unknown metric %q%s", t.Metric, settings.DidYouMean(t.Metric, eval.MetricNames()))
	} else if m.Better == 0 {
		fail("metric %s says neither that more is better nor that less is", t.Metric)
	}
	if t.Trials == 0 && t.Method != "grid" {
		fail("method %s needs a number of trials", t.Method)
	}
	inner := split.DefaultSplit()
	if bad := t.Split.Decode(&inner); len(bad) > 0 {
		ps = append(ps, bad...)
	} else if err := inner.Check(); err != nil {
		fail("split: %v", err)
	} else if inner.Kind == "official" && t.Split.Given() {
		fail("split: the training rows have no official parts")
	}
	labels := make([]string, len(l.e.Entries))
	for i, m := range l.e.Entries {
		labels[i] = m.Label
	}
	keys := slices.Collect(maps.Keys(t.Space))
	if t.Resource.Key != "cells" {
		keys = append(keys, t.Resource.Key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		head, rest, _ := strings.Cut(key, ".")
		switch {
		case !slices.Contains(tunable, head):
			fail("space: %s decides more than how a model works; keys begin with one of %s", key, strings.Join(tunable, ", "))
		case head == "models" && labelOf(rest, labels) == "":
			fail("space: %s: no model of the experiment is called so; its models: %s", key, strings.Join(labels, ", "))
		case head == "models" && l.e.fromFile(labelOf(rest, labels)):
			fail("space: %s: scores that were made elsewhere are of the test rows, which a search does not see", key)
		case t.Objective == "benign_loss" && head != "models":
			fail("space: %s: errors of rows that are prepared otherwise do not compare (objective benign_loss)", key)
		}
	}
	if right && len(ps) == 0 && !l.e.trying {
		ps = append(ps, l.trySpace(keys)...)
	}
	return ps
}

// fromFile says whether the scores of a model come from a file.
func (e *Experiment) fromFile(label string) bool {
	return slices.ContainsFunc(e.Entries, func(m Entry) bool {
		return m.Label == label && strings.TrimSuffix(m.Info.Name, "_labels") == "scores"
	})
}

// trySpace tries the ends and choices of each key, so that a value that no model takes is said before any is trained.
func (l *loader) trySpace(keys []string) (ps settings.Problems) {
	at, _ := l.doc.Get("tune")
	for _, key := range keys {
		d, ok := l.e.Tune.Space[key]
		if !ok {
			continue
		}
		var values []string
		if low, high, whole := d.Range(); d.Choice != nil {
			for i := range d.Choice {
				text, err := d.ChoiceText(i)
				if err != nil {
					ps = append(ps, problems(at, err)...)
					continue
				}
				values = append(values, text)
			}
		} else if whole {
			values = []string{fmt.Sprintf("%.0f", low), fmt.Sprintf("%.0f", high)}
		} else {
			values = []string{fmt.Sprint(low), fmt.Sprint(high)}
		}
		for _, v := range values {
			if _, err := l.e.With(key + "=" + v); err != nil {
				ps = append(ps, at.Problem("space: %s=%s: %v", key, v, err))
			}
		}
	}
	return ps
}

// labelOf is the label that begins a key, which may hold dots itself; "" for none.
func labelOf(rest string, labels []string) (best string) {
	for _, name := range labels {
		if strings.HasPrefix(rest, name+".") && len(name) > len(best) {
			best = name
		}
	}
	return best
}

// Keys are the keys of the space that a model is tuned by, sorted: its own, and those of all models.
func (e *Experiment) Keys(label string) (keys []string) {
	var labels []string
	for _, m := range e.Entries {
		labels = append(labels, m.Label)
	}
	for key := range e.Tune.Space {
		rest, own := strings.CutPrefix(key, "models.")
		if !own || labelOf(rest, labels) == label {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// With is the experiment with further overrides.
func (e *Experiment) With(overrides ...string) (*Experiment, error) {
	o := e.loaded
	o.Overrides = slices.Concat(o.Overrides, overrides)
	return loadPoint(e.source, o, true)
}

// Candidate is what training one model with one set of values takes. It has no data sets and no way to files.
type Candidate struct {
	Settings *Experiment // thresholds, aggregation, protocol; no data sets, no finder
	Entry    Entry
	Prep     prep.Spec
	Traces   *prep.TraceSpec
	Decides  string // hash of all that decides what the candidate does
}

// Candidate is a model of the experiment, by its label, on a data set, by its place, with other values.
func (e *Experiment) Candidate(set int, label string, assignments []string) (*Candidate, error) {
	with, err := e.With(assignments...)
	if err != nil {
		return nil, err
	}
	k := slices.IndexFunc(with.Entries, func(m Entry) bool { return m.Label == label })
	if k < 0 || set >= len(with.Sets) {
		return nil, fmt.Errorf("runs: no model %q or no data set %d", label, set)
	}
	s := with.Sets[set]
	bare := Experiment{Config: with.Config, Limit: with.Limit}
	bare.Data, bare.Models, bare.Bootstrap = nil, nil, 0
	c := &Candidate{Settings: &bare, Entry: with.Entries[k], Prep: s.Prep, Traces: s.Traces}
	text, err := settings.Marshal(settings.Map{
		{Key: "model", Value: c.Entry.Info.Name}, {Key: "params", Value: c.Entry.Spec}, {Key: "prep", Value: s.Prep.Doc},
		{Key: "traces", Value: s.Traces}, {Key: "unit", Value: s.Unit}, {Key: "threshold", Value: bare.Threshold},
		{Key: "aggregate", Value: bare.Aggregate}, {Key: "protocol", Value: bare.Protocol},
	})
	if err != nil {
		return nil, err
	}
	c.Decides = record.SumOf(text).SHA256
	return c, nil
}

// LearnsFromLabels says whether the candidate's model does.
func (c *Candidate) LearnsFromLabels() bool { return c.Entry.Info.Needs.Labels.Any() }

// InnerSplit is how the training part of a data set is split for a model: benign rows in folds; attacks in every fold,
// or for a model that learns from labels a fold of them, or other classes in each fold.
func (t *Tune) InnerSplit(outer split.SplitSpec, labels models.Labels) (split.SplitSpec, error) {
	s := split.DefaultSplit()
	s.Kind, s.Folds, s.Seed = "kfold", t.Folds, outer.Seed
	s.Validation, s.Duplicates, s.Unlabelled = outer.Validation, outer.Duplicates, outer.Unlabelled
	switch {
	case t.Objective == "families":
		s.Attacks = "family"
	case labels.Any() || outer.Unlabelled == "all":
		s.Attacks = "split"
	}
	if ps := t.Split.Decode(&s); len(ps) > 0 {
		return s, ps
	}
	return s, s.Check()
}

// Options are those that the experiment was loaded with, without its overrides.
func (e *Experiment) Options() LoadOptions {
	o := e.loaded
	o.Overrides = nil
	return o
}
