package compare

import (
	_ "embed"
	"fmt"
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
	Source  string           `yaml:"source" json:"source"`
	Data    []string         `yaml:"data" json:"-"` // patterns of data set names, as path.Match has them
	Unit    string           `yaml:"unit" json:"-"`
	Differs string           `yaml:"differs" json:"differs,omitempty"` // why a difference need not be the method's
	Values  []PublishedValue `yaml:"values" json:"values"`
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
				g.Published = append(g.Published, p)
			}
		}
	}
	return nil
}
