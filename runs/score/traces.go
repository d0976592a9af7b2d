package score

import (
	"cmp"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/runs/bundle"
)

// cursor is how far an open trace has been cut.
type cursor struct {
	prep.Cursor
	nanos int64 // order of the last event that a window holds which was scored: later ones stand after it
	num   float64
}

// open is a trace among the rows that are held.
type open struct {
	key  int // in the sequences
	name string
	rows []int32 // its events in their order
	base int     // events of the trace before the first of them
	at   *cursor
	done int // rows that are judged now
}

// traces scores the windows that are complete, and judges the rows that no later window can hold. At the end, and where
// more rows stay than may be held, traces are closed.
func (h *held) traces(end bool) error {
	b := h.r.b
	window := b.Tracer.Spec.Window
	q, err := b.Sequences(h.r.ctx, h.ordered())
	if err != nil {
		return err
	}
	set := b.Tracer.Cut(&prep.Sequences{D: q.D, Features: q.Features}, nil)
	list := h.open(q)
	stays := h.table.Rows
	for k := range list {
		if t := &list[k]; end {
			h.close(set, q, t, window)
		} else if window.Continues() {
			h.advance(set, q, t, window)
		}
		stays -= list[k].done
	}
	if !end && stays > h.r.o.Hold*3/4 {
		h.closeIdle(set, q, list, window, stays)
	}
	if set.N = len(set.Traces); set.N > 0 {
		if err := h.gather(set); err != nil {
			return err
		}
	}
	var done []int32
	for k := range list {
		done = append(done, list[k].rows[:list[k].done]...)
	}
	return h.finish(done)
}

// open is the traces of the rows.
func (h *held) open(q *prep.Sequences) []open {
	out := make([]open, len(q.Ends))
	first := 0
	for k, end := range q.Ends {
		t := &out[k]
		t.key, t.rows, t.name = k, q.Rows[first:end], h.name(q.Rows[first], q.Keys[k])
		if t.at = h.cursors[t.name]; t.at == nil {
			t.at = &cursor{nanos: math.MinInt64, num: math.Inf(-1)}
		}
		t.base = t.at.Base
		first = int(end)
	}
	return out
}

// name tells the trace of a row from all others. Keys may be the same for several.
func (h *held) name(row int32, key string) string {
	name := []byte(key)
	for _, column := range h.r.b.Tracer.Spec.Key {
		if c, err := h.table.Column(column); err == nil {
			name = c.AppendText(append(name, 0), row)
		}
	}
	return string(name)
}

// ordered is the rows with the order that late events have.
func (h *held) ordered() *data.Table {
	name := h.r.b.Order()
	if name == "" || len(h.cursors) == 0 {
		return h.table
	}
	out := *h.table
	out.Columns = slices.Clone(h.table.Columns)
	i := slices.IndexFunc(out.Columns, func(c data.Column) bool { return c.Name == name })
	if i < 0 {
		return h.table
	}
	c := &out.Columns[i]
	c.Nanos, c.Num = slices.Clone(c.Nanos), slices.Clone(c.Num)
	group, names, err := h.table.Groups(h.r.b.Tracer.Spec.Key)
	if err != nil {
		return h.table
	}
	at := make([]*cursor, len(names))
	found := make([]bool, len(names))
	for row := range h.rows {
		g := &h.rows[row]
		if k := group[row]; !found[k] {
			found[k], at[k] = true, h.cursors[h.name(int32(row), names[k])]
		}
		cut := at[group[row]]
		if !g.late && g.n == 0 && cut != nil {
			late := c.Nanos != nil && c.Nanos[row] < cut.nanos || c.Num != nil && c.Num[row] < cut.num
			if late {
				g.late, g.nanos, g.num = true, cut.nanos, cut.num
				h.r.sum.Late++
			}
		}
		if g.late && c.Nanos != nil {
			c.Nanos[row] = g.nanos
		} else if g.late && c.Num != nil {
			c.Num[row] = g.num
		}
	}
	return &out
}

// advance cuts the windows of a trace that are complete. Events that came lately wait, since others may come that were
// before them.
func (h *held) advance(set *data.Set, q *prep.Sequences, t *open, window prep.Window) {
	ready := 0
	for i, row := range t.rows {
		if int(row) < h.table.Rows/2 {
			ready = i + 1
		}
	}
	spans := window.Advance(&t.at.Cursor, t.base+ready, false)
	last := 0
	for _, s := range spans {
		set.Traces = append(set.Traces, q.Window(t.key, prep.Span{From: s.From - t.base, To: s.To - t.base}))
		last = max(last, s.To-t.base)
	}
	t.done = t.at.Base - t.base
	if last > 0 {
		row := t.rows[last-1]
		if c, err := h.table.Column(h.r.b.Order()); err == nil {
			g := &h.rows[row]
			switch {
			case g.late:
				t.at.nanos, t.at.num = g.nanos, g.num
			case c.Nanos != nil:
				t.at.nanos = c.Nanos[row]
			case c.Num != nil:
				t.at.num = c.Num[row]
			}
		}
		h.cursors[t.name] = t.at
	}
	if t.done == len(t.rows) { // windows of one event: the next begins anew
		delete(h.cursors, t.name)
	}
}

// close cuts all windows of a trace that are left.
func (h *held) close(set *data.Set, q *prep.Sequences, t *open, window prep.Window) {
	if window.Continues() {
		for _, s := range window.Advance(&t.at.Cursor, t.base+len(t.rows), true) {
			set.Traces = append(set.Traces, q.Window(t.key, prep.Span{From: s.From - t.base, To: s.To - t.base}))
		}
	} else {
		set.Traces = append(set.Traces, h.r.b.Tracer.Windows(q, t.key)...)
	}
	delete(h.cursors, t.name)
	t.done = len(t.rows)
}

// closeIdle closes the traces that nothing was heard of for longest, until five eighths of what may be held stay.
func (h *held) closeIdle(set *data.Set, q *prep.Sequences, list []open, window prep.Window, stays int) {
	order := make([]int, len(list))
	heard := make([]int64, len(list))
	for k := range list {
		order[k] = k
		for _, row := range list[k].rows {
			heard[k] = max(heard[k], h.at[row])
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(heard[a], heard[b]) })
	for _, k := range order {
		if stays <= h.r.o.Hold*5/8 {
			return
		}
		t := &list[k]
		stays -= len(t.rows) - t.done
		h.close(set, q, t, window)
		h.r.sum.ClosedEarly++
	}
}

// gather scores windows and gives their rows what they have from them.
func (h *held) gather(set *data.Set) error {
	r := h.r
	raw, err := bundle.Score(r.ctx, r.b.Detector, set)
	if err != nil {
		return err
	}
	var reasons map[int32][]Reason
	before := map[int32]float64{}
	if r.o.Reasons > 0 {
		if reasons, err = h.explain(set, raw); err != nil {
			return err
		}
		for row := range reasons {
			before[row] = math.Inf(-1)
			if h.rows[row].n > 0 {
				before[row] = h.rows[row].max
			}
		}
	}
	for k := range set.Traces {
		rows := set.Traces[k].Rows
		for i, row := range rows {
			h.rows[row].add(raw[k], i == len(rows)-1)
		}
	}
	for row, list := range reasons {
		if g := &h.rows[row]; g.max > before[row] {
			g.reasons = list
		}
	}
	return nil
}

// finish judges rows whose windows are all scored, and lets go of them.
func (h *held) finish(done []int32) error {
	slices.Sort(done)
	s := &scored{table: h.table, rows: done, scores: make([]float64, len(done)), at: h.at}
	marked := make([]bool, h.table.Rows)
	for i := range marked {
		marked[i] = true
	}
	if h.r.o.Reasons > 0 {
		s.reasons = map[int32][]Reason{}
	}
	for i, row := range done {
		g := &h.rows[row]
		s.scores[i] = g.score(h.r.b.Aggregate.Flow)
		if g.reasons != nil {
			s.reasons[row] = g.reasons
		}
		marked[row] = false
	}
	if err := h.r.judge(s); err != nil {
		return err
	}
	h.keep(marked)
	return nil
}
