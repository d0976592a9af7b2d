package eda

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/hypothesis"
)

const (
	shownCells = 12
	drawn      = 2000   // tables of a Monte-Carlo P
	rareShare  = 0.0025 // levels with fewer rows are one term of a logistic model
	maxTerms   = 40
)

// labelTable is the rows of a category by the label.
func (c *column) labelTable() (t hypothesis.Table, rows []string) {
	for _, code := range c.order {
		n := c.counts[code]
		t, rows = append(t, []float64{float64(n[0]), float64(n[1])}), append(rows, c.levelText(code))
	}
	return t, rows
}

// categoryQuestion asks whether a category goes with the label.
func (c *Collector) categoryQuestion(col *column) *Question {
	t, names := col.labelTable()
	return c.independenceQuestion(col.name, "label", t, names, []string{"benign", "attack"})
}

func (c *Collector) independenceQuestion(a, b string, t hypothesis.Table, rows, columns []string) *Question {
	q := &Question{Pair: a + " ~ " + b, Question: fmt.Sprintf("Has %s to do with %s?", a, b),
		Method: "Pearson's χ² test of independence with standardised residuals and Cramér's V"}
	if b == "label" {
		q.Question = fmt.Sprintf("Has %s to do with whether a row is an attack?", a)
	}
	x := hypothesis.Independence(t)
	q.effect("Cramér's V", hypothesis.Effect{Value: x.V, Low: math.NaN(), High: math.NaN()})
	q.test("χ²", x.Result)
	if len(t) == 2 && len(columns) == 2 {
		odds, logP := hypothesis.Fisher(t)
		q.effect("odds ratio", hypothesis.Effect{Value: odds, Low: math.NaN(), High: math.NaN()})
		q.test("Fisher, exact", hypothesis.Result{Statistic: odds, LogP: logP})
		q.test("χ², Yates", hypothesis.Yates(t))
	}
	rough := x.Below5 > 0
	q.assume("expected counts of 5 or more", yesNo(!rough),
		fmt.Sprintf("%d of %d cells expect fewer; the smallest expects %.3g", x.Below5, x.Cells, x.MinExpected))
	if rough {
		if merged, rare := hypothesis.MergeRare(t); merged != nil && len(rare) > 1 {
			m := hypothesis.Independence(merged)
			q.test(fmt.Sprintf("χ², %d rare levels merged", len(rare)), m.Result)
			if m.Below5 > 0 {
				q.test("χ², Monte Carlo", hypothesis.Result{Statistic: x.Statistic,
					LogP: hypothesis.Simulated(t, drawn, c.opt.Seed)})
			}
		} else if len(t)*len(columns) > 4 || len(columns) > 2 {
			q.test("χ², Monte Carlo", hypothesis.Result{Statistic: x.Statistic,
				LogP: hypothesis.Simulated(t, drawn, c.opt.Seed)})
		}
	}
	c.independent(q)
	q.cells(t, rows, columns)
	switch {
	case math.IsNaN(x.LogP):
		q.Answer = "It cannot be told: there is one level, or one label."
	case !significant(x.LogP):
		q.Answer = fmt.Sprintf("No evidence: V = %.3f, p = %s.", x.V, P(x.LogP))
	default:
		lead := "Yes"
		if x.V < 0.1 {
			lead = "Hardly"
		}
		q.Answer = fmt.Sprintf("%s: V = %.3f (%s), χ² = %.6g with %s, p = %s.", lead, x.V, sizeOfV(x.V),
			x.Statistic, degrees(x.DF), P(x.LogP))
		if len(q.Cells) > 0 {
			r := q.Cells[0]
			q.Answer += fmt.Sprintf(" Most of all %s %s: %.0f rows where %.0f would be expected.", r.Row, r.Column,
				float64(r.Observed), float64(r.Expected))
		}
	}
	return q
}

// degrees is degrees of freedom in words.
func degrees(df float64) string {
	if df == 1 {
		return "1 degree of freedom"
	}
	return fmt.Sprintf("%.0f degrees of freedom", df)
}

// cells keeps the cells that are furthest from what is expected.
func (q *Question) cells(t hypothesis.Table, rows, columns []string) {
	residuals := hypothesis.Residuals(t)
	var n float64
	byRow, byColumn := make([]float64, len(t)), make([]float64, len(columns))
	for i, row := range t {
		for j, v := range row {
			byRow[i], byColumn[j], n = byRow[i]+v, byColumn[j]+v, n+v
		}
	}
	for i, row := range t {
		for j, v := range row {
			if len(columns) == 2 && j == 0 {
				continue // the other column has the same residual with the other sign
			}
			q.Cells = append(q.Cells, Cell{rows[i], columns[j], Number(v), Number(byRow[i] * byColumn[j] / n),
				Number(residuals[i][j])})
		}
	}
	slices.SortStableFunc(q.Cells, func(a, b Cell) int {
		return cmp.Compare(math.Abs(float64(b.Residual)), math.Abs(float64(a.Residual)))
	})
	q.Cells = q.Cells[:min(len(q.Cells), shownCells)]
}

// logisticLevels asks which levels of a category make attacks likelier, beside the commonest level.
func (c *Collector) logisticLevels(col *column) *Question {
	q := c.categoryQuestion(col)
	q.Pair = "label ~ " + col.name
	q.Question = fmt.Sprintf("Do levels of %s make an attack likelier?", col.name)
	q.Method += "; logistic regression by iteratively reweighted least squares, base: the commonest level"
	order := slices.Clone(col.order)
	rows := func(code uint32) float64 { return float64(col.counts[code][0]) + float64(col.counts[code][1]) }
	slices.SortStableFunc(order, func(a, b uint32) int { return cmp.Compare(rows(b), rows(a)) })
	if len(order) < 2 {
		return q
	}
	var all float64
	for _, code := range order {
		all += rows(code)
	}
	var kept []uint32
	var rest []uint32
	for i, code := range order {
		if i == 0 || i < maxTerms && rows(code) >= rareShare*all {
			kept = append(kept, code)
		} else {
			rest = append(rest, code)
		}
	}
	names := []string{"(constant: " + col.levelText(kept[0]) + ")"}
	terms := len(kept) - 1
	if rest != nil {
		terms++
	}
	var data []hypothesis.Binomial
	put := func(k int, codes ...uint32) {
		b := hypothesis.Binomial{X: make([]float64, terms)}
		if k > 0 {
			b.X[k-1] = 1
		}
		for _, code := range codes {
			b.N += rows(code)
			b.Events += float64(col.counts[code][1])
		}
		data = append(data, b)
	}
	for k, code := range kept {
		put(k, code)
		if k > 0 {
			names = append(names, col.levelText(code))
		}
	}
	if rest != nil {
		put(terms, rest...)
		names = append(names, fmt.Sprintf("%d rarer levels", len(rest)))
	}
	// first the question of any level but the commonest
	base, other := data[0], hypothesis.Binomial{X: []float64{1}}
	for _, b := range data[1:] {
		other.N, other.Events = other.N+b.N, other.Events+b.Events
	}
	base.X = []float64{0}
	any, err := hypothesis.Fit([]hypothesis.Binomial{base, other})
	if err == nil {
		e := any.OddsRatio(1)
		q.Effects = append([]Effect{{fmt.Sprintf("odds ratio, other than %s", col.levelText(kept[0])), Number(e.Value),
			Number(e.Low), Number(e.High)}}, q.Effects...)
		q.test("likelihood ratio, other than the base", any.LikelihoodRatio())
		q.test("Wald, other than the base", any.Wald(1))
	}
	q.logistic(data, names)
	if err == nil && len(q.Logistic) > 1 {
		e, wald := any.OddsRatio(1), any.Wald(1)
		strongest := slices.MaxFunc(q.Logistic[1:], func(a, b Term) int {
			return cmp.Compare(math.Abs(float64(a.Beta)), math.Abs(float64(b.Beta)))
		})
		lead := "Yes"
		if !significant(wald.LogP) {
			lead = "No evidence"
		}
		q.Answer = fmt.Sprintf("%s: rows other than %s have %.3g times the odds of an attack [%.3g, %.3g] (McFadden "+
			"R² %.3f); "+
			"of the levels, %s goes furthest (odds ratio %.3g).", lead, col.levelText(kept[0]), e.Value, e.Low, e.High,
			any.McFadden(), strongest.Name, float64(strongest.OddsRatio.Value))
	}
	return q
}

// logistic adds a model of the label to a question.
func (q *Question) logistic(data []hypothesis.Binomial, names []string) {
	m, err := hypothesis.Fit(data)
	if err != nil {
		q.assume("a logistic model can be fitted", "no", "one label alone, or predictors that depend on each other")
		return
	}
	q.test("likelihood ratio", m.LikelihoodRatio())
	q.effect("McFadden's R²", hypothesis.Effect{Value: m.McFadden(), Low: math.NaN(), High: math.NaN()})
	why := "the likelihood has a maximum"
	if m.Separated {
		why = "some level has one label alone: fitted with Firth's penalty"
	}
	q.assume("no separation, for the logistic model", yesNo(!m.Separated), why)
	for j, name := range names {
		e := m.OddsRatio(j)
		q.Logistic = append(q.Logistic, Term{name, Number(m.Beta[j]), Number(m.SE[j]),
			Effect{"odds ratio", Number(e.Value), Number(e.Low), Number(e.High)}, Number(m.Wald(j).LogP)})
	}
}

// presenceQuestion asks whether rows in which a number is above 0 are attacks more often.
func (c *Collector) presenceQuestion(col *column) *Question {
	t := hypothesis.Table{{0, 0}, {0, 0}}
	for _, code := range col.order {
		k := 0
		if col.values[code] > 0 {
			k = 1
		}
		for side := range 2 {
			t[k][side] += float64(col.counts[code][side])
		}
	}
	q := c.independenceQuestion(col.name+" > 0", "label", t, []string{col.name + " = 0", col.name + " > 0"},
		[]string{"benign", "attack"})
	q.Pair = "label ~ " + col.name + " > 0"
	q.Question = fmt.Sprintf("Does %s above 0 make an attack likelier?", col.name)
	q.Method = "Logistic regression by iteratively reweighted least squares; Fisher's exact test"
	var rows []hypothesis.Binomial
	for k, row := range t {
		rows = append(rows, hypothesis.Binomial{X: []float64{float64(k)}, N: row[0] + row[1], Events: row[1]})
	}
	q.logistic(rows, []string{"(constant)", col.name + " > 0"})
	if len(q.Logistic) < 2 {
		return q
	}
	term := q.Logistic[1]
	q.Effects = append([]Effect{{"odds ratio", term.OddsRatio.Value, term.OddsRatio.Low, term.OddsRatio.High}},
		q.Effects...)
	fisher := q.logOf("Fisher, exact")
	lead := "Yes"
	if !significant(fisher) {
		lead = "No evidence"
	}
	q.Answer = fmt.Sprintf("%s: %.0f rows have it; the odds ratio is %.3g [%.3g, %.3g], p = %s (Fisher, exact).", lead,
		t[1][0]+t[1][1], float64(term.OddsRatio.Value), float64(term.OddsRatio.Low), float64(term.OddsRatio.High), P(fisher))
	return q
}
