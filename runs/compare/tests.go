package compare

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/eval"
	"plumbline/runs/record"
)

// TestsFile is where the tests of a run are kept, in its directory.
const TestsFile = "tests.json"

// Tests is how the models of a run compare by AUROC: on each data set the best against each of the others, over the
// data sets all of them. It says which results it was made from.
type Tests struct {
	Results string     `json:"results_sha256"` // of results.csv
	Data    []SetTests `json:"data"`
	Over    *OverTests `json:"over_data_sets,omitempty"` // with two data sets or more
}

// SetTests is the tests of one data set.
type SetTests struct {
	Data string `json:"data"`
	Unit string `json:"unit"`
	Best string `json:"best"` // label of the model with the largest mean
	// Others is the best against each other model; p_holm and mcnemar_p are corrected for their number.
	Others   []Against `json:"others"`
	Warnings []string  `json:"warnings,omitempty"`
}

// Against is the best model of a data set against another.
type Against struct {
	Label string `json:"label"`
	PairSet
	// Ahead says whether the best is shown to be better: its P is below .05 and it is ahead in each pair of cells.
	Ahead bool `json:"ahead"`
}

// OverTests is the tests over data sets, among the models that have a value on each.
type OverTests struct {
	Models   []string   `json:"models"` // by mean rank, the best first
	Friedman eval.Ranks `json:"friedman"`
	// Pairs is each model against the one with the best mean rank.
	Pairs    []OverPair `json:"pairs"`
	Rope     float64    `json:"rope"` // differences of AUROC up to which models are taken for equivalent
	Warnings []string   `json:"warnings,omitempty"`
}

// OverPair is the model with the best mean rank against another.
type OverPair struct {
	Label    string         `json:"label"`
	Wilcoxon eval.Test      `json:"wilcoxon"`
	Holm     eval.Number    `json:"p_holm"` // of Wilcoxon, for the number of pairs
	A12      eval.Number    `json:"a12"`
	Bayes    eval.Posterior `json:"bayes"` // of the best against the other
	Nemenyi  bool           `json:"beyond_critical_difference"`
}

// rope is the difference of AUROC up to which models are taken for equivalent, and draws how many the Bayesian test
// makes.
const (
	rope  = 0.01
	draws = 20_000
)

// TooMany is the error of [MakeTests] for runs with more lines of scores than the limit.
type TooMany struct{ Lines, Limit int }

func (e *TooMany) Error() string {
	return fmt.Sprintf("compare: the tests read %d lines of scores, %d at most", e.Lines, e.Limit)
}

// MakeTests compares the models of a run from the scores of their cells, of which it reads at most limit lines (0: any
// number).
func MakeTests(rec *record.Record, limit int) (*Tests, error) {
	lines := 0
	for i := range rec.Results {
		if rec.Results[i].Status == record.OK {
			lines += rec.Results[i].Test
		}
	}
	if limit > 0 && lines > limit {
		return nil, &TooMany{lines, limit}
	}
	sum, err := record.Sum(filepath.Join(rec.Dir, "results.csv"), record.MaxJSON)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	c, err := Compare([]*record.Record{rec}, "auroc", []string{})
	if err != nil {
		return nil, err
	}
	t := &Tests{Results: sum.SHA256, Data: []SetTests{}}
	for k := range c.Groups {
		s, err := testsOf(rec, &c.Groups[k])
		if err != nil {
			return nil, err
		}
		t.Data = append(t.Data, s)
	}
	if len(c.Groups) > 1 {
		t.Over, err = c.OverDataSets()
	}
	return t, err
}

// testsOf is the best of a group against each of the others.
func testsOf(rec *record.Record, g *Group) (SetTests, error) {
	s := SetTests{Data: g.Data, Unit: g.Unit, Others: []Against{}}
	var best *Row
	for i := range g.Rows {
		if !math.IsNaN(g.Rows[i].Main.Mean) {
			best = &g.Rows[i]
			break
		}
	}
	if best == nil {
		s.Warnings = append(s.Warnings, "no model has an AUROC")
		return s, nil
	}
	s.Best = best.Label
	cache := &scoreCache{dir: rec.Dir, keep: best.Label, kept: map[string]*scored{}}
	for i := range g.Rows {
		r := &g.Rows[i]
		if r == best || math.IsNaN(r.Main.Mean) {
			continue
		}
		one, err := testSet(cache, okCells(best), okCells(r), r.overlap, 0)
		if err != nil {
			return s, err
		}
		if one.Cells == 0 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s and %s have no cells of one seed and fold", best.Label, r.Label))
			continue
		}
		s.Others = append(s.Others, Against{Label: r.Label, PairSet: one})
	}
	var tested [][]record.Result
	for i := range g.Rows {
		tested = append(tested, okCells(&g.Rows[i]))
	}
	if few := fewWarning(tested...); few != "" && len(s.Others) > 0 {
		s.Warnings = append(s.Warnings, few)
	}
	p, flags := make([]float64, len(s.Others)), make([]float64, len(s.Others))
	for i := range s.Others {
		p[i], flags[i] = float64(s.Others[i].P), float64(s.Others[i].McNemar)
	}
	p, flags = eval.Holm(p), eval.Holm(flags)
	for i := range s.Others {
		o := &s.Others[i]
		o.P, o.McNemar = eval.Number(p[i]), eval.Number(flags[i])
		o.Ahead = o.ahead() == 1
	}
	return s, nil
}

func okCells(r *Row) (out []record.Result) {
	for _, c := range r.cells {
		if c.Status == record.OK {
			out = append(out, c)
		}
	}
	return out
}

// OverDataSets compares the models that have a value of the metric on every data set.
func (c *Comparison) OverDataSets() (*OverTests, error) {
	pivots, err := c.Pivot("model", "data")
	if err != nil {
		return nil, err
	}
	p := pivots[0]
	o := &OverTests{Models: []string{}, Pairs: []OverPair{}, Rope: rope}
	sign := direction(c.Metric)
	if sign == 0 {
		return nil, fmt.Errorf("compare: %s ranks nothing", c.Metric)
	}
	var values [][]float64 // of each model, larger being better
	for i, label := range p.Rows {
		if math.IsNaN(p.Ranks[i]) {
			o.Warnings = append(o.Warnings, label+" has no value on some data set and is left out")
			continue
		}
		var v []float64
		for k := range p.Columns {
			v = append(v, sign*p.Cells[i][k].Mean)
		}
		o.Models, values = append(o.Models, label), append(values, v)
	}
	blocks := make([][]float64, len(p.Columns))
	for k := range blocks {
		for i := range values {
			blocks[k] = append(blocks[k], values[i][k])
		}
	}
	if o.Friedman, err = eval.Friedman(blocks); err != nil {
		return nil, err
	}
	if len(values) < 2 {
		o.Warnings = append(o.Warnings, "fewer than two models have a value on every data set")
		return o, nil
	}
	var holm []float64
	for i := 1; i < len(values); i++ {
		w, err := eval.Wilcoxon(values[0], values[i])
		if err != nil {
			return nil, err
		}
		d := make([]float64, len(values[0]))
		for k := range d {
			d[k] = values[0][k] - values[i][k]
		}
		holm = append(holm, w.P)
		o.Pairs = append(o.Pairs, OverPair{Label: o.Models[i], Wilcoxon: w, A12: eval.Number(eval.A12(values[0], values[i])),
			Bayes:   eval.BayesSignedRank(d, rope, draws, 1),
			Nemenyi: o.Friedman.Mean[i]-o.Friedman.Mean[0] > o.Friedman.CD})
	}
	for i, v := range eval.Holm(holm) {
		o.Pairs[i].Holm = eval.Number(v)
	}
	return o, nil
}

// fewSets is the number of data sets below which a diagram of critical differences is refused.
const fewSets = 5

// StoredTests is the tests that were kept in a run's directory, nil where there are none or they were made from other
// results.
func StoredTests(rec *record.Record) *Tests {
	var t Tests
	if record.ReadJSON(rec.Dir, TestsFile, &t) != nil {
		return nil
	}
	sum, err := record.Sum(filepath.Join(rec.Dir, "results.csv"), record.MaxJSON)
	if err != nil || sum.SHA256 != t.Results {
		return nil
	}
	return &t
}

// Write writes the tests for a terminal.
func (t *Tests) Write(w io.Writer) error {
	var b strings.Builder
	for i := range t.Data {
		t.Data[i].write(&b)
	}
	if t.Over != nil {
		t.Over.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *SetTests) write(b *strings.Builder) {
	if s.Best == "" || len(s.Others) == 0 {
		fmt.Fprintf(b, "%s, unit %s: there are no two models to compare\n", s.Data, s.Unit)
	} else {
		s.writeOthers(b)
	}
	seen := []string{}
	for _, o := range s.Others {
		for _, w := range o.Warnings {
			if w = o.Label + ": " + w; !slices.Contains(seen, w) {
				seen = append(seen, w)
			}
		}
	}
	for _, w := range append(seen, s.Warnings...) {
		b.WriteString("  warning: " + w + "\n")
	}
	b.WriteByte('\n')
}

// writeOthers writes the best model against the others.
func (s *SetTests) writeOthers(b *strings.Builder) {
	fmt.Fprintf(b, "%s, unit %s: %s has the largest mean AUROC, against\n", s.Data, s.Unit, s.Best)
	grid := [][]string{{"model", "difference", "of the closest pair", "P (Holm)", "ahead", "McNemar P", "A12", "shown"}}
	for _, o := range s.Others {
		inside := "–"
		if o.Interval.Defined() {
			inside = fmt.Sprintf("[%s, %s]", number(o.Interval.Low), number(o.Interval.High))
		}
		grid = append(grid, []string{o.Label, number(float64(o.Diff)), inside, probability(float64(o.P)),
			fmt.Sprintf("%d/%d", o.Wins, o.Cells), probability(float64(o.McNemar)), fmt.Sprintf("%.2f", float64(o.A12)),
			map[bool]string{true: "better", false: "–"}[o.Ahead]})
	}
	align(b, grid, 0)
}

func (o *OverTests) write(b *strings.Builder) {
	f := &o.Friedman
	fmt.Fprintf(b, "over %d data sets: Friedman P %s (Iman and Davenport %s), critical difference of mean ranks %.2f\n",
		f.N, probability(f.P), probability(f.FP), f.CD)
	if len(o.Pairs) > 0 {
		fmt.Fprintf(b, "  %s, mean rank %.2f, against\n", o.Models[0], f.Mean[0])
		grid := [][]string{{"model", "mean rank", "beyond it", "Wilcoxon P (Holm)", "A12", "better", "equivalent", "worse"}}
		for i, p := range o.Pairs {
			grid = append(grid, []string{p.Label, fmt.Sprintf("%.2f", f.Mean[i+1]),
				map[bool]string{true: "yes", false: "no"}[p.Nemenyi], probability(float64(p.Holm)),
				fmt.Sprintf("%.2f", float64(p.A12)), fmt.Sprintf("%.3f", p.Bayes.Better),
				fmt.Sprintf("%.3f", p.Bayes.Equivalent), fmt.Sprintf("%.3f", p.Bayes.Worse)})
		}
		align(b, grid, 0)
		fmt.Fprintf(b, "  better, equivalent, worse: Bayesian signed-rank test, %g AUROC being equivalent\n", o.Rope)
	}
	for _, w := range append(f.Warnings, o.Warnings...) {
		b.WriteString("  warning: " + w + "\n")
	}
	for _, p := range o.Pairs {
		for _, w := range p.Wilcoxon.Warnings {
			b.WriteString("  warning: " + p.Label + ": " + w + "\n")
		}
	}
}
