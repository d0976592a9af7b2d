package eda

import (
	"fmt"
	"math"
	"strings"

	"plumbline/data"
	"plumbline/data/roles"
	"plumbline/numeric/hypothesis"
	"plumbline/numeric/stat"
)

// maxGroups is how many levels numbers are compared over, the commonest.
const maxGroups = 12

// How many of the usual questions are asked of one kind.
const maxVolumes, maxOthers = 4, 4

// roles is what the columns stand for by their names and types, as columns of the collector.
func (c *Collector) roles() (*roles.Columns, func(*data.Column) *column) {
	t := &data.Table{Columns: make([]data.Column, len(c.columns))}
	at := map[*data.Column]*column{}
	for i, col := range c.columns {
		t.Columns[i] = data.Column{Name: col.name, Type: col.kind}
		at[&t.Columns[i]] = col
	}
	return roles.Find(t, roles.Hints{}), func(of *data.Column) *column {
		if of == nil {
			return nil
		}
		return at[of]
	}
}

// levelled says whether a column can be looked at by its levels.
func (c *column) levelled() bool {
	return c != nil && c.exact() && len(c.order) > 1 && len(c.order) <= maxLevels
}

// usual are the questions of network traffic with labels: its volume, protocol, service, connection status and urgent
// packets, as far as columns are known to be such, and the other categories.
func (c *Collector) usual() (out []*Question) {
	if c.class == nil || c.attacks == 0 || c.attacks == c.rows {
		return nil
	}
	r, of := c.roles()
	volumes := 0
	for _, v := range []*data.Column{r.BytesOut, r.BytesIn, r.Bytes, r.PacketsOut, r.PacketsIn, r.Packets} {
		if col := of(v); col != nil && volumes < maxVolumes {
			out = append(out, c.volumeQuestion(col))
			volumes++
		}
	}
	state := of(r.State)
	asked := map[*column]bool{state: true}
	for _, v := range []*data.Column{r.Protocol, r.Service} {
		if col := of(v); col.levelled() {
			out = append(out, c.categoryQuestion(col))
			asked[col] = true
		}
	}
	others := 0
	for _, col := range c.columns {
		if col.kind == data.Category && col.levelled() && !asked[col] && others < maxOthers {
			out = append(out, c.categoryQuestion(col))
			others++
		}
	}
	if state.levelled() {
		out = append(out, c.logisticLevels(state))
	}
	for _, v := range r.Signs {
		if col := of(v); col.exact() && strings.Contains(strings.ToLower(col.name), "urg") {
			out = append(out, c.presenceQuestion(col))
		}
	}
	return out
}

// TestError is what is wrong with a pair that a test was asked of.
type TestError struct {
	Pair string // as it was given
	Why  string
}

// Error names the pair and says why it cannot be tested.
func (e *TestError) Error() string { return fmt.Sprintf("eda: test %q: %s", e.Pair, e.Why) }

func refuse(pair, format string, args ...any) error {
	return &TestError{Pair: pair, Why: fmt.Sprintf(format, args...)}
}

// CutPair is the two sides of a pair to test.
func CutPair(pair string) (left, right string, err error) {
	left, right, ok := strings.Cut(pair, "~")
	left, right = strings.TrimSpace(left), strings.TrimSpace(right)
	if !ok || left == "" || right == "" {
		return "", "", refuse(pair, "want two columns such as 'src_bytes ~ label'")
	}
	return left, right, nil
}

// ask answers a pair such as src_bytes ~ label. The label is called label or attack, its classes class; label ~ x asks
// for a logistic model, and x > 0 whether a number is above 0.
func (c *Collector) ask(pair string) (*Question, error) {
	left, right, err := CutPair(pair)
	if err != nil {
		return nil, err
	}
	isLabel := func(name string) bool { return name == "label" || name == "attack" }
	if isLabel(left) && !isLabel(right) {
		return c.askLogistic(pair, right)
	}
	if isLabel(right) {
		col, err := c.find(pair, left)
		if err != nil {
			return nil, err
		}
		if err := c.twoLabels(pair); err != nil {
			return nil, err
		}
		if col.numeric() {
			return c.volumeQuestion(col), nil
		}
		return c.categoryQuestion(col), nil
	}
	a, err := c.find(pair, left)
	if err != nil {
		return nil, err
	}
	b, err := c.find(pair, right)
	switch {
	case err != nil:
		return nil, err
	case a == b:
		return nil, refuse(pair, "want two columns")
	case !a.exact() || !b.exact():
		return nil, refuse(pair, "the columns did not fit the memory together (--memory)")
	case a.numeric() && b.numeric():
		return c.numbersQuestion(a, b), nil
	case a.numeric():
		return c.groupsQuestion(a, b), nil
	case b.numeric():
		return c.groupsQuestion(b, a), nil
	}
	t := cross(a, b, maxLevels, maxLevels)
	return c.independenceQuestion(left, right, t, a.placeNames(maxLevels), b.placeNames(maxLevels)), nil
}

func (c *Collector) twoLabels(pair string) error {
	if c.class == nil || c.attacks == 0 || c.attacks == c.rows {
		return refuse(pair, "the data has no labels, or one alone")
	}
	return nil
}

// find is the column of a name, or the class.
func (c *Collector) find(pair, name string) (*column, error) {
	for _, col := range c.columns {
		if col.name == name {
			return col, nil
		}
	}
	if name == "class" && c.class != nil {
		return c.class, nil
	}
	names := make([]string, len(c.columns))
	for i, col := range c.columns {
		names[i] = col.name
	}
	const shown = 40
	if len(names) > shown {
		names = append(names[:shown], fmt.Sprintf("%d more", len(c.columns)-shown))
	}
	return nil, refuse(pair, "no column %q; there are label, class, %s", name, strings.Join(names, ", "))
}

func (c *Collector) askLogistic(pair, right string) (*Question, error) {
	if err := c.twoLabels(pair); err != nil {
		return nil, err
	}
	name, zero, above := strings.Cut(right, ">")
	if above && strings.TrimSpace(zero) != "0" {
		return nil, refuse(pair, "a number is compared with 0 alone")
	}
	col, err := c.find(pair, strings.TrimSpace(name))
	switch {
	case err != nil:
		return nil, err
	case !col.exact():
		return nil, refuse(pair, "the column did not fit the memory (--memory)")
	case above && col.numeric():
		return c.presenceQuestion(col), nil
	case above:
		return nil, refuse(pair, "%s is no number", col.name)
	case col.numeric():
		return c.logisticNumber(col), nil
	}
	return c.logisticLevels(col), nil
}

// logisticNumber asks whether a number makes attacks likelier, a standard deviation of its logarithm at a time.
func (c *Collector) logisticNumber(col *column) *Question {
	q := c.volumeQuestion(col)
	q.Pair, q.Question = "label ~ "+col.name, fmt.Sprintf("Does a higher %s make an attack likelier?", col.name)
	q.Method = "Logistic regression by iteratively reweighted least squares on ln(1+|x|) in standard deviations; " +
		q.Method
	s := together(col.sample()).Map(signedLog)
	m := s.Moments(0)
	if !(m.SD > 0) {
		return q
	}
	counts := col.sample().Counts
	var rows []hypothesis.Binomial
	for i, v := range s.Values {
		rows = append(rows, hypothesis.Binomial{X: []float64{(v - m.Mean) / m.SD}, N: s.Counts[0][i], Events: counts[1][i]})
	}
	q.logistic(rows, []string{"(constant)", col.name + ", a standard deviation of its logarithm"})
	if len(q.Logistic) == 2 {
		e := q.Logistic[1].OddsRatio
		q.Effects = append([]Effect{{"odds ratio of a standard deviation", e.Value, e.Low, e.High}}, q.Effects...)
		q.Answer = fmt.Sprintf("A standard deviation more of its logarithm has %.3g times the odds of an attack "+
			"[%.3g, %.3g], "+
			"p = %s. %s", float64(e.Value), float64(e.Low), float64(e.High), P(float64(q.Logistic[1].LogP)), q.Answer)
	}
	return q
}

// placeNames is the names of the levels as places has them.
func (c *column) placeNames(most int) []string {
	place, n := c.places(most)
	names := make([]string, n)
	for code, k := range place {
		switch {
		case k == 0 || k > n:
		case k == most+1:
			names[k-1] = "other levels"
		default:
			names[k-1] = c.levelText(uint32(code))
		}
	}
	return names
}

// numbersQuestion asks whether two numbers go together.
func (c *Collector) numbersQuestion(a, b *column) *Question {
	q := &Question{Pair: a.name + " ~ " + b.name, Question: fmt.Sprintf("Do %s and %s go together?", a.name, b.name),
		Method: "Pearson's and Spearman's correlation"}
	var x, y []float64
	var ca, cb []uint32
	for k := range a.codes.parts {
		ca, cb = a.codes.read(k, ca), b.codes.read(k, cb)
		for i, code := range ca {
			if code != 0 && cb[i] != 0 {
				x, y = append(x, a.values[code]), append(y, b.values[cb[i]])
			}
		}
	}
	n := float64(len(x))
	r := plainCorrelation(x, y)
	rank := plainCorrelation(stat.MidRanks(x), stat.MidRanks(y))
	for _, of := range []struct {
		name string
		r    float64
	}{{"Spearman's ρ", rank}, {"Pearson's r", r}} {
		e := hypothesis.Effect{Value: of.r, Low: math.NaN(), High: math.NaN()}
		if n > 3 {
			by := 1.959963984540054 / math.Sqrt(n-3)
			e.Low, e.High = math.Tanh(math.Atanh(of.r)-by), math.Tanh(math.Atanh(of.r)+by)
		}
		q.effect(of.name, e)
		t := of.r * math.Sqrt((n-2)/(1-float64(of.r*of.r)))
		q.test(of.name, hypothesis.Result{Statistic: t, DF: n - 2, LogP: stat.LogStudentTails(t, n-2)})
	}
	c.independent(q)
	logP := q.logOf("Spearman's ρ")
	switch {
	case math.IsNaN(logP):
		q.Answer = "It cannot be told: one of them is constant."
	case !significant(logP):
		q.Answer = fmt.Sprintf("No evidence: ρ = %.3f, p = %s.", rank, P(logP))
	default:
		q.Answer = fmt.Sprintf("Yes: by ranks ρ = %.3f, by values r = %.3f, over %.0f rows.", rank, r, n)
	}
	return q
}

func plainCorrelation(x, y []float64) float64 {
	mx, my := stat.Mean(x), stat.Mean(y)
	var xx, yy, xy float64
	for i := range x {
		a, b := x[i]-mx, y[i]-my
		xx, yy, xy = xx+float64(a*a), yy+float64(b*b), xy+float64(a*b)
	}
	if !(xx > 0 && yy > 0) {
		return math.NaN()
	}
	return xy / math.Sqrt(xx*yy)
}

// groupsQuestion asks whether a number differs between the levels of a category.
func (c *Collector) groupsQuestion(a, b *column) *Question {
	q := &Question{Pair: a.name + " ~ " + b.name, Question: fmt.Sprintf("Does %s differ between the levels of %s?", a.name,
		b.name), Method: "Analysis of variance, Levene and Kruskal–Wallis, on the values and on ln(1+|x|) with the sign"}
	place, n := b.places(maxGroups)
	s := &hypothesis.Sample{Values: make([]float64, len(a.order)), Counts: make([][]float64, n)}
	at := make([]int, len(a.counts))
	for i, code := range a.order {
		s.Values[i], at[code] = a.values[code], i
	}
	for g := range s.Counts {
		s.Counts[g] = make([]float64, len(a.order))
	}
	var ca, cb []uint32
	for k := range a.codes.parts {
		ca, cb = a.codes.read(k, ca), b.codes.read(k, cb)
		for i, code := range ca {
			if code != 0 && cb[i] != 0 {
				s.Counts[place[cb[i]]-1][at[code]]++
			}
		}
	}
	log := s.Map(signedLog)
	onLog := hypothesis.ANOVA(log)
	q.effect("η², log scale", hypothesis.Effect{Value: hypothesis.EtaSquared(onLog), Low: math.NaN(), High: math.NaN()})
	raw := hypothesis.ANOVA(s)
	q.effect("η²", hypothesis.Effect{Value: hypothesis.EtaSquared(raw), Low: math.NaN(), High: math.NaN()})
	q.test("ANOVA", raw)
	q.test("ANOVA, log scale", onLog)
	q.test("Levene", hypothesis.Levene(s))
	q.test("Levene, log scale", hypothesis.Levene(log))
	q.test("Kruskal–Wallis", hypothesis.KruskalWallis(s))
	q.assume("equal spread, for the analysis of variance", yesNo(!significant(q.logOf("Levene, log scale"))),
		"Levene p = "+P(q.logOf("Levene, log scale"))+" on the log scale")
	c.independent(q)
	kw := q.logOf("Kruskal–Wallis")
	switch eta := float64(q.Effects[0].Value); {
	case math.IsNaN(kw):
		q.Answer = "It cannot be told: there is one level, or all values are equal."
	case !significant(kw):
		q.Answer = fmt.Sprintf("No evidence: p = %s by ranks.", P(kw))
	default:
		q.Answer = fmt.Sprintf("Yes: on the log scale %.1f %% of the variance lie between the levels, p = %s by ranks.",
			100*eta,
			P(kw))
	}
	return q
}
