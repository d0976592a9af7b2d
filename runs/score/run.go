package score

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"plumbline/data"
	"plumbline/data/export"
	"plumbline/data/profile"
	"plumbline/data/pseudonym"
	"plumbline/data/roles"
	"plumbline/data/source"
	"plumbline/runs/bundle"
	"plumbline/runs/investigate"
)

// DefaultHold is how many rows of traces, or units, are held at most unless somebody says otherwise.
const DefaultHold = 1 << 18

// Options is how files are scored.
type Options struct {
	Workers    int               // 0: one for each processor
	Hold       int               // rows of open traces, or of models that judge rows together, and units; 0: DefaultHold
	Reasons    int               // for each alarm at most; 0: none
	AlarmsOnly bool              // lines of alarms alone
	Labels     bool              // lines have the truth, and the summary counts by it
	Pseudonyms *pseudonym.Mapper // of addresses in lines and reasons; nil: as they are
	// Progress, which may be nil, is told how many rows have been read, and which share of the text: 0 where it is not
	// known.
	Progress func(rows int, share float64)
}

// Writer takes lines as columns, block by block. The columns are valid until it returns.
type Writer func(ctx context.Context, columns []export.Column, rows int) error

// run is a run of scoring.
type run struct {
	ctx   context.Context
	b     *bundle.Bundle
	in    *bundle.Input
	o     Options
	write Writer
	sum   *Summary
	limit float64

	rows    int64 // read so far
	counter *profile.Counter
	known   map[string]map[string]bool // categories, by column
	units   *units                     // nil: rows are judged
	held    *held                      // nil: rows are scored as they come
}

// driftRows is from how many rows on not every row is counted for drift, but each seventh, for seven.
const (
	driftRows  = 1 << 14
	driftEvery = 7
)

// Run scores the files of an input, and gives the lines to write in an order of their own: of rows that are judged one
// by one that of the files, of traces that in which their windows end, of other units that of their first rows, as far
// as they are held.
func Run(ctx context.Context, b *bundle.Bundle, in *bundle.Input, o Options, write Writer) (*Summary, error) {
	if o.Hold <= 0 {
		o.Hold = DefaultHold
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	r := &run{ctx: ctx, b: b, in: in, o: o, write: write, limit: float64(b.Threshold.Score)}
	r.sum = newSummary(b, in)
	if b.Profile != nil {
		r.counter = b.Profile.Counter()
	}
	r.known = map[string]map[string]bool{}
	for _, c := range b.Needed() {
		if c.Type == data.Category && c.Levels != nil {
			r.known[c.Name] = map[string]bool{}
			for _, l := range c.Levels {
				r.known[c.Name][l] = true
			}
		}
	}
	if len(b.Unit.Columns) > 0 {
		r.units = newUnits(r)
	}
	if b.Info.Needs.Batch || b.Info.Needs.Input == data.Traces {
		r.held = newHeld(r)
	}
	rep, err := source.Stream(ctx, in.Config, in.Finder, o.Workers, false, r.block)
	if err == nil && r.held != nil {
		err = r.held.flush(true)
	}
	if err == nil && r.units != nil {
		err = r.closeUnits(r.units.all())
	}
	if err == nil {
		err = write(ctx, r.lines(0).columns, 0) // the head of a file without lines
	}
	if err != nil {
		return nil, fmt.Errorf("score: %w", r.o.Pseudonyms.Error(err, in.Named))
	}
	r.sum.end(r, rep)
	return r.sum, nil
}

// block scores a block of rows, or puts it to those that are held.
func (r *run) block(t *data.Table, share float64) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if len(t.Origins) == 1 {
		t.Origins[0].Name = r.in.File(t.Origins[0].Name)
	}
	t = r.in.Table(t)
	r.watch(t)
	from := r.rows
	r.rows += int64(t.Rows)
	if r.o.Progress != nil {
		r.o.Progress(int(r.rows), share)
	}
	if r.held != nil {
		return r.held.add(t, from)
	}
	set, err := r.samples(t)
	if err != nil {
		return err
	}
	raw, err := bundle.Score(r.ctx, r.b.Detector, set)
	if err != nil {
		return err
	}
	s := &scored{table: t, scores: raw, first: from}
	if r.o.Reasons > 0 {
		alarms := r.above(raw)
		if s.reasons, err = r.reasons(set, raw, alarms, alarms, t); err != nil {
			return err
		}
	}
	return r.judge(s)
}

// samples is what the model sees of a table.
func (r *run) samples(t *data.Table) (*data.Set, error) {
	view, err := r.b.View(t)
	if err != nil {
		return nil, err
	}
	return r.b.Samples(r.ctx, view, allRows(t.Rows))
}

// above is the places of what is above the threshold.
func (r *run) above(scores []float64) (at []int) {
	for i, v := range scores {
		if v > r.limit {
			at = append(at, i)
		}
	}
	return at
}

// scored is rows of a table with their scores.
type scored struct {
	table  *data.Table
	rows   []int32 // of the table; nil: all
	scores []float64
	first  int64   // place of the first row in the input, where rows follow each other
	at     []int64 // else the place of each of the table's rows
	// reasons are those of rows, by their row of the table; nil: none
	reasons map[int32][]Reason
}

func (s *scored) row(i int) int32 {
	if s.rows == nil {
		return int32(i)
	}
	return s.rows[i]
}

// place is where a row of the table stands in the input.
func (s *scored) place(row int32) int64 {
	if s.at == nil {
		return s.first + int64(row)
	}
	return s.at[row]
}

// judge writes lines of rows, or adds them to their units.
func (r *run) judge(s *scored) error {
	if r.units == nil {
		return r.writeRows(s)
	}
	closed, err := r.units.add(s)
	if err != nil {
		return err
	}
	return r.closeUnits(closed)
}

// watch counts what is not as in training.
func (r *run) watch(t *data.Table) {
	if r.counter != nil {
		every := 1
		if r.rows >= driftRows {
			every = driftEvery
		}
		r.counter.Add(t, every)
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if known := r.known[c.Name]; known != nil && c.Type == data.Category {
			r.sum.unknown(c, known, r.o.Pseudonyms.Value)
		}
	}
	at, err := t.TimeColumn("")
	if err != nil {
		return
	}
	for _, v := range at.Nanos {
		if v != data.NoTime {
			r.sum.from, r.sum.to = min(r.sum.from, v), max(r.sum.to, v)
		}
	}
}

// shown is the columns of a table that lines have.
type shown struct {
	time, source, destination *data.Column
}

func (r *run) shown(t *data.Table) shown {
	found := roles.Find(t, roles.Hints{})
	return shown{found.Time, found.Source, found.Destination}
}

// Reason is what adds to the score of an alarm.
type Reason struct {
	Name     string  `json:"name"`
	Share    float64 `json:"share"`
	Actual   string  `json:"actual,omitempty"`   // value of the column of that name, in the units of the data
	Expected string  `json:"expected,omitempty"` // what is usual there in training: median, or commonest value
}

// reasons are those of samples, by the row of the table that each stands for.
func (r *run) reasons(set *data.Set, raw []float64, samples, rows []int, t *data.Table) (map[int32][]Reason, error) {
	if len(samples) == 0 {
		return nil, nil
	}
	found, way, err := investigate.Reasons(r.ctx, r.b.Detector, r.b.Info.Needs, set, raw, samples, r.o.Reasons)
	if err != nil {
		return nil, err
	}
	r.sum.Reasons = way
	find := t.Lookup()
	out := make(map[int32][]Reason, len(samples))
	for k := range samples {
		row := int32(rows[k])
		list := []Reason{}
		for _, f := range found[k] {
			one := Reason{Name: r.o.Pseudonyms.Words(f.Name), Share: f.Share}
			if c, err := find(f.Name); err == nil {
				one.Actual = r.text(c, row)
				if p := r.b.Profile.Column(f.Name); p != nil {
					one.Expected = r.o.Pseudonyms.Value(c.Type, p.Usual)
				}
			}
			list = append(list, one)
		}
		out[row] = list
	}
	return out, nil
}

// text is a value as lines show it.
func (r *run) text(c *data.Column, row int32) string {
	return r.o.Pseudonyms.Value(c.Type, string(c.AppendText(nil, row)))
}

// alarm says whether a score is one.
func (r *run) alarm(score float64) bool { return !math.IsNaN(r.limit) && score > r.limit }
