package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/configs/settings"
	"plumbline/eval"
	"plumbline/runs/bundle"
	"plumbline/runs/record"
)

// Described opens a model file or RUNDIR/CELL with what is known of where it comes from.
func Described(name string) (*bundle.Bundle, error) {
	dir, cell := record.SplitCell(name)
	if bundle.IsFile(name) || cell == "" {
		return bundle.Load(name)
	}
	f, err := os.CreateTemp("", "plumbline-*.plumb")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := bundle.Pack(f, dir, cell); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return bundle.Open(f.Name())
}

// ErrUndescribed is a model of which nobody knows what it was trained on.
var ErrUndescribed = errors.New("what it was trained on is not known")

// cardFront is the YAML in front of a model card, as Hugging Face reads it.
type cardFront struct {
	Library string        `yaml:"library_name"`
	Tags    []string      `yaml:"tags"`
	Index   []cardResults `yaml:"model-index"`
}

type cardResults struct {
	Name    string       `yaml:"name"`
	Results []cardResult `yaml:"results"`
}

type cardResult struct {
	Task    cardTerm     `yaml:"task"`
	Dataset cardTerm     `yaml:"dataset"`
	Metrics []cardMetric `yaml:"metrics"`
}

type cardTerm struct {
	Type string `yaml:"type"`
	Name string `yaml:"name"`
}

type cardMetric struct {
	Type  string  `yaml:"type"`
	Value float64 `yaml:"value"`
}

// Card writes the model card of a trained model in Markdown: what it is and is for, what it was trained on, its
// threshold, what it was measured to do, and where that ends.
func Card(w io.Writer, b *bundle.Bundle) error {
	p := b.Provenance
	if p == nil {
		return ErrUndescribed
	}
	c := &card{b: b, p: p}
	if err := c.front(); err != nil {
		return err
	}
	c.line("# %s on %s\n", plainMarkdown(b.Label), plainMarkdown(b.Data))
	c.line("%s", b.Info.Doc)
	if b.Info.Paper != "" {
		c.line("\nSource: %s.", strings.TrimSuffix(b.Info.Paper, "."))
	}
	c.use()
	c.data()
	c.threshold()
	c.measured()
	c.limits()
	c.origin()
	_, err := c.text.WriteTo(w)
	return err
}

type card struct {
	b    *bundle.Bundle
	p    *bundle.Provenance
	text bytes.Buffer
}

// metric is one by name, NaN where it is undefined.
func (c *card) metric(name string) float64 {
	if v := c.p.Result.Metric(name); finite(v) || c.b.Metrics == nil {
		return v
	}
	return c.b.Metrics.Value(name)
}

func (c *card) line(format string, args ...any) { fmt.Fprintf(&c.text, format+"\n", args...) }

func (c *card) front() error {
	var metrics []cardMetric
	for _, m := range eval.MetricTable() {
		if v := c.metric(m.Name); finite(v) && slices.Contains(cardMetrics, m.Name) {
			metrics = append(metrics, cardMetric{m.Name, v})
		}
	}
	raw, err := settings.Marshal(cardFront{
		Library: "plumbline", Tags: []string{"anomaly-detection", "network-intrusion-detection", c.b.Model},
		Index: []cardResults{{c.b.Label, []cardResult{{
			Task: cardTerm{"anomaly-detection", "Network anomaly detection"}, Dataset: cardTerm{c.b.Data, c.b.Data},
			Metrics: metrics,
		}}}},
	})
	c.line("---\n%s---\n", raw)
	return err
}

// cardMetrics are those that a card has, as far as they are defined.
var cardMetrics = []string{"auroc", "auprc", "prevalence", "tpr_at_1fpr", "fpr_at_95tpr", "precision", "recall", "fpr",
	"f1", "mcc", "balanced_accuracy", "precision_at_1prevalence", "alarms"}

func (c *card) use() {
	b := c.b
	c.line("\n## Intended use\n")
	c.line("It scores each %s of network traffic in the columns of %s (format %s); a higher score is more anomalous. "+
		"What lies above the threshold is an alarm for a person to look at. It was trained on the traffic below and knows "+
		"no other: on another network, or later, the rate of its alarms is not known until it has been measured there. It "+
		"is not meant to block traffic by itself.", plainMarkdown(b.Unit.Name), plainMarkdown(b.Data), b.Config().Format)
	c.line("\nA file to be scored needs %d columns:\n", len(b.Needed()))
	c.line("| column | type | values known |\n| --- | --- | --: |")
	for _, col := range b.Needed() {
		known := ""
		if len(col.Levels) > 0 {
			known = strconv.Itoa(len(col.Levels))
		}
		c.line("| %s | %v | %s |", plainMarkdown(col.Name), col.Type, known)
	}
}

func (c *card) data() {
	cfg, d, r := c.b.Config(), c.p.Data, c.p.Result
	c.line("\n## Training data\n")
	if cfg.Doc != "" {
		c.line("%s\n", plainMarkdown(cfg.Doc))
	}
	for _, p := range [][2]string{{"Cite", cfg.Citation}, {"Terms", cfg.Licence}, {"Described at", cfg.URL}} {
		if p[1] != "" {
			c.line("- %s: %s", p[0], plainMarkdown(p[1]))
		}
	}
	c.line("- Read: %s; %d rows could not be", d.Labelled(), d.BadRows)
	c.line("- Trained on %d %s of %d columns (sha256 `%.16s`), tested on %d units (sha256 `%.16s`)", r.Train, r.Input,
		r.Features, r.TrainSHA256, r.Test, r.TestSHA256)
	if n := r.Metric("n_train_attacks"); finite(n) {
		c.line("- It learned from %v labelled attacks", n)
	}
	if hashed(d.Files) != nil {
		c.line("\n| file | rows | sha256 of the content |\n| --- | --: | --- |")
		for _, f := range hashed(d.Files) {
			c.line("| %s | %d | `%s` |", plainMarkdown(f.Name), f.Rows, f.SHA256)
		}
	}
	if notes := slices.Concat(c.b.Pipeline.Notes, c.b.Pipeline.Warnings); len(notes) > 0 {
		c.line("\nPreprocessing:\n")
		for _, text := range notes {
			c.line("- %s", plainMarkdown(text))
		}
	}
}

// hashed are the files that were read, not those that the program makes.
func hashed(files []record.FileRecord) (out []record.FileRecord) {
	for _, f := range files {
		if f.SHA256 != "" {
			out = append(out, f)
		}
	}
	return out
}

func (c *card) threshold() {
	t := c.b.Threshold
	c.line("\n## Threshold\n")
	if !finite(float64(t.Score)) {
		c.line("None: the model gives scores alone.")
		return
	}
	c.line("%s, by the rule %s %v on %s scores", short(float64(t.Score)), t.Rule, t.Value, t.On)
	if n := float64(c.p.Result.Valid); finite(n) && t.On == "validation" {
		c.line("of %v benign units that the model was not trained on", n)
	}
	c.line("and without a look at the test part.")
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

func (c *card) measured() {
	r := c.p.Result
	c.line("\n## Measured\n")
	c.line("On the test part, one seed (%d)%s. Intervals are 95 %%, over the choice of test units.\n", r.Seed, foldOf(r))
	c.line("| metric | value | interval |\n| --- | --: | --- |")
	for _, m := range eval.MetricTable() {
		v := c.metric(m.Name)
		if !finite(v) || !slices.Contains(cardMetrics, m.Name) {
			continue
		}
		between := ""
		if i := r.Interval(m.Name); finite(i.Low) && finite(i.High) {
			between = short(i.Low) + " to " + short(i.High)
		}
		c.line("| %s | %s | %s |", m.Name, short(v), between)
	}
}

func foldOf(r record.Result) string {
	if r.Fold == "" {
		return ""
	}
	return ", fold " + r.Fold
}

// limits are what was measured of where the model ends, and what is known to make numbers mean less than they seem.
func (c *card) limits() {
	r := c.p.Result
	c.line("\n## Limits\n")
	asked, got := r.Metric("fpr_asked"), r.Metric("fpr")
	if finite(asked) && finite(got) {
		c.line("- False alarms: %s of benign test units, where the threshold was asked for %s.", percent(got), percent(asked))
	}
	if v := c.metric("precision_at_1prevalence"); finite(v) {
		c.line("- Were one unit in a hundred an attack, %s of the alarms would be right.", percent(v))
	}
	if c.b.Metrics != nil {
		classes := slices.Clone(c.b.Metrics.Classes)
		slices.SortStableFunc(classes, func(a, b eval.ClassMetrics) int {
			switch {
			case a.Recall < b.Recall:
				return -1
			case a.Recall > b.Recall:
				return 1
			}
			return 0
		})
		if len(classes) > 0 {
			c.line("- What it finds differs by the kind of attack:\n")
			c.line("| attack | units | found | AUROC |\n| --- | --: | --: | --: |")
			for _, k := range classes {
				few := ""
				if k.Few {
					few = " (few)"
				}
				c.line("| %s | %d%s | %s | %s |", plainMarkdown(k.Class), k.Samples, few, percent(k.Recall), shortOr(k.AUROC))
			}
			c.line("")
		}
	}
	warnings := slices.Concat(r.Warnings, c.p.Data.Warnings)
	if c.p.Data.Audit != "" {
		warnings = append(warnings, c.p.Data.Audit)
	}
	for _, text := range warnings {
		c.line("- %s", plainMarkdown(text))
	}
	c.line("- One cell is one draw: how far results vary over seeds and splits is in the run's comparison.")
}

func percent(v float64) string {
	if math.IsNaN(v) {
		return "not defined"
	}
	return strconv.FormatFloat(100*v, 'g', 3, 64) + " %"
}

func shortOr(v float64) string {
	if !finite(v) {
		return ""
	}
	return short(v)
}

func (c *card) origin() {
	p, b := c.p, c.b
	c.line("\n## Provenance\n")
	revision := p.Revision
	if p.Modified {
		revision += " with changes"
	}
	c.line("- Cell `%s` of the run `%s`, finished %s", p.Cell, p.Run, p.Trained.UTC().Format(time.RFC3339))
	c.line("- plumbline %s %s, %s on %s, kernels %s", plainMarkdown(p.Program), revision, p.Go, p.Platform, p.Kernels)
	c.line("- Model sha256 `%s`, seed %d", b.Files["model.bin"].SHA256, b.Seed)
	raw, err := settings.Marshal(b.Spec)
	if err == nil {
		c.line("\nSettings of `%s`:\n\n```yaml\n%s```", b.Model, raw)
	}
}
