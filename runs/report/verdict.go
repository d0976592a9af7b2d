package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/runs/compare"
)

// verdict is what a person would say of a group first, and the doubts about it. name is the metric's.
func verdict(g *compare.Group, name string) (says string, doubts []string) {
	if g.Unlabelled {
		return "The data has no labels: models are shown with their alarms, and nothing ranks them.", doubtsOf(g)
	}
	var ranked []*compare.Row // models, best first, without controls
	var control *compare.Row
	for i := range g.Rows {
		switch r := &g.Rows[i]; {
		case r.Rank == 0:
		case !r.Control:
			ranked = append(ranked, r)
		case control == nil:
			control = r
		}
	}
	switch {
	case len(ranked) == 0 && control == nil:
		return "No model has a value of " + name + ".", doubtsOf(g)
	case len(ranked) == 0:
		return fmt.Sprintf("Only controls have a value of %s, the best of them %s with %s.", name, control.Label,
			short(control.Main.Mean)), doubtsOf(g)
	}
	first := ranked[0]
	says = fmt.Sprintf("%s ranks first with %s %s", first.Label, name, short(first.Main.Mean))
	if len(ranked) > 1 {
		second := ranked[1]
		ahead := short(math.Abs(first.Main.Mean - second.Main.Mean))
		if ahead == short(0) {
			ahead = "less than 0.001"
		}
		says += fmt.Sprintf(", %s ahead of %s", ahead, second.Label)
		switch {
		case !first.Best: // a control is the best of all, and the marks hold against it
		case second.Even:
			says += "; the difference is not significant"
		default:
			says += "; the difference is significant"
		}
	}
	says += "."
	if text := atLowRates(ranked); text != "" {
		doubts = append(doubts, text)
	}
	if control != nil {
		doubts = append(doubts, againstControls(ranked, control))
	}
	return says, append(doubts, doubtsOf(g)...)
}

// over says how models stand over several data sets, with the diagram of critical differences where there are enough
// for one; "" where no ranks can be had.
func over(c *compare.Comparison, name string) (says string, diagram *drawn) {
	labelled := slices.ContainsFunc(c.Groups, func(g compare.Group) bool { return !g.Unlabelled })
	if len(c.Groups) < 2 || !labelled {
		return "", nil
	}
	o, err := c.OverDataSets()
	if err != nil || len(o.Models) < 2 {
		return "", nil
	}
	best := 0
	for i, m := range o.Friedman.Mean {
		if m < o.Friedman.Mean[best] {
			best = i
		}
	}
	var even []string
	for i, m := range o.Friedman.Mean {
		if i != best && m-o.Friedman.Mean[best] <= o.Friedman.CD {
			even = append(even, o.Models[i])
		}
	}
	says = fmt.Sprintf("%s has the best mean rank by %s over %d data sets, %.1f among %d models", o.Models[best], name,
		o.Friedman.N, o.Friedman.Mean[best], len(o.Models))
	switch {
	case even == nil:
		says += ", and Nemenyi's test tells it from all others."
	case len(even) == len(o.Models)-1:
		says += ", but Nemenyi's test tells it from no other."
	default:
		says += "; Nemenyi's test does not tell it from " + list(even, 8) + "."
	}
	if f, err := o.Diagram(760); err == nil { // an error says that there are too few data sets
		diagram = &drawn{f}
	}
	return says, diagram
}

// atLowRates says which model finds most where few benign units are flagged, when that is not the first: a ranking by
// area can hide that a detector finds nothing at any rate of alarms that people would bear.
func atLowRates(ranked []*compare.Row) string {
	at := func(r *compare.Row) float64 { return r.Value("tpr_at_1fpr").Mean }
	best := slices.MaxFunc(ranked, func(a, b *compare.Row) int { return cmp.Compare(at(a), at(b)) })
	if first := ranked[0]; at(best)-at(first) > 0.01 {
		return fmt.Sprintf("With 1 %% of the benign units flagged, %s finds %.0f %% of the attacks and %s %.0f %%.",
			best.Label, 100*at(best), first.Label, 100*at(first))
	}
	return ""
}

// againstControls says which models are shown to beat the best control.
func againstControls(ranked []*compare.Row, control *compare.Row) string {
	var not []string
	for _, r := range ranked {
		if r.Unbeaten != "" || r.Rank > control.Rank {
			not = append(not, r.Label)
		}
	}
	of := fmt.Sprintf("the best control (%s, %s)", control.Label, short(control.Main.Mean))
	switch {
	case not == nil && len(ranked) == 1:
		return "It beats " + of + "."
	case not == nil:
		return fmt.Sprintf("All %d models beat %s.", len(ranked), of)
	case len(not) == len(ranked):
		return "No model is shown to beat " + of + "."
	}
	return fmt.Sprintf("%d of %d models beat %s; not shown of %s.", len(ranked)-len(not), len(ranked), of, list(not, 6))
}

// doubtsOf is the group's warnings as sentences.
func doubtsOf(g *compare.Group) (out []string) {
	for _, w := range g.Warnings {
		out = append(out, sentence(w))
	}
	return out
}

// sentence begins with a capital, unless a name stands there, and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	if word, _, _ := strings.Cut(s, " "); !strings.ContainsAny(word, "_:0123456789") {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// list is names with commas, those beyond n as their number.
func list(names []string, n int) string {
	if len(names) > n {
		names = append(slices.Clone(names[:n]), fmt.Sprintf("%d more", len(names)-n))
	}
	return strings.Join(names, ", ")
}

// short is a value to three decimals; undefined ones are a dash.
func short(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}
