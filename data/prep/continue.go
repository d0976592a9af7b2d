package prep

import "plumbline/data"

// Continues says whether windows are cut by the number of events alone, so that a trace can be cut as its events come.
func (w Window) Continues() bool { return w.Kind == "count" && w.Length > 0 && w.Gap == 0 }

// Cursor is how far the windows of one trace have been cut, which comes bit by bit. It is for windows that
// [Window.Continues].
type Cursor struct {
	Base  int // events before the first that is still needed
	grown int // growing windows that were cut
	slid  int // windows of full length that were cut
}

// Span is a window: events from From on, before To, counted from the trace's first.
type Span struct{ From, To int }

// Advance is the windows that can be cut now that there are total events, and were not before: those that no later
// event changes, and at the end of the trace all. Together they are those of a trace that comes as a whole. Base
// becomes the first event that a later window can hold.
func (w Window) Advance(c *Cursor, total int, end bool) (out []Span) {
	if w.Growing {
		for n := w.Stride * (c.grown + 1); n < w.Length && n <= total; n += w.Stride {
			out = append(out, Span{0, n})
			c.grown++
		}
	}
	for from := c.slid * w.Stride; from+w.Length <= total; from += w.Stride {
		out = append(out, Span{from, from + w.Length})
		c.slid++
	}
	last := (c.slid-1)*w.Stride + w.Length // where the last full window ends
	switch {
	case end && total > 0 && c.slid == 0 && !(w.Growing && c.grown*w.Stride == total):
		out = append(out, Span{0, total})
	case end && c.slid > 0 && last < total:
		out = append(out, Span{total - w.Length, total})
	}
	switch {
	case end:
		c.Base = total
	case c.slid == 0:
		c.Base = 0
	case w.Stride == 1:
		c.Base = c.slid
	default: // the last window may begin between two strides
		c.Base = (c.slid-1)*w.Stride + 1
	}
	return out
}

// Window is a window over the events of a key, counted from the first of them that q holds. It shares the memory of q.
func (q *Sequences) Window(key int, s Span) data.Trace {
	first := 0
	if key > 0 {
		first = int(q.Ends[key-1])
	}
	from, to := first+s.From, first+s.To
	t := data.Trace{Key: q.Keys[key], Symbols: q.Symbols[from:to:to], Rows: q.Rows[from:to:to]}
	if q.D > 0 {
		t.Events = q.X[from*q.D : to*q.D : to*q.D]
	}
	return t
}

// Windows is all windows over the events of a key, as [Tracer.Cut] has them, without truth.
func (tr *Tracer) Windows(q *Sequences, key int) []data.Trace {
	from := 0
	if key > 0 {
		from = int(q.Ends[key-1])
	}
	bare := *q
	bare.Attack, bare.Class = nil, nil
	s := &data.Set{}
	tr.cut(s, &bare, q.Keys[key], from, int(q.Ends[key]))
	return s.Traces
}
