package watch

import (
	"context"
	"math"
	"strconv"

	"plumbline/data"
	"plumbline/models"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/investigate"
)

// usual is the prepared row of a table row with the usual value of training in each column, or none where the model
// does not know it: what the preprocessing takes for usual then. Nil where nothing is.
func usual(ctx context.Context, b *bundle.Bundle) []float32 {
	if b.Info.Needs.Input != data.Vectors {
		return nil
	}
	known := usualTexts(b)
	t := &data.Table{Name: b.Data, Rows: 1, Lines: []int32{1}}
	for _, f := range b.Columns {
		c := data.Column{Name: f.Name, Type: f.Type}
		text, ok := known[f.Name]
		switch f.Type {
		case data.Number:
			c.Num = []float64{math.NaN()}
			if v, err := strconv.ParseFloat(text, 64); ok && err == nil {
				c.Num[0] = v
			}
		case data.Time:
			c.Nanos = []int64{data.NoTime}
		default:
			c.Code = []uint32{data.Missing}
			if ok {
				c.Code[0], c.Levels = 0, []string{text}
			}
		}
		t.Columns = append(t.Columns, c)
	}
	s, err := b.Pipeline.Apply(ctx, t, []int32{0}, 1)
	if err != nil {
		return nil
	}
	return s.X
}

// usualTexts is the usual value of each column in training.
func usualTexts(b *bundle.Bundle) map[string]string {
	out := map[string]string{}
	if b.Profile == nil {
		return out
	}
	for i := range b.Profile.Columns {
		if c := &b.Profile.Columns[i]; c.Usual != "-" {
			out[c.Name] = c.Usual
		}
	}
	return out
}

// mostReasons is how many reasons an alert has.
const mostReasons = 5

// reasons is why some samples have their scores, and the root cause of each.
func (w *Watcher) reasons(ctx context.Context, t *data.Table, sc *scored, rows []int) ([][]alerts.Reason, []string,
	error) {
	out, causes := make([][]alerts.Reason, len(rows)), make([]string, len(rows))
	for i := range causes {
		causes[i] = "none"
	}
	_, explains := w.scorer.det.(models.Explainer)
	_, investigates := w.scorer.det.(models.Investigator)
	if !explains && !investigates && w.usual == nil {
		return out, causes, nil
	}
	found, _, err := investigate.ReasonsAgainst(ctx, w.scorer.det, w.b.Info.Needs, sc.set, sc.raw, rows, w.usual,
		mostReasons)
	if err != nil {
		return nil, nil, err
	}
	find := t.Lookup()
	for i, list := range found {
		for k, r := range list {
			if k == 0 {
				causes[i] = r.Name
			}
			reason := alerts.Reason{Name: r.Name, Share: r.Share}
			if c, err := find(r.Name); err == nil {
				reason.Actual, reason.Expected = string(c.AppendText(nil, int32(rows[i]))), w.expected[r.Name]
			}
			out[i] = append(out[i], reason)
		}
	}
	return out, causes, nil
}
