package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/eval"
	"plumbline/runs/record"
)

// Published is what one source reports on a group's data set.
type Published struct {
	record.Published
	// Experiment is the one that holds the values, whose labels they are for.
	Experiment string `json:"experiment"`
	// Verdicts is every value of the source on the data set; without a verdict where no run of the experiment is here.
	Verdicts []Verdict `json:"verdicts"`
}

// Verdict is a reported value beside ours.
type Verdict struct {
	Label      string      `json:"label"`
	Metric     string      `json:"metric"`
	Theirs     float64     `json:"theirs"`
	Ours       eval.Number `json:"ours"`
	Difference eval.Number `json:"difference"` // ours − theirs
	Within     eval.Number `json:"within"`     // how far apart two values of one method may be
	Verdict    string      `json:"verdict,omitempty"`
	Why        string      `json:"why,omitempty"`
}

// What a verdict can be.
const (
	reproduced    = "reproduced"
	notReproduced = "not reproduced"
	notComparable = "not comparable"
	notRun        = "not run"
)

// AddPublished puts what sources report beside the groups: what the experiments of the runs hold, with verdicts, and
// with all what the other experiments of the folder papers of configs have on data of the group's name and unit.
func (c *Comparison) AddPublished(configs fs.FS, all bool) error {
	known, err := readPapers(configs)
	if err != nil {
		return err
	}
	for name, own := range c.published {
		known[name] = own // what a run holds goes before the file that it was made from
	}
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for k := range c.Groups {
		g := &c.Groups[k]
		for _, name := range names {
			here := slices.ContainsFunc(g.Rows, func(r Row) bool { return r.experiment == name })
			if !here && !all {
				continue
			}
			for _, p := range known[name] {
				if p.Judges() != g.Unit || len(p.Of(g.Data)) == 0 {
					continue
				}
				one := Published{Published: p, Experiment: name}
				one.judge(g, here)
				g.Published = append(g.Published, one)
			}
		}
	}
	return nil
}

// readPapers is the published values of the experiment files of the folder papers, by the experiments' names.
func readPapers(configs fs.FS) (map[string][]record.Published, error) {
	out := map[string][]record.Published{}
	files, err := fs.Glob(configs, "papers/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	for _, file := range files {
		raw, err := fs.ReadFile(configs, file)
		if err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		doc, err := settings.Parse(file, raw)
		if err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
		values, problems := record.ReadPublished(doc)
		if len(problems) > 0 {
			return nil, fmt.Errorf("compare: %w", errors.New(problems.Error()))
		}
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		if d, ok := doc.Get("name"); ok {
			name, _ = d.Scalar()
		}
		if values != nil {
			out[name] = values
		}
	}
	return out, nil
}

// judge holds what a source reports against a group's rows of the experiment, by label; here says whether there are
// any. A value is reproduced where the difference is within twice its standard error, that of our mean and, where the
// source says over how many repetitions its values are means, of theirs, taken to vary as ours do; and half a unit of
// the source's last digit.
func (p *Published) judge(g *Group, here bool) {
	values := p.Of(g.Data)
	for _, v := range values {
		of := slices.DeleteFunc(slices.Clone(g.Rows), func(r Row) bool {
			return len(r.cells) == 0 || r.cells[0].Label != v.Model || r.experiment != p.Experiment
		})
		for _, metric := range v.Names() {
			blank := Verdict{Label: v.Model, Metric: metric, Theirs: v.Metrics[metric], Ours: eval.Number(math.NaN()),
				Difference: eval.Number(math.NaN()), Within: eval.Number(math.NaN())}
			if here && len(of) == 0 {
				blank.Verdict = notRun
			}
			if len(of) == 0 {
				p.Verdicts = append(p.Verdicts, blank)
			}
			for i := range of {
				one := blank
				one.Label = of[i].Label
				one.judge(p, value(of[i].cells, metric, of[i].overlap), rounding(values, metric))
				p.Verdicts = append(p.Verdicts, one)
			}
		}
	}
}

func (v *Verdict) judge(p *Published, ours Value, rounding float64) {
	v.Ours, v.Difference = eval.Number(ours.Mean), eval.Number(ours.Mean-v.Theirs)
	apart := math.Abs(ours.Mean - v.Theirs)
	if ours.N > 1 {
		n := float64(ours.N)
		se := ours.SD / math.Sqrt(n)
		if p.Repetitions > 0 {
			se = math.Hypot(se, ours.SD/math.Sqrt(float64(p.Repetitions)))
		}
		v.Within = eval.Number(2*se + rounding)
	}
	switch within := float64(v.Within); {
	case p.NotComparable != "":
		v.Verdict, v.Why = notComparable, p.NotComparable
	case math.IsNaN(ours.Mean):
		v.Verdict, v.Why = notComparable, "we have no value"
	case ours.N < 2 && apart <= rounding:
		v.Verdict, v.Why = reproduced, "to the source's last digit"
	case ours.N < 2:
		v.Verdict, v.Why = notComparable, "one training of ours does not say how far another may lie"
	case apart <= within:
		v.Verdict, v.Why = reproduced, "within two standard errors and the rounding"
	default:
		v.Verdict, v.Why = notReproduced, "beyond two standard errors and the rounding"
	}
}

// rounding is half a unit of the last digit of a source's values of a metric: what they may differ by without a cause.
func rounding(values []record.PublishedValue, metric string) float64 {
	digits := 0
	for _, v := range values {
		if x, ok := v.Metrics[metric]; ok {
			_, after, _ := strings.Cut(strconv.FormatFloat(x, 'f', -1, 64), ".")
			digits = max(digits, len(after))
		}
	}
	// a little more: .9635 − .963 is not quite .0005 in binary
	return 0.5*math.Pow(10, -float64(digits)) + 1e-12
}

// sheet is the source's values beside ours.
func (p *Published) sheet(data string) *sheet {
	judged := slices.ContainsFunc(p.Verdicts, func(v Verdict) bool { return v.Verdict != "" })
	head := []string{"model", "metric", "theirs"}
	if judged {
		head = append(head, "ours", "difference", "within", "verdict")
	}
	grid := [][]string{head}
	var reasons []string
	for _, v := range p.Verdicts {
		line := []string{v.Label, title(v.Metric), strconv.FormatFloat(v.Theirs, 'g', 5, 64)}
		if judged {
			within, difference := "–", "–"
			if w := float64(v.Within); !math.IsNaN(w) {
				within = "±" + number(w)
			}
			if d := float64(v.Difference); !math.IsNaN(d) {
				difference = fmt.Sprintf("%+.4f", d)
			}
			line = append(line, number(float64(v.Ours)), difference, within, v.Verdict)
		}
		grid = append(grid, line)
		if reason := v.Verdict + ": " + v.Why; v.Why != "" && !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	s := &sheet{title: fmt.Sprintf("%s, published by %s (%s)", data, p.Source, p.Place), lines: plain(grid)}
	if p.Protocol != "" {
		s.notes = append(s.notes, "theirs: "+p.Protocol)
	}
	if p.Differs != "" {
		s.notes = append(s.notes, "ours differs: "+p.Differs)
	}
	s.notes = append(s.notes, reasons...)
	if !judged && p.NotComparable != "" {
		s.notes = append(s.notes, notComparable+": "+p.NotComparable)
	}
	if !judged {
		s.notes = append(s.notes, "verdicts need a run of the experiment "+p.Experiment)
	}
	return s
}

// verdict is the one on a row's metric, nil where there is none.
func (g *Group) verdict(label, metric string) *Verdict {
	for i := range g.Published {
		for k := range g.Published[i].Verdicts {
			if v := &g.Published[i].Verdicts[k]; v.Label == label && v.Metric == metric && v.Verdict != "" {
				return v
			}
		}
	}
	return nil
}
