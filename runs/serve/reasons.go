package serve

import (
	"context"
	"slices"
	"strconv"

	"plumbline/data"
	"plumbline/models"
	"plumbline/runs/bundle"
	"plumbline/runs/investigate"
)

// byUsual says how reasons are found of a model that gives none.
const byUsual = "The model gives no reasons: the share is by how much the score falls when the column is as is usual " +
	"in training."

// mostReplaced is how many predictions of one request a model is asked for that gives no reasons itself: it takes a
// score
// for each column.
const mostReplaced = 100

// explains says whether the model gives reasons itself.
func (m *Model) explains() bool {
	_, explains := m.Detector.(models.Explainer)
	_, investigates := m.Detector.(models.Investigator)
	return explains || investigates
}

// reasons fills in the reasons of predictions, each those of its highest sample, and says how they were found. They do
// not depend on the other records of the request where the score does not.
func (m *Model) reasons(ctx context.Context, t *data.Table, s *bundle.Scored, n int, to []Prediction) (string, error) {
	if !m.explains() && (m.usually == nil || len(to) > mostReplaced) {
		return investigate.ByNobody, nil
	}
	why, err := m.asked(ctx, t, s, n, to)
	if !m.explains() {
		why = byUsual
	}
	for k := range to {
		for i := range to[k].Reasons {
			r := &to[k].Reasons[i]
			if c := m.usual(r.Feature); c != "" {
				r.Usual = c
			}
		}
	}
	return why, err
}

// usual is the usual value of a column; "" where nobody knows.
func (m *Model) usual(name string) string {
	if m.Profile == nil {
		return ""
	}
	c := m.Profile.Column(name)
	if c == nil || c.Usual == "-" {
		return ""
	}
	return c.Usual
}

// asked takes the reasons that the model gives.
func (m *Model) asked(ctx context.Context, t *data.Table, s *bundle.Scored, n int, to []Prediction) (string, error) {
	best := highest(s, len(to))
	found, why, err := investigate.ReasonsAgainst(ctx, m.Detector, m.Info.Needs, s.Samples, s.Raw, best, m.usually, n)
	if err != nil {
		return "", err
	}
	expected, err := investigate.ExpectedOf(ctx, m.Detector, s.Samples.Subset(best))
	if err != nil {
		return "", err
	}
	column := t.Lookup()
	for k := range to {
		for _, r := range found[k] {
			reason := Reason{Feature: r.Name, Share: r.Share}
			if c, err := column(r.Name); err == nil && s.Samples.Kind == data.Vectors {
				text := string(c.AppendText(nil, s.Samples.Rows[best[k]]))
				reason.Actual = &text
			}
			if e, ok := expected[r.Name]; ok {
				reason.Prepared = finite(float64(s.Samples.Row(best[k])[e.Column]))
				reason.Expected = finite(e.Values[k][e.Column])
			}
			to[k].Reasons = append(to[k].Reasons, reason)
		}
	}
	return why, nil
}

// usualRow is the prepared row of the usual values of training; nil where they are not known, or the model sees no
// rows.
func (m *Model) usualRow() []float32 {
	if m.prepped == nil || m.Profile == nil {
		return nil
	}
	c := newCollector(m)
	for i := range m.inputs {
		usual := m.usual(m.inputs[i].Name)
		v, err := strconv.ParseFloat(usual, 64)
		switch t := m.inputs[i].Type; {
		case t == data.Number && err == nil:
			c.num[i] = append(c.num[i], v)
		case t == data.Category && usual != "":
			c.text(i, []byte(usual))
		default:
			c.missing(i)
		}
	}
	c.n++
	t, err := c.table()
	if err != nil {
		return nil
	}
	set, err := m.Pipeline.Apply(context.Background(), t, []int32{0}, 1)
	if err != nil {
		return nil
	}
	return set.X
}

// highest is the sample of the highest score that holds a row of each unit.
func highest(s *bundle.Scored, units int) []int {
	of := make(map[int32]int32, len(s.Units.Rows))
	for i, r := range s.Units.Rows {
		of[r] = s.Units.Unit[i]
	}
	best := slices.Repeat([]int{-1}, units)
	meet := func(sample int, r int32) {
		if u := of[r]; best[u] < 0 || s.Raw[sample] > s.Raw[best[u]] {
			best[u] = sample
		}
	}
	for i := range s.Raw {
		if s.Samples.Kind == data.Vectors {
			meet(i, s.Samples.Rows[i])
			continue
		}
		for _, r := range s.Samples.Traces[i].Rows {
			meet(i, r)
		}
	}
	for u := range best { // a unit without a sample has no score
		best[u] = max(0, best[u])
	}
	return best
}
