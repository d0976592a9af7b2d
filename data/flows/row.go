package flows

import (
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/data/packets"
	"plumbline/data/rows"
)

// Row takes the values of a record, one for each column of the vocabulary in order. A value for a column of another
// type, too many and too few of them panic: they are a fault of the vocabulary.
type Row struct {
	specs []rows.ColumnSpec
	skip  []bool
	chunk *rows.Chunk
	at    int

	addresses []map[packets.Addr]uint32 // codes of the chunk, by column
}

func (w *Row) init() {
	w.addresses = make([]map[packets.Addr]uint32, len(w.specs))
	for i := range w.addresses {
		w.addresses[i] = map[packets.Addr]uint32{}
	}
}

// clear makes room for the next rows.
func (w *Row) clear() {
	w.chunk.Clear()
	for _, m := range w.addresses {
		clear(m)
	}
}

func (w *Row) next() *rows.ColumnChunk {
	if w.at >= len(w.specs) {
		panic(fmt.Sprintf("flows: a record has more than the %d values of its columns", len(w.specs)))
	}
	w.at++
	if w.skip[w.at-1] {
		return nil
	}
	return &w.chunk.Columns[w.at-1]
}

// Number gives a number; NaN is missing.
func (w *Row) Number(v float64) {
	switch s := w.next(); {
	case s == nil:
	case s.Code != nil: // as the truth, or a port as text
		if math.IsNaN(v) {
			s.Miss()
			return
		}
		s.Code = append(s.Code, s.Intern(formatNumber(v)))
	default:
		s.Num = append(s.Num, v)
	}
}

// Count gives a whole number.
func (w *Row) Count(v uint64) { w.Number(float64(v)) }

// Seconds gives a time span in nanoseconds as seconds.
func (w *Row) Seconds(nanos int64) { w.Number(float64(nanos) / 1e9) }

// Time gives a time in nanoseconds since 1970.
func (w *Row) Time(nanos int64) {
	switch s := w.next(); {
	case s == nil:
	case s.Code != nil:
		s.Code = append(s.Code, s.Intern(formatTime(nanos)))
	default:
		s.Nanos = append(s.Nanos, nanos)
	}
}

// Text gives a category; an empty one is missing.
func (w *Row) Text(v string) {
	s := w.next()
	if s == nil {
		return
	}
	if v == "" {
		s.Code = append(s.Code, data.Missing)
		return
	}
	s.Code = append(s.Code, s.Intern(v))
}

// Addr gives an address.
func (w *Row) Addr(a packets.Addr) {
	s := w.next()
	if s == nil {
		return
	}
	codes := w.addresses[w.at-1]
	code, ok := codes[a]
	if !ok {
		code = s.Intern(a.Netip().String())
		codes[a] = code
	}
	s.Code = append(s.Code, code)
}

// Missing gives no value.
func (w *Row) Missing() {
	if s := w.next(); s != nil {
		s.Miss()
	}
}
