package eda

import (
	"fmt"
	"math"
	"strings"

	"plumbline/numeric/hypothesis"
)

// Question is a hypothesis with its tests, in words.
type Question struct {
	Pair        string       `json:"pair"` // as it can be asked
	Question    string       `json:"question"`
	Method      string       `json:"method"`
	Answer      string       `json:"answer"`
	Effects     []Effect     `json:"effects"` // the one that answers first
	Tests       []Outcome    `json:"tests"`
	Assumptions []Assumption `json:"assumptions"`
	Cells       []Cell       `json:"cells,omitempty"` // of a table of two categories, those furthest from what is expected
	Logistic    []Term       `json:"logistic,omitempty"`
}

// Effect is the size of a difference or an association with its 95 % interval, where one is known.
type Effect struct {
	Name  string `json:"name"`
	Value Number `json:"value"`
	Low   Number `json:"low"`
	High  Number `json:"high"`
}

// Outcome is one test. P values are natural logarithms.
type Outcome struct {
	Name      string `json:"name"`
	Statistic Number `json:"statistic"`
	DF        Number `json:"df"` // null where the distribution has none
	DF2       Number `json:"df2"`
	LogP      Number `json:"log_p"`
	Holm      Number `json:"log_p_holm"` // adjusted for all tests of the report
	BH        Number `json:"log_p_benjamini_hochberg"`
}

// Assumption is what a test rests on.
type Assumption struct {
	Text  string `json:"text"`
	Holds string `json:"holds"` // yes, no, or unknown
	Why   string `json:"why"`
}

// Cell is a cell of a table of counts.
type Cell struct {
	Row      string `json:"row"`
	Column   string `json:"column"`
	Observed Number `json:"observed"`
	Expected Number `json:"expected"`
	Residual Number `json:"residual"` // standardised
}

// Term is a coefficient of a logistic model.
type Term struct {
	Name      string `json:"name"`
	Beta      Number `json:"beta"`
	SE        Number `json:"se"`
	OddsRatio Effect `json:"odds_ratio"`
	LogP      Number `json:"log_p"` // by Wald's test
}

func undefinedNumber() Number { return Number(math.NaN()) }

func (q *Question) test(name string, r hypothesis.Result) {
	o := Outcome{Name: name, Statistic: Number(r.Statistic), DF: undefinedNumber(), DF2: undefinedNumber(),
		LogP: Number(r.LogP), Holm: undefinedNumber(), BH: undefinedNumber()}
	if r.DF > 0 {
		o.DF = Number(r.DF)
	}
	if r.DF2 > 0 {
		o.DF2 = Number(r.DF2)
	}
	q.Tests = append(q.Tests, o)
}

func (q *Question) effect(name string, e hypothesis.Effect) {
	q.Effects = append(q.Effects, Effect{name, Number(e.Value), Number(e.Low), Number(e.High)})
}

func (q *Question) assume(text, holds, why string) {
	q.Assumptions = append(q.Assumptions, Assumption{text, holds, why})
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// logOf is the logarithm of P of a named test; NaN where there is none.
func (q *Question) logOf(name string) float64 {
	for _, t := range q.Tests {
		if t.Name == name {
			return float64(t.LogP)
		}
	}
	return math.NaN()
}

// P writes a P value given its natural logarithm.
func P(logP float64) string {
	ten := logP / math.Ln10
	switch {
	case math.IsNaN(logP):
		return "undefined"
	case ten >= -4:
		return fmt.Sprintf("%.2g", math.Exp(logP))
	case math.IsInf(logP, -1):
		return "0"
	}
	whole := math.Floor(ten)
	if ten-whole >= math.Log10(9.95) { // it is rounded to the next power
		return fmt.Sprintf("1.0e%.0f", whole+1)
	}
	return fmt.Sprintf("%.1fe%.0f", math.Pow(10, ten-whole), whole)
}

// level is what P values are called significant below.
const level = 0.05

func significant(logP float64) bool { return logP < math.Log(level) }

// independent is the assumption that all tests share, and what is known of it.
func (c *Collector) independent(q *Question) {
	n, _ := c.distinct.count()
	share := 1 - float64(n)/float64(c.rows)
	holds, why := "unknown", "rows of one host or one attack go together; P values of all these rows are too small, "+
		"effects hold"
	if share > 0.05 {
		holds = "no"
		why = fmt.Sprintf("%.0f %% of the rows repeat another one; %s", 100*share, why)
	}
	q.assume("rows are independent of each other", holds, why)
}

// sizeOfD is what Cohen calls a difference.
func sizeOfD(d float64) string {
	switch d = math.Abs(d); {
	case d < 0.2:
		return "negligible"
	case d < 0.5:
		return "small"
	case d < 0.8:
		return "medium"
	}
	return "large"
}

// sizeOfV is what Cohen calls an association of two levels with others.
func sizeOfV(v float64) string {
	switch {
	case v < 0.1:
		return "negligible"
	case v < 0.3:
		return "small"
	case v < 0.5:
		return "medium"
	}
	return "large"
}

// volumeQuestion asks whether numbers differ between benign rows and attacks.
func (c *Collector) volumeQuestion(col *column) *Question {
	s := col.sample()
	log := s.Map(signedLog)
	q := &Question{Pair: col.name + " ~ label",
		Question: fmt.Sprintf("Is %s of attacks other than that of benign rows?", col.name),
		Method: "Student's and Welch's t, analysis of variance, Levene, Mann–Whitney and Kolmogorov–Smirnov, on the values " +
			"and on ln(1+|x|) with the sign"}
	above := hypothesis.Above(s)
	q.effect("an attack has more (AUROC)", above)
	q.effect("Cohen's d, log scale", hypothesis.CohenD(log))
	q.effect("Cohen's d", hypothesis.CohenD(s))
	for _, on := range []struct {
		name string
		s    *hypothesis.Sample
	}{{"", s}, {", log scale", log}} {
		q.test("Student"+on.name, hypothesis.Student(on.s))
		q.test("Welch"+on.name, hypothesis.Welch(on.s))
		q.test("ANOVA"+on.name, hypothesis.ANOVA(on.s))
		q.test("Levene"+on.name, hypothesis.Levene(on.s))
	}
	q.test("Mann–Whitney", hypothesis.MannWhitney(s))
	q.test("Kolmogorov–Smirnov", hypothesis.KolmogorovSmirnov(s))
	q.test("Kruskal–Wallis", hypothesis.KruskalWallis(s))
	normal := true
	why := ""
	for side, name := range []string{"benign rows", "attacks"} {
		m := s.Moments(side)
		// Cochran: means are about normal from 25 g₁² values on
		ok := m.N > 25*m.Skewness*m.Skewness || m.Skewness == 0
		normal = normal && ok
		why += fmt.Sprintf("%s: skewness %.3g, n %.0f; ", name, m.Skewness, m.N)
	}
	q.assume("means are about normal (n above 25 times the squared skewness), for the t tests", yesNo(normal),
		strings.TrimSuffix(why, "; "))
	levene := q.logOf("Levene")
	q.assume("equal spread, for Student's t and the analysis of variance", yesNo(!significant(levene)),
		"Levene p = "+P(levene))
	c.independent(q)
	a, b := s.Quantile(0, 0.5), s.Quantile(1, 0.5)
	mw := q.logOf("Mann–Whitney")
	switch {
	case math.IsNaN(mw):
		q.Answer = "It cannot be told: one side has no rows, or all values are equal."
		return q
	case !significant(mw) && !significant(q.logOf("Kolmogorov–Smirnov")):
		q.Answer = fmt.Sprintf("No evidence: in %.1f %% of pairs the attack has more, p = %s by ranks.", 100*above.Value,
			P(mw))
	default:
		d := -float64(q.Effects[1].Value)
		word := "higher"
		if above.Value < 0.5 {
			word = "lower"
		}
		lead := "Yes"
		if math.Abs(above.Value-0.5) < 0.06 { // what Vargha and Delaney call negligible
			lead = "Hardly"
		}
		q.Answer = fmt.Sprintf("%s: attacks are %s (medians %.4g and %.4g); in %.1f %% of pairs the attack has more, "+
			"and on the "+
			"log scale the means differ by d = %.2f (%s).", lead, word, b, a, 100*above.Value, d, sizeOfD(d))
	}
	if raw := q.logOf("Welch"); !significant(raw) || !normal {
		q.Answer += fmt.Sprintf(" The raw means say little (Welch p = %s, d = %.3f): the tails are heavy, and ranks and the "+
			"log scale say what there is.", P(raw), -float64(q.Effects[2].Value))
	}
	return q
}

// adjust fills in what the P values are among all tests of the report.
func adjust(questions []*Question) {
	var all []float64
	for _, q := range questions {
		for _, t := range q.Tests {
			all = append(all, float64(t.LogP))
		}
	}
	holm, bh := hypothesis.Holm(all), hypothesis.BenjaminiHochberg(all)
	k := 0
	for _, q := range questions {
		for i := range q.Tests {
			q.Tests[i].Holm, q.Tests[i].BH = Number(holm[k]), Number(bh[k])
			k++
		}
	}
}
