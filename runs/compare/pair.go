package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"plumbline/eval"
	"plumbline/runs/record"
)

// PairTest is two models compared with each other on the test units that both judged.
type PairTest struct {
	A        string     `json:"a"`
	B        string     `json:"b"`
	Sets     []PairSet  `json:"data"`
	Over     *eval.Test `json:"over_data_sets,omitempty"` // signed ranks of the mean differences; nil with one data set
	Claim    string     `json:"claim"`                    // what can be said, in one sentence
	Warnings []string   `json:"warnings,omitempty"`
}

// PairSet is the test on one data set.
type PairSet struct {
	Data  string `json:"data"`
	Unit  string `json:"unit"`
	Cells int    `json:"cells"` // pairs of cells with the same seed and fold
	Units int    `json:"units"` // judged in the first of them
	// A, B and Diff are means of AUROC over the cells.
	A    eval.Number `json:"auroc_a"`
	B    eval.Number `json:"auroc_b"`
	Diff eval.Number `json:"difference"`
	// P is the largest of the cells' DeLong tests, adjusted for the number of data sets by Holm's method: NaN where one
	// is undefined.
	P        eval.Number   `json:"p_holm"`
	Interval eval.Interval `json:"interval"` // of the difference, of the cell with the largest P
	// Wins is the cells in which A is ahead, of those in which they differ.
	Wins   int `json:"wins"`
	Differ int `json:"differ"`
	// McNemar is the largest P of McNemar's tests of the cells at their thresholds: NaN where one is undefined.
	McNemar eval.Number `json:"mcnemar_p"`
	// AUPRC is the paired bootstrap of average precision, of the pair of cells with the largest P; nil where it was not
	// asked for.
	AUPRC *eval.Difference `json:"auprc,omitempty"`
	// Folds is the corrected resampled t-test of AUROC over folds, whose differences are means over seeds; nil without
	// folds.
	Folds *eval.Test `json:"corrected_t,omitempty"`
	// A12 is how probable it is that the AUROC of a cell of A is larger than that of a cell of B.
	A12      eval.Number `json:"a12"`
	Warnings []string    `json:"warnings,omitempty"`
}

// scored is what a cell judged and how.
type scored struct {
	units  string // hash of them
	scores []float64
	truth  eval.Truth
}

// scoreCache reads the scores of cells, and keeps those of one model.
type scoreCache struct {
	dir  string
	keep string // label
	kept map[string]*scored
}

func (s *scoreCache) of(c *record.Result) (*scored, error) {
	if have, ok := s.kept[c.Cell]; ok {
		return have, nil
	}
	var out scored
	var err error
	if out.units, err = record.UnitsSum(s.dir, c.Cell); err == nil {
		out.scores, out.truth, err = record.ReadScores(s.dir, c.Cell)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("compare: the run kept no scores (keep.scores), which a paired test needs: %w", err)
	}
	if err != nil {
		return nil, err
	}
	if c.Label == s.keep {
		s.kept[c.Cell] = &out
	}
	return &out, nil
}

// level is what a P must be below to be called a difference.
const level = 0.05

// TestPair compares the AUROCs of two labels of a run by DeLong's test on each pair of cells with the same data set,
// seed and fold; a model that ignores its seed stands beside every seed of the other. Cells are no independent
// evidence of each other, since they share their test units: a difference on a data set is claimed only where every
// pair of cells shows it, in one direction, after Holm's correction for the number of data sets. Over several data
// sets the signed-rank test is of the mean differences.
func TestPair(r *record.Record, a, b string) (*PairTest, error) {
	if a == b {
		return nil, fmt.Errorf("compare: %q against itself", a)
	}
	t := &PairTest{A: a, B: b}
	var order []string
	by := map[string][2][]record.Result{}
	known := map[string]bool{}
	for _, c := range r.Results {
		known[c.Label] = true
		k := slices.Index([]string{a, b}, c.Label)
		if k < 0 || c.Status != record.OK {
			continue
		}
		if _, ok := by[c.Data]; !ok {
			order = append(order, c.Data)
		}
		pair := by[c.Data]
		pair[k] = append(pair[k], c)
		by[c.Data] = pair
	}
	for _, label := range []string{a, b} {
		if !known[label] {
			var names []string
			for n := range known {
				names = append(names, n)
			}
			slices.Sort(names)
			return nil, fmt.Errorf("compare: the run has no model %q; it has %s", label, strings.Join(names, ", "))
		}
	}
	cache := &scoreCache{dir: r.Dir, keep: a, kept: map[string]*scored{}}
	for _, name := range order {
		clear(cache.kept)
		s, err := testSet(cache, by[name][0], by[name][1], r.Manifest.FoldOverlap(name, by[name][0]), resamples)
		if err != nil {
			return nil, err
		}
		if s.Cells == 0 {
			t.Warnings = append(t.Warnings, fmt.Sprintf("%s: no finished cells of both", name))
			continue
		}
		if few := fewWarning(by[name][0], by[name][1]); few != "" && !slices.Contains(t.Warnings, few) {
			t.Warnings = append(t.Warnings, few)
		}
		t.Sets = append(t.Sets, s)
	}
	if len(t.Sets) == 0 {
		return nil, fmt.Errorf("compare: %s and %s have no finished cells on the same data", a, b)
	}
	p, flags := make([]float64, len(t.Sets)), make([]float64, len(t.Sets))
	va, vb := make([]float64, len(t.Sets)), make([]float64, len(t.Sets))
	for i, s := range t.Sets {
		p[i], va[i], vb[i], flags[i] = float64(s.P), float64(s.A), float64(s.B), float64(s.McNemar)
	}
	for i, v := range eval.Holm(p) {
		t.Sets[i].P = eval.Number(v)
	}
	for i, v := range eval.Holm(flags) {
		t.Sets[i].McNemar = eval.Number(v)
	}
	if len(t.Sets) > 1 {
		over, err := eval.Wilcoxon(va, vb)
		if err != nil {
			return nil, err
		}
		t.Over = &over
	}
	t.Claim = t.claim()
	return t, nil
}

// resamples is how many the paired bootstrap draws.
const resamples = 500

// testSet pairs the cells of one data set. draws of 0 leaves the bootstrap out.
func testSet(from *scoreCache, a, b []record.Result, overlap float64, draws int) (PairSet, error) {
	s := PairSet{Interval: noInterval}
	var sumA, sumB float64
	var values [2][]float64
	byFold := map[string][]float64{}
	var folds []string
	for i := range a {
		for k := range b {
			x, y := &a[i], &b[k]
			if x.Fold != y.Fold || x.Seed != y.Seed && !x.Deterministic && !y.Deterministic {
				continue
			}
			if err := s.pair(from, x, y, draws); err != nil {
				return s, err
			}
			va, vb := x.Metric("auroc"), y.Metric("auroc")
			sumA, sumB = sumA+va, sumB+vb
			values[0], values[1] = append(values[0], va), append(values[1], vb)
			if byFold[x.Fold] == nil {
				folds = append(folds, x.Fold)
			}
			byFold[x.Fold] = append(byFold[x.Fold], va-vb)
		}
	}
	n := float64(s.Cells)
	s.A, s.B, s.Diff = eval.Number(sumA/n), eval.Number(sumB/n), eval.Number((sumA-sumB)/n)
	s.A12 = eval.Number(eval.A12(values[0], values[1]))
	if len(folds) > 1 {
		var means []float64
		for _, f := range folds {
			sum := 0.0
			for _, v := range byFold[f] {
				sum += v
			}
			means = append(means, sum/float64(len(byFold[f])))
		}
		t := eval.CorrectedT(means, overlap)
		s.Folds = &t
	}
	return s, nil
}

// pair adds two cells on the units that both have scores of.
func (s *PairSet) pair(from *scoreCache, x, y *record.Result, draws int) error {
	a, err := from.of(x)
	if err != nil {
		return err
	}
	b, err := from.of(y)
	if err != nil {
		return err
	}
	if a.units != b.units {
		return fmt.Errorf("compare: %s and %s judge other units: no pairs", x.Cell, y.Cell)
	}
	attack := a.truth.Attack
	if attack == nil {
		return fmt.Errorf("compare: the data of %s has no labels: nothing says which ranks better", x.Cell)
	}
	d, err := eval.DeLong(a.scores, b.scores, attack)
	if err != nil {
		return err
	}
	if s.Cells == 0 {
		s.Data, s.Unit, s.Units = x.Data, x.Unit, len(attack)
	}
	s.Cells++
	if d.Diff != 0 {
		s.Differ++
	}
	if d.Diff > 0 {
		s.Wins++
	}
	if larger(float64(s.P), d.P) {
		s.P, s.Interval = eval.Number(d.P), d.Interval
	}
	flags, err := eval.McNemar(flagged(a, x), flagged(b, y), attack)
	if err != nil {
		return err
	}
	if math.IsNaN(x.Metric("threshold")) || math.IsNaN(y.Metric("threshold")) {
		flags.P, flags.Warnings = math.NaN(), nil // the cells say that there is none
	}
	if larger(float64(s.McNemar), flags.P) {
		s.McNemar = eval.Number(flags.P)
	}
	warnings := append(d.Warnings, flags.Warnings...)
	if draws > 0 {
		ap, err := eval.PairedBootstrap(a.scores, b.scores, attack, draws, x.Seed, (*eval.Ranking).AveragePrecision)
		if err != nil {
			return err
		}
		if s.AUPRC == nil || larger(s.AUPRC.P, ap.P) {
			s.AUPRC = &ap
		}
	}
	for _, w := range warnings {
		if !slices.Contains(s.Warnings, w) {
			s.Warnings = append(s.Warnings, w)
		}
	}
	return nil
}

// larger says whether a P takes the place of the largest so far: one that is undefined does, and stays.
func larger(so, p float64) bool { return !math.IsNaN(so) && (math.IsNaN(p) || p >= so) }

// flagged is what a cell's threshold makes of its scores.
func flagged(s *scored, c *record.Result) []bool {
	out := make([]bool, len(s.scores))
	threshold := c.Metric("threshold")
	for i, v := range s.scores {
		out[i] = v > threshold
	}
	return out
}

// ahead is who is ahead on a data set: 1 for A, −1 for B, 0 where no difference is shown.
func (s PairSet) ahead() int {
	switch {
	case !(float64(s.P) < level):
		return 0
	case s.Wins == s.Differ:
		return 1
	case s.Wins == 0:
		return -1
	}
	return 0
}

func (t *PairTest) claim() string {
	var wins [2][]string
	var none []string
	for _, s := range t.Sets {
		switch s.ahead() {
		case 1:
			wins[0] = append(wins[0], s.Data)
		case -1:
			wins[1] = append(wins[1], s.Data)
		default:
			none = append(none, s.Data)
		}
	}
	var parts []string
	for k, label := range []string{t.A, t.B} {
		if len(wins[k]) > 0 {
			parts = append(parts, fmt.Sprintf("%s ranks the test units of %s better than %s", label,
				strings.Join(wins[k], ", "), []string{t.B, t.A}[k]))
		}
	}
	if len(none) > 0 {
		parts = append(parts, "no difference is shown on "+strings.Join(none, ", "))
	}
	claim := strings.Join(parts, "; ")
	if t.Over != nil {
		switch {
		case math.IsNaN(t.Over.P):
			claim += "; nothing can be said over data sets"
		case t.Over.P < level:
			claim += fmt.Sprintf("; over %d data sets the difference is systematic (P %.3g)", len(t.Sets), t.Over.P)
		default:
			claim += fmt.Sprintf("; over %d data sets no difference is shown (P %.3g)", len(t.Sets), t.Over.P)
		}
	}
	return claim
}

// Grid is the test as cells of text, heads first.
func (t *PairTest) Grid() [][]string {
	out := [][]string{{"data", t.A, t.B, "difference", "of the closest pair", "P (Holm)", "ahead", "cells", "units"}}
	for _, s := range t.Sets {
		ahead := fmt.Sprintf("%d/%d", s.Wins, s.Differ)
		p := probability(float64(s.P))
		inside := "–"
		if s.Interval.Defined() {
			inside = fmt.Sprintf("[%s, %s]", number(s.Interval.Low), number(s.Interval.High))
		}
		out = append(out, []string{s.Data, number(float64(s.A)), number(float64(s.B)), number(float64(s.Diff)), inside, p,
			ahead, fmt.Sprint(s.Cells), fmt.Sprint(s.Units)})
	}
	return out
}

// probability is a P as text.
func probability(p float64) string {
	switch {
	case math.IsNaN(p):
		return "undefined"
	case p == 0: // below the smallest number
		return "<1e-300"
	case p < 0.0001:
		return fmt.Sprintf("%.1e", p)
	}
	return fmt.Sprintf("%.3g", p)
}

// more is the tests of a data set besides DeLong's.
func (s *PairSet) more() string {
	text := fmt.Sprintf("decisions at the thresholds (McNemar, Holm): P %s; A12 of the cells' AUROC %.2f",
		probability(float64(s.McNemar)), float64(s.A12))
	if d := s.AUPRC; d != nil && d.Interval.Defined() {
		text += fmt.Sprintf("; AUPRC %+.4f [%+.4f, %+.4f], P %s by paired bootstrap", d.Diff, d.Interval.Low, d.Interval.High,
			probability(d.P))
	}
	if f := s.Folds; f != nil {
		text += fmt.Sprintf("; corrected t over %d folds P %s", f.N, probability(f.P))
	}
	return text
}

// Text is the test for a terminal.
func (t *PairTest) Text() string {
	var b strings.Builder
	align(&b, t.Grid(), 0)
	for _, s := range t.Sets {
		b.WriteString("  " + s.Data + ": " + s.more() + "\n")
	}
	b.WriteString(t.Claim + "\n")
	for _, s := range t.Sets {
		for _, w := range s.Warnings {
			b.WriteString("warning: " + s.Data + ": " + w + "\n")
		}
	}
	for _, w := range t.Warnings {
		b.WriteString("warning: " + w + "\n")
	}
	if t.Over != nil {
		for _, w := range t.Over.Warnings {
			b.WriteString("warning: " + w + "\n")
		}
	}
	return b.String()
}
