package compare

import (
	_ "embed"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/eval"
)

//go:embed published.yaml
var publishedFile []byte

// Published is what one source reports on some data sets.
type Published struct {
	Source string `yaml:"source" json:"source"`
	// Place is where in the source, such as a table and page.
	Place string `yaml:"place" json:"place,omitempty"`
	// Experiment is the one of configs/papers that follows the source's protocol, with its labels as the models' names.
	Experiment string `yaml:"experiment" json:"experiment,omitempty"`
	// Repetitions is how many runs or splits the source's values are means over; 0: it says nothing.
	Repetitions int `yaml:"repetitions" json:"repetitions,omitempty"`

	Data    []string         `yaml:"data" json:"-"` // patterns of data set names, as path.Match has them
	Unit    string           `yaml:"unit" json:"-"`
	Differs string           `yaml:"differs" json:"differs,omitempty"` // why a difference need not be the method's
	Values  []PublishedValue `yaml:"values" json:"values"`

	Verdicts []Verdict `yaml:"-" json:"verdicts,omitempty"`
}

// Verdict is a reported value beside ours.
type Verdict struct {
	Label      string      `json:"label"`
	Metric     string      `json:"metric"`
	Theirs     float64     `json:"theirs"`
	Ours       eval.Number `json:"ours"`
	Difference eval.Number `json:"difference"` // ours − theirs
	Verdict    string      `json:"verdict"`    // reproduced, not reproduced or not comparable
	Why        string      `json:"why"`
}

// What a verdict can be.
const (
	reproduced    = "reproduced"
	notReproduced = "not reproduced"
	notComparable = "not comparable"
)

// rounding is half a unit of the last digit of reported values, which have three or four: what they may differ by
// without a cause.
const rounding = 0.0005

// judge holds what a source reports against a group's rows: of the experiment that follows it, by label. A value is
// reproduced where the difference is within twice its standard error, that of our mean and, where the source says over
// how many repetitions its values are means, of theirs, taken to vary as ours do; and the rounding.
func (p *Published) judge(g *Group) {
	for _, v := range p.Values {
		for i := range g.Rows {
			r := &g.Rows[i]
			if len(r.cells) == 0 || r.cells[0].Label != v.Model || r.experiment != p.Experiment {
				continue
			}
			names, values := v.metrics()
			for k, metric := range names {
				ours := value(r.cells, metric, r.overlap)
				one := Verdict{Label: r.Label, Metric: metric, Theirs: values[k], Ours: eval.Number(ours.Mean),
					Difference: eval.Number(ours.Mean - values[k])}
				n := float64(ours.N)
				se := ours.SD / math.Sqrt(n)
				if p.Repetitions > 0 {
					se = math.Hypot(se, ours.SD/math.Sqrt(float64(p.Repetitions)))
				}
				within := 2*se + rounding
				switch {
				case p.Differs != "":
					one.Verdict, one.Why = notComparable, p.Differs
				case math.IsNaN(ours.Mean):
					one.Verdict, one.Why = notComparable, "we have no value"
				case ours.N < 2:
					one.Verdict, one.Why = notComparable, "one cell does not say how far another may lie"
				case math.Abs(ours.Mean-values[k]) <= within:
					one.Verdict, one.Why = reproduced, fmt.Sprintf("within ±%.4f, two standard errors and the rounding", within)
				default:
					one.Verdict, one.Why = notReproduced, fmt.Sprintf("beyond ±%.4f, two standard errors and the rounding", within)
				}
				p.Verdicts = append(p.Verdicts, one)
			}
		}
	}
}

func (v Verdict) String() string {
	return fmt.Sprintf("%s: %s %s, theirs %.4g, difference %+.4f: %s (%s)", v.Label, title(v.Metric),
		number(float64(v.Ours)), v.Theirs, float64(v.Difference), v.Verdict, v.Why)
}

// PublishedValue is what a source reports of one model, 0 where it says nothing.
type PublishedValue struct {
	Model        string  `yaml:"model" json:"model"`
	AUROC        float64 `yaml:"auroc" json:"auroc,omitempty"`
	ClusterAUROC float64 `yaml:"weighted_cluster_auroc" json:"weighted_cluster_auroc,omitempty"`
	Accuracy     float64 `yaml:"accuracy" json:"accuracy,omitempty"`
	Precision    float64 `yaml:"precision" json:"precision,omitempty"`
	Recall       float64 `yaml:"recall" json:"recall,omitempty"`
}

// metrics is the reported values by the names of metrics, in a fixed order.
func (v PublishedValue) metrics() (names []string, values []float64) {
	for _, m := range []struct {
		name  string
		value float64
	}{{"auroc", v.AUROC}, {"weighted_cluster_auroc", v.ClusterAUROC}, {"accuracy", v.Accuracy}, {"precision", v.Precision},
		{"recall", v.Recall}} {
		if m.value != 0 {
			names, values = append(names, m.name), append(values, m.value)
		}
	}
	return names, values
}

func (v PublishedValue) String() string {
	names, values := v.metrics()
	var parts []string
	for i, n := range names {
		parts = append(parts, fmt.Sprintf("%s %.3g", title(n), values[i]))
	}
	return v.Model + ": " + strings.Join(parts, ", ")
}

// readPublished decodes and checks a file of published values.
func readPublished(raw []byte) (out []Published, err error) {
	doc, err := settings.Parse("published.yaml", raw)
	if err != nil {
		return nil, err
	}
	if ps := doc.Decode(&out); len(ps) > 0 {
		return nil, ps
	}
	for _, p := range out {
		if p.Source == "" || len(p.Data) == 0 || len(p.Values) == 0 {
			return nil, fmt.Errorf("compare: published values of %q on %v: want a source, data and values", p.Source, p.Data)
		}
		for _, pattern := range p.Data {
			if _, err := path.Match(pattern, ""); err != nil {
				return nil, fmt.Errorf("compare: published values: %s: %w", pattern, err)
			}
		}
		for _, v := range p.Values {
			names, values := v.metrics()
			if len(names) == 0 {
				return nil, fmt.Errorf("compare: published values: %s, %s: no value", p.Source, v.Model)
			}
			for i, n := range names {
				if !known(n) || values[i] < 0 || values[i] > 1 {
					return nil, fmt.Errorf("compare: published values: %s, %s: %s %v", p.Source, v.Model, n, values[i])
				}
			}
		}
	}
	return out, nil
}

func known(metric string) bool {
	_, ok := eval.MetricNamed(metric)
	return ok
}

// AddPublished puts what papers report beside the groups that are on the same data by name, and the same unit.
func (c *Comparison) AddPublished() error {
	all, err := readPublished(publishedFile)
	if err != nil {
		return err
	}
	for k := range c.Groups {
		g := &c.Groups[k]
		for _, p := range all {
			fits := func(pattern string) bool { ok, _ := path.Match(pattern, g.Data); return ok }
			if p.Unit == g.Unit && slices.ContainsFunc(p.Data, fits) {
				if p.Experiment != "" {
					p.judge(g)
				}
				g.Published = append(g.Published, p)
			}
		}
	}
	return nil
}
