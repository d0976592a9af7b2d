package record

import (
	"fmt"
	"path"
	"slices"

	"plumbline/configs/settings"
	"plumbline/eval"
)

// Published is what one source reports on some data sets, as the key published of an experiment file has it.
type Published struct {
	// who reports it, where
	Source string `yaml:"source" json:"source"`
	// where in the source: table and page, or file and revision
	Place string `yaml:"place" json:"place"`
	// how the source came to its values, as far as it says
	Protocol string `yaml:"protocol" json:"protocol,omitempty"`
	// how many runs or splits the values are means over; 0: the source does not say
	Repetitions int `yaml:"repetitions" json:"repetitions,omitempty" jsonschema:"minimum=0"`
	// names of data sets, of this experiment or others; * and ? stand for any characters
	Data []string `yaml:"data" json:"data" jsonschema:"minItems=1"`
	// what the source judged; empty: flow
	Unit string `yaml:"unit" json:"unit,omitempty"`
	// what this experiment does otherwise than the source, which a difference may be due to
	Differs string `yaml:"differs" json:"differs,omitempty"`
	// why the values are not those of this experiment's task, so that no difference says anything; empty: they are
	NotComparable string `yaml:"not_comparable" json:"not_comparable,omitempty"`
	// the values, by labels of this experiment's models where it has the model
	Values []PublishedValue `yaml:"values" json:"values" jsonschema:"minItems=1"`
}

// PublishedValue is what a source reports of one model.
type PublishedValue struct {
	// label of the experiment's model, or the source's name of one that the experiment does not have
	Model string `yaml:"model" json:"model"`
	// names of data sets, in place of the source's
	Data []string `yaml:"data" json:"data,omitempty"`
	// values by the names of metrics
	Metrics map[string]float64 `yaml:"metrics" json:"metrics"`
}

// Of is the values on a data set.
func (p *Published) Of(data string) (out []PublishedValue) {
	for _, v := range p.Values {
		patterns := v.Data
		if len(patterns) == 0 {
			patterns = p.Data
		}
		if slices.ContainsFunc(patterns, func(pattern string) bool { ok, _ := path.Match(pattern, data); return ok }) {
			out = append(out, v)
		}
	}
	return out
}

// Judges is the unit.
func (p *Published) Judges() string {
	if p.Unit == "" {
		return "flow"
	}
	return p.Unit
}

// Names is the metrics that a value has, in the order of the table of metrics.
func (v PublishedValue) Names() (out []string) {
	for _, name := range eval.MetricNames() {
		if _, ok := v.Metrics[name]; ok {
			out = append(out, name)
		}
	}
	return out
}

// ReadPublished decodes the key published of an experiment and checks it. There may be none.
func ReadPublished(experiment settings.Node) ([]Published, settings.Problems) {
	doc, ok := experiment.Get("published")
	if !ok {
		return nil, nil
	}
	var out []Published
	ps := doc.Decode(&out)
	if len(ps) == 0 {
		ps = CheckPublished(doc, out)
	}
	return out, ps
}

// CheckPublished says what is wrong with decoded values; doc is the key published.
func CheckPublished(doc settings.Node, all []Published) (ps settings.Problems) {
	items := doc.Items()
	for i, p := range all {
		at := doc
		if i < len(items) {
			at = items[i]
		}
		if p.Source == "" || p.Place == "" || len(p.Data) == 0 || len(p.Values) == 0 {
			ps = append(ps, at.Problem("published values need a source, a place in it, data and values"))
		}
		for _, v := range p.Values {
			for _, pattern := range slices.Concat(p.Data, v.Data) {
				if _, err := path.Match(pattern, ""); err != nil {
					ps = append(ps, at.Problem("data %q: %v", pattern, err))
				}
			}
			if len(v.Metrics) == 0 {
				ps = append(ps, at.Problem("%s: no value", v.Model))
			}
			for name, value := range v.Metrics {
				if problem := checkPublished(name, value); problem != "" {
					ps = append(ps, at.Problem("%s: %s", v.Model, problem))
				}
			}
		}
	}
	return ps
}

// checkPublished is what is wrong with a value, "" for nothing.
func checkPublished(name string, value float64) string {
	about, ok := eval.MetricNamed(name)
	if !ok {
		return fmt.Sprintf("unknown metric %q%s", name, settings.DidYouMean(name, eval.MetricNames()))
	}
	if in := about.Range; !(value >= in.Low && value <= in.High) {
		return fmt.Sprintf("%s is %g: want a number between %g and %g", name, value, in.Low, in.High)
	}
	return ""
}
