package watch

import (
	"encoding/binary"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/data/prep"
)

// wholeTail is how many of the last events of a trace are judged together that a cell would have judged as a whole.
const wholeTail = 256

// event is one event of a trace.
type event struct {
	symbol int32
	time   int64 // nanoseconds; 0 where windows do not look at times
	x      []float32
}

// tail is the last events of one trace.
type tail struct {
	symbols []int32
	times   []int64
	x       []float32
}

// tails are the last events of the traces that had some lately.
type tails struct {
	window prep.Window
	most   int // events of one
	recent *recent[*tail]
}

// eventBytes is what an event takes besides its values.
const eventBytes = 12

func (l *tail) size() int64 { return int64(eventBytes*len(l.symbols) + 4*len(l.x)) }

func newTails(w prep.Window, most bounds) *tails {
	t := &tails{window: w, most: wholeTail, recent: newRecent(most, (*tail).size)}
	switch {
	case w.Kind == "count" && w.Length > 0:
		t.most = w.Length
	case w.Kind == "dynamic":
		t.most = min(t.most, w.Max)
	}
	return t
}

// push adds an event to a trace, and gives the window that ends with it: of kind count at most its length of events, of
// kind time those of its span, of others the last ones. A gap begins a trace anew. The window is its own.
func (t *tails) push(key string, e event) data.Trace {
	l, ok := t.recent.get(key)
	if !ok {
		l = &tail{}
	}
	d := len(e.x)
	if n := len(l.times); n > 0 && t.window.Gap > 0 && float64(e.time-l.times[n-1]) > t.window.Gap*1e9 {
		*l = tail{}
	}
	l.symbols, l.times, l.x = append(l.symbols, e.symbol), append(l.times, e.time), append(l.x, e.x...)
	from := max(0, len(l.symbols)-t.most)
	if t.window.Kind == "time" {
		for float64(e.time-l.times[from]) > t.window.Span*1e9 {
			from++
		}
	}
	// events before from are never looked at again; the others move, so that a long trace does not grow
	l.symbols = append([]int32(nil), l.symbols[from:]...)
	l.times = append([]int64(nil), l.times[from:]...)
	l.x = append([]float32(nil), l.x[from*d:]...)
	t.recent.put(key, l)
	out := data.Trace{Key: key, Symbols: l.symbols}
	if d > 0 {
		out.Events = l.x
	}
	return out
}

// encode is a tail as bytes: the number of events, that of values, then symbols, times and values.
func (l *tail) encode() []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(l.symbols)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(l.x)))
	for i, s := range l.symbols {
		out = binary.LittleEndian.AppendUint32(out, uint32(s))
		out = binary.LittleEndian.AppendUint64(out, uint64(l.times[i]))
	}
	for _, v := range l.x {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

func decodeTail(raw []byte) (*tail, error) {
	if len(raw) < 8 {
		return nil, fmt.Errorf("%d bytes are no events", len(raw))
	}
	n, values := int(binary.LittleEndian.Uint32(raw)), int(binary.LittleEndian.Uint32(raw[4:]))
	if raw = raw[8:]; len(raw) != 12*n+4*values {
		return nil, fmt.Errorf("%d bytes for %d events and %d values", len(raw), n, values)
	}
	l := &tail{}
	for range n {
		l.symbols = append(l.symbols, int32(binary.LittleEndian.Uint32(raw)))
		l.times = append(l.times, int64(binary.LittleEndian.Uint64(raw[4:])))
		raw = raw[12:]
	}
	for range values {
		l.x = append(l.x, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		raw = raw[4:]
	}
	return l, nil
}
