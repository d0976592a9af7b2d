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
	scored *bundle.Scored // nil where the model judges each row by itself
	sample []int32        // of the scored samples, by row, −1 without one: of several the one of the highest score
	even   []int32        // rows evenly taken, that say what is usual
	low    []int32        // those of them in the half that scores lowest
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
		var err error
		if in.Scores, in.Limit, err = d.scores(ctx, scoredAtOnce); err != nil {
			return nil, err
		}
		in.Model, in.Seen, in.Tested = b.Label, c.Name == b.Data, tested(b, c, t)
		d.ordinary(in.Scores)
	}
	d.Flows = New(in)
	return d, nil
}

// scoredAtOnce is how many rows are prepared at once for a model that judges each by itself: what it sees of all would
// take several times as much memory as the table.
const scoredAtOnce = 1 << 17

// scores is those of the rows, block of them at once where that is possible, NaN of those without one, and the score
// above which a row is an alarm.
func (d *Dashboard) scores(ctx context.Context, block int) (out []float64, limit float64, err error) {
	b, t := d.bundle, d.table
	out = make([]float64, t.Rows)
	if b.ByRow() {
		rows := make([]int32, 0, min(t.Rows, block))
		for at := 0; at < t.Rows; at += len(rows) {
			rows = rows[:0]
			for i := at; i < min(t.Rows, at+block); i++ {
				rows = append(rows, int32(i))
			}
			_, some, err := b.ScoreRows(ctx, t, rows)
			if err != nil {
				return nil, 0, err
			}
			copy(out[at:], some)
		}
		return out, float64(b.Threshold.Score), nil
	}
	s, err := b.Score(ctx, t)
	if err != nil {
		return nil, 0, err
	}
	for i := range out {
		out[i] = math.NaN()
	}
	for i, row := range s.Units.Rows {
		out[row] = s.Scores[s.Units.Unit[i]]
	}
	d.scored = s
	d.index()
	return out, s.Limit, nil
}

// index finds the sample of each row.
func (d *Dashboard) index() {
	d.sample = make([]int32, d.table.Rows)
	for i := range d.sample {
		d.sample[i] = -1
	}
	for i := range d.scored.Raw {
		rows := d.scored.Samples.Rows
		if d.scored.Samples.Kind == data.Traces {
			rows = d.scored.Samples.Traces[i].Rows
		} else {
			rows = rows[i : i+1]
		}
		for _, r := range rows {
			if k := d.sample[r]; k < 0 || d.scored.Raw[i] > d.scored.Raw[k] {
				d.sample[r] = int32(i)
			}
		}
	}
}

// usualRows is how many rows say what is usual, about.
const usualRows = 10_000

// ordinary takes rows that say what is usual.
func (d *Dashboard) ordinary(scores []float64) {
	known := slices.DeleteFunc(slices.Clone(scores), math.IsNaN)
	if len(known) == 0 {
		return
	}
	limit := stat.Select(known, 0.5)
	for i := 0; i < len(scores); i += max(1, len(scores)/usualRows) {
		if !math.IsNaN(scores[i]) {
			d.even = append(d.even, int32(i))
		}
		if scores[i] <= limit {
			d.low = append(d.low, int32(i))
		}
	}
}

// asked is samples among which those of some rows are, their scores, and where those of the rows stand; −1: nowhere.
func (d *Dashboard) asked(ctx context.Context, rows []int32) (s *data.Set, raw []float64, at []int, err error) {
	if d.scored != nil {
		for _, r := range rows {
			at = append(at, int(d.sample[r]))
		}
		return d.scored.Samples, d.scored.Raw, at, nil
	}
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(d.even, rows))))
	if s, raw, err = d.bundle.ScoreRows(ctx, d.table, all); err != nil {
		return nil, nil, nil, err
	}
	for _, r := range rows {
		k, _ := slices.BinarySearch(all, r)
		at = append(at, k)
	}
	return s, raw, at, nil
}

// mostReasons is how many reasons are given for a flow.
const mostReasons = 5

// Details looks up flows by their places.
func (d *Dashboard) Details(ctx context.Context, places []int) (map[int]*Detail, error) {
	out := map[int]*Detail{}
	var rows []int32
	for _, i := range places {
		row := d.Row[i]
		v := &Detail{Where: clip(d.table.Where(row))}
		for k := range d.table.Columns {
			c := &d.table.Columns[k]
			v.Values = append(v.Values, [2]string{clip(c.Name), clip(string(c.AppendText(nil, row)))})
		}
		out[i] = v
		rows = append(rows, row)
	}
	if d.bundle == nil || len(rows) == 0 {
		return out, nil
	}
	set, raw, at, err := d.asked(ctx, rows)
	if err != nil {
		return nil, err
	}
	var samples, of []int
	for k, i := range places {
		if at[k] >= 0 {
			samples, of = append(samples, at[k]), append(of, i)
		}
	}
	if samples == nil {
		return out, nil
	}
	reasons, way, err := investigate.Reasons(ctx, d.bundle.Detector, d.bundle.Info.Needs, set, raw, samples, mostReasons)
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
