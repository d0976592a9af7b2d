package dashboard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/roles"
	"plumbline/data/source"
	"plumbline/numeric/stat"
	"plumbline/runs/bundle"
	"plumbline/runs/investigate"
)

// Dashboard is flows with what they were made from.
type Dashboard struct {
	*Flows
	table  *data.Table
	bundle *bundle.Bundle // nil: no model
	scored *bundle.Scored
	sample map[int32]int // of the scored samples, by row: of several the one of the highest score
	low    []int32       // some rows of the half that scores lowest
}

// hints is what a data config says of the columns of flows.
func hints(c *source.Config) (h roles.Hints) {
	text := func(of settings.Node, key string) string {
		at, ok := of.Get(key)
		if !ok {
			return ""
		}
		s, _ := at.Scalar()
		return s
	}
	if c.Split.Given() {
		h.Time = text(c.Split, "column")
	}
	if c.Traces.Given() {
		if h.Time == "" {
			h.Time = text(c.Traces, "order")
		}
		if key, ok := c.Traces.Get("key"); ok {
			if items := key.Items(); len(items) > 0 {
				h.Entity, _ = items[0].Scalar()
			}
		}
	}
	return h
}

// Open takes the flows of a table that was read by a config, scored by the model of a bundle where one is given.
func Open(ctx context.Context, t *data.Table, c *source.Config, b *bundle.Bundle,
	place *Countries) (*Dashboard, error) {
	if t.Rows == 0 {
		return nil, errors.New("dashboard: the data has no rows")
	}
	d := &Dashboard{table: t, bundle: b}
	in := Input{Table: t, Hints: hints(c), Place: place, Limit: math.NaN()}
	if b != nil {
		s, err := b.Score(ctx, t)
		if err != nil {
			return nil, err
		}
		d.scored = s
		in.Model, in.Limit, in.Scores = b.Label, s.Limit, make([]float64, t.Rows)
		for i := range in.Scores {
			in.Scores[i] = math.NaN()
		}
		for i, row := range s.Units.Rows {
			in.Scores[row] = s.Scores[s.Units.Unit[i]]
		}
		d.index(in.Scores)
	}
	d.Flows = New(in)
	return d, nil
}

// usualRows is how many rows say what is usual.
const usualRows = 5000

// index finds the sample of each row, and rows that score low.
func (d *Dashboard) index(scores []float64) {
	d.sample = make(map[int32]int, len(scores))
	for i := range d.scored.Raw {
		rows := d.scored.Samples.Rows
		if d.scored.Samples.Kind == data.Traces {
			rows = d.scored.Samples.Traces[i].Rows
		} else {
			rows = rows[i : i+1]
		}
		for _, r := range rows {
			if k, ok := d.sample[r]; !ok || d.scored.Raw[i] > d.scored.Raw[k] {
				d.sample[r] = i
			}
		}
	}
	known := slices.DeleteFunc(slices.Clone(scores), math.IsNaN)
	if len(known) == 0 {
		return
	}
	limit := stat.Select(known, 0.5)
	every := max(1, len(scores)/(2*usualRows))
	for i := 0; i < len(scores); i += every {
		if scores[i] <= limit {
			d.low = append(d.low, int32(i))
		}
	}
}

// mostReasons is how many reasons are given for a flow.
const mostReasons = 5

// Details looks up flows by their places.
func (d *Dashboard) Details(ctx context.Context, places []int) (map[int]*Detail, error) {
	out := map[int]*Detail{}
	var samples, of []int
	for _, i := range places {
		row := d.Row[i]
		v := &Detail{Where: clip(d.table.Where(row))}
		for k := range d.table.Columns {
			c := &d.table.Columns[k]
			v.Values = append(v.Values, [2]string{clip(c.Name), clip(string(c.AppendText(nil, row)))})
		}
		out[i] = v
		if k, ok := d.sample[row]; ok {
			samples, of = append(samples, k), append(of, i)
		}
	}
	if len(samples) == 0 {
		return out, nil
	}
	reasons, way, err := investigate.Reasons(ctx, d.bundle.Detector, d.bundle.Info.Needs, d.scored.Samples,
		d.scored.Raw, samples, mostReasons)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	usual := map[string]string{}
	for k, i := range of {
		out[i].Why = way
		for _, r := range reasons[k] {
			reason := Reason{Name: clip(r.Name), Share: r.Share, Actual: noValue, Usual: noValue}
			if c, err := d.table.Column(r.Name); err == nil {
				reason.Actual = clip(string(c.AppendText(nil, d.Row[i])))
				if _, ok := usual[r.Name]; !ok {
					usual[r.Name] = clip(d.usual(c))
				}
				reason.Usual = usual[r.Name]
			}
			out[i].Reasons = append(out[i].Reasons, reason)
		}
	}
	return out, nil
}

// usual is a column in flows that score low: the median of numbers, the most frequent category.
func (d *Dashboard) usual(c *data.Column) string {
	switch {
	case c.Type == data.Number:
		var v []float64
		for _, r := range d.low {
			if !math.IsNaN(c.Num[r]) {
				v = append(v, c.Num[r])
			}
		}
		if len(v) == 0 {
			return noValue
		}
		one := data.Column{Type: data.Number, Num: []float64{stat.Select(v, 0.5)}}
		return string(one.AppendText(nil, 0))
	case c.Code != nil:
		count, best := map[uint32]int{}, uint32(data.Missing)
		for _, r := range d.low {
			k := c.Code[r]
			if count[k]++; count[k] > count[best] || count[k] == count[best] && k < best {
				best = k
			}
		}
		one := data.Column{Type: c.Type, Code: []uint32{best}, Levels: c.Levels}
		return string(one.AppendText(nil, 0))
	}
	return noValue
}
