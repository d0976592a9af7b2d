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

// PairTest is two models held against each other on the test units that both judged.
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
	Wins     int      `json:"wins"`
	Differ   int      `json:"differ"`
	Warnings []string `json:"warnings,omitempty"`
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
	for _, name := range order {
		s, err := testSet(r.Dir, by[name][0], by[name][1])
		if err != nil {
			return nil, err
		}
		if s.Cells == 0 {
			t.Warnings = append(t.Warnings, fmt.Sprintf("%s: no finished cells of both", name))
			continue
		}
		t.Sets = append(t.Sets, s)
	}
	if len(t.Sets) == 0 {
		return nil, fmt.Errorf("compare: %s and %s have no finished cells on the same data", a, b)
	}
	p := make([]float64, len(t.Sets))
	va, vb := make([]float64, len(t.Sets)), make([]float64, len(t.Sets))
	for i, s := range t.Sets {
		p[i], va[i], vb[i] = float64(s.P), float64(s.A), float64(s.B)
	}
	for i, v := range eval.Holm(p) {
		t.Sets[i].P = eval.Number(v)
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

// testSet pairs the cells of one data set.
func testSet(dir string, a, b []record.Result) (PairSet, error) {
	s := PairSet{P: 0, Interval: eval.Interval{Low: math.NaN(), High: math.NaN()}}
	var sumA, sumB float64
	for _, x := range a {
		for _, y := range b {
			if x.Fold != y.Fold || x.Seed != y.Seed && !x.Deterministic && !y.Deterministic {
				continue
			}
			d, units, err := deLong(dir, x.Cell, y.Cell)
			if err != nil {
				return s, err
			}
			s.Data, s.Unit = x.Data, x.Unit
			if s.Cells == 0 {
				s.Units = units
			}
			s.Cells++
			sumA, sumB = sumA+d.A, sumB+d.B
			if d.Diff != 0 {
				s.Differ++
			}
			if d.Diff > 0 {
				s.Wins++
			}
			if p := float64(s.P); !math.IsNaN(p) && (math.IsNaN(d.P) || d.P >= p) {
				s.P, s.Interval = eval.Number(d.P), d.Interval
			}
			for _, w := range d.Warnings {
				if !slices.Contains(s.Warnings, w) {
					s.Warnings = append(s.Warnings, w)
				}
			}
		}
	}
	n := float64(s.Cells)
	s.A, s.B, s.Diff = eval.Number(sumA/n), eval.Number(sumB/n), eval.Number((sumA-sumB)/n)
	return s, nil
}

// deLong tests two cells on the units that both have scores of.
func deLong(dir, a, b string) (eval.Difference, int, error) {
	var sums [2]string
	var scores [2][]float64
	var truth eval.Truth
	for k, cell := range []string{a, b} {
		var err error
		if sums[k], err = record.UnitsSum(dir, cell); err == nil {
			scores[k], truth, err = record.ReadScores(dir, cell)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("compare: the run kept no scores (keep.scores), which a paired test needs: %w", err)
		}
		if err != nil {
			return eval.Difference{}, 0, err
		}
	}
	if sums[0] != sums[1] {
		return eval.Difference{}, 0, fmt.Errorf("compare: %s and %s judge other units: no pairs", a, b)
	}
	d, err := eval.DeLong(scores[0], scores[1], truth.Attack)
	return d, len(scores[0]), err
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
		p := number(float64(s.P))
		if v := float64(s.P); v < 0.0001 {
			p = fmt.Sprintf("%.1e", v)
		}
		inside := "–"
		if s.Interval.Defined() {
			inside = fmt.Sprintf("[%s, %s]", number(s.Interval.Low), number(s.Interval.High))
		}
		out = append(out, []string{s.Data, number(float64(s.A)), number(float64(s.B)), number(float64(s.Diff)), inside, p,
			ahead, fmt.Sprint(s.Cells), fmt.Sprint(s.Units)})
	}
	return out
}

// Text is the test for a terminal.
func (t *PairTest) Text() string {
	var b strings.Builder
	align(&b, t.Grid(), 0)
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
