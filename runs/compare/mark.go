package compare

import (
	"math"
	"slices"
	"strings"

	"plumbline/eval"
)

// byErrors says how marks are made that rest on the errors of the means alone.
const byErrors = "not significantly worse: Welch's test on the standard errors of the intervals, corrected by Holm's " +
	"method within the column (.05)"

// byTests says how marks are made that rest on the scores.
const byTests = "not significantly worse: DeLong's test on the judged units, the largest P of the pairs of cells, " +
	"corrected by Holm's method for the models (.05; tests.json)"

// takeTests marks by tests on the scores; nil: there are none.
func (c *Comparison) takeTests(t *Tests) {
	if t == nil {
		return
	}
	c.tested = true
	for k := range c.Groups {
		g := &c.Groups[k]
		at := slices.IndexFunc(t.Data, func(s SetTests) bool { return s.Data == g.Data && s.Unit == g.Unit })
		if at < 0 {
			continue
		}
		s := &t.Data[at]
		var names []string
		for i := range g.Rows {
			r := &g.Rows[i]
			r.Best, r.Even = r.Label == s.Best && len(s.Others) > 0, false
			for _, o := range s.Others {
				if o.Label == r.Label {
					r.Even = !o.Ahead && !math.IsNaN(float64(o.P)) || o.Diff == 0
					if math.IsNaN(float64(o.P)) && !r.Even {
						names = append(names, r.Label)
					}
				}
			}
		}
		g.how = byTests + untested(names)
	}
}

// mark finds the best row and those that are not significantly worse. Rows are in order.
func (g *Group) mark() {
	values := make([]Value, len(g.Rows))
	for i := range g.Rows {
		values[i] = g.Rows[i].Main
	}
	best, even, unknown := notWorse(values, 0)
	var names []string
	for i := range g.Rows {
		g.Rows[i].Best, g.Rows[i].Even = i == best, even[i]
		if unknown[i] {
			names = append(names, g.Rows[i].Label)
		}
	}
	g.how = byErrors + untested(names)
}

// untrained is the label of the control that is a network before its training.
const untrained = "untrained"

// holdAgainstControls names at each model the best control where the model is not shown to be better: its mean is no
// better, or by Welch's test with Holm's correction not significantly so.
func (g *Group) holdAgainstControls() {
	var best *Row
	for i := range g.Rows {
		r := &g.Rows[i]
		r.Control = r.Control || len(r.cells) > 0 && r.cells[0].Label == untrained
		if r.Control && best == nil && !math.IsNaN(r.Main.Mean) {
			best = r
		}
	}
	if best == nil {
		return
	}
	p := make([]float64, len(g.Rows))
	for i := range g.Rows {
		p[i] = math.NaN()
		if r := &g.Rows[i]; !r.Control && r.Rank > 0 && r.Rank < best.Rank {
			p[i] = eval.Welch(r.Main.Error, best.Main.Error)
		}
	}
	for i, adjusted := range eval.Holm(p) {
		r := &g.Rows[i]
		known := r.Rank >= best.Rank || !math.IsNaN(adjusted)
		if !r.Control && r.Rank > 0 && !(adjusted < level) && known {
			r.Unbeaten = best.Label
		}
	}
}

// unbeatenMark stands at the name of a model that does not beat the best control.
const unbeatenMark = " †"

// unbeaten explains the mark, "" where there is none.
func (g *Group) unbeaten() string {
	for i := range g.Rows {
		if by := g.Rows[i].Unbeaten; by != "" {
			return "† not shown to be better than the best control, " + by
		}
	}
	return ""
}

// untested names the models without a mark of which nothing is known.
func untested(names []string) string {
	if names == nil {
		return ""
	}
	return "; not tested, since an error is not known: " + strings.Join(names, ", ")
}

// notWorse is the index of the best of some means, which of the others are not significantly worse, and of which that
// is not known. With sign 0 the
// best is the first that is defined, else the largest times sign. best is -1 where there are fewer than two to compare.
func notWorse(values []Value, sign float64) (best int, even, unknown []bool) {
	best, even, unknown = -1, make([]bool, len(values)), make([]bool, len(values))
	defined := 0
	for i, v := range values {
		if math.IsNaN(v.Mean) {
			continue
		}
		if defined++; best < 0 || sign != 0 && sign*v.Mean > sign*values[best].Mean {
			best = i
		}
	}
	if defined < 2 {
		return -1, even, unknown
	}
	p := make([]float64, len(values))
	for i, v := range values {
		p[i] = math.NaN()
		if i != best && !math.IsNaN(v.Mean) {
			p[i] = eval.Welch(values[best].Error, v.Error)
		}
	}
	for i, adjusted := range eval.Holm(p) {
		v := values[i]
		even[i] = adjusted >= level || i != best && v.Mean == values[best].Mean
		unknown[i] = i != best && math.IsNaN(adjusted) && !even[i] && !math.IsNaN(v.Mean)
	}
	return best, even, unknown
}
