package experiment

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/split"
	"plumbline/runs/record"
)

// robustness is the axes that data sets can be varied along: what a value does to a data set, and which are allowed.
var robustness = map[string]struct {
	low, high float64
	set       func(*DataSet, float64)
}{
	"contamination": {0, 0.5, func(s *DataSet, v float64) { s.Split.Contamination = v }},
	"irrelevant":    {0, 0.99, func(s *DataSet, v float64) { s.Irrelevant = v }},
	"attack_copies": {1, 1000, func(s *DataSet, v float64) { s.Split.AttackCopies = int(v) }},
	"label_noise":   {0, 0.5, func(s *DataSet, v float64) { s.Split.LabelNoise = v }},
	"training":      {0.0001, 1, func(s *DataSet, v float64) { s.Split.Training = v }},
	"drift": {0, 1, func(s *DataSet, v float64) {
		s.Split.Kind, s.Split.Drifted = "drift", v
		if s.Split.Test == 0 {
			s.Split.Test = split.DefaultSplit().Test
		}
	}},
}

// AxisNames are the axes of robustness, sorted.
func AxisNames() []string { return slices.Sorted(maps.Keys(robustness)) }

// axis is where a data set stands on an axis of robustness, as data configs of resolved experiments have it.
type axis struct {
	// contamination, irrelevant, attack_copies, label_noise, training or drift
	Name string `yaml:"name"`
	// of the data set that is varied
	Of string `yaml:"of"`
	// how much
	Value float64 `yaml:"value"`
}

// varied is a data entry for each value of the experiment's key vary, or the entry alone without it. What problems the
// entry has is left to [loader.dataSet].
func (l *loader) varied(r dataRef) ([]dataRef, settings.Problems) {
	if len(l.e.Vary) == 0 || l.wrong("vary") {
		return []dataRef{r}, nil
	}
	at, _ := l.doc.Get("vary")
	names := slices.Sorted(maps.Keys(l.e.Vary))
	if len(names) > 1 {
		return nil, settings.Problems{at.Problem("one axis at a time: an experiment for each of %s",
			strings.Join(names, ", "))}
	}
	name := names[0]
	axis, ok := robustness[name]
	if !ok {
		return nil, settings.Problems{at.Problem("%q is no axis%s; axes: %s", name, settings.DidYouMean(name, AxisNames()),
			strings.Join(AxisNames(), ", "))}
	}
	doc, ps := l.dataDoc(r.doc)
	if len(ps) > 0 {
		return []dataRef{r}, nil
	}
	own, _ := doc.Get("name")
	of, _ := own.Scalar()
	if _, placed := doc.Get("folder"); !placed {
		doc = doc.With("folder", of, r.doc)
	}
	var out []dataRef
	for i, v := range l.e.Vary[name] {
		text := strconv.FormatFloat(v, 'g', -1, 64)
		switch {
		case v < axis.low || v > axis.high || name == "attack_copies" && v != float64(int(v)):
			ps = append(ps, at.Problem("%s: %s is not between %v and %v", name, text, axis.low, axis.high))
			continue
		case slices.Contains(l.e.Vary[name][:i], v):
			ps = append(ps, at.Problem("%s: %s is given twice", name, text))
			continue
		}
		place, err := settings.Parse(at.File, []byte("{name: "+name+", of: \""+of+"\", value: "+text+"}"))
		if err != nil {
			return nil, append(ps, problems(at, err)...)
		}
		one := doc.Without("name").With("name", of+"-"+name+"-"+text, r.doc).WithNode("axis", place)
		out = append(out, dataRef{one})
	}
	return out, ps
}

// place puts a data set where its config says that it stands on an axis.
func (l *loader) place(set *DataSet, at settings.Node) (ps settings.Problems) {
	if !at.Given() {
		return nil
	}
	var a axis
	if ps = at.Decode(&a); len(ps) > 0 {
		return ps
	}
	axis, ok := robustness[a.Name]
	if !ok {
		return settings.Problems{at.Problem("%q is no axis; axes: %s", a.Name, strings.Join(AxisNames(), ", "))}
	}
	axis.set(set, a.Value)
	set.Axis = &record.Axis{Name: a.Name, Of: a.Of, Value: a.Value}
	if err := set.Split.Check(); err != nil {
		ps = append(ps, at.Problem("%s: %v", a.Name, err))
	}
	learn := slices.ContainsFunc(l.e.Entries, func(m Entry) bool { return m.Info.Needs.Labels.Any() && !m.Info.Control })
	if a.Name == "attack_copies" && !learn && set.Split.Contamination == 0 && set.Split.Unlabelled != "all" {
		ps = append(ps, at.Problem("attack_copies: no model sees an attack in training: set split.contamination, or "+
			"split.unlabelled: all"))
	}
	return ps
}
