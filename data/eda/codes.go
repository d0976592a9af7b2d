package eda

import (
	"math"

	"plumbline/numeric/sketch"
)

// chunks are codes of rows, packed to the width that those of a chunk need.
type chunks struct {
	parts   []chunk
	pending []uint32
	rows    int
}

// chunk is up to chunkRows codes of one width.
type chunk struct {
	u8  []uint8
	u16 []uint16
	u32 []uint32
}

func (c *chunks) size() int64 {
	n := 4 * cap(c.pending)
	for _, p := range c.parts {
		n += len(p.u8) + 2*len(p.u16) + 4*len(p.u32)
	}
	return int64(n)
}

func (c *chunks) add(codes []uint32) {
	c.rows += len(codes)
	for len(codes) > 0 {
		m := min(len(codes), chunkRows-len(c.pending))
		c.pending = append(c.pending, codes[:m]...)
		if codes = codes[m:]; len(c.pending) == chunkRows {
			c.flush()
		}
	}
}

// flush packs what is pending.
func (c *chunks) flush() {
	if len(c.pending) == 0 {
		return
	}
	top := uint32(0)
	for _, k := range c.pending {
		top = max(top, k)
	}
	var p chunk
	switch {
	case top <= math.MaxUint8:
		p.u8 = pack[uint8](c.pending)
	case top <= math.MaxUint16:
		p.u16 = pack[uint16](c.pending)
	default:
		p.u32 = pack[uint32](c.pending)
	}
	c.parts, c.pending = append(c.parts, p), c.pending[:0]
}

func pack[T uint8 | uint16 | uint32](codes []uint32) []T {
	out := make([]T, len(codes))
	for i, k := range codes {
		out[i] = T(k)
	}
	return out
}

// read is the codes of chunk k, in the memory of to. What is pending is the last chunk.
func (c *chunks) read(k int, to []uint32) []uint32 {
	if k == len(c.parts) {
		return append(to[:0], c.pending...)
	}
	p := &c.parts[k]
	switch to = to[:0]; {
	case p.u8 != nil:
		for _, v := range p.u8 {
			to = append(to, uint32(v))
		}
	case p.u16 != nil:
		for _, v := range p.u16 {
			to = append(to, uint32(v))
		}
	default:
		to = append(to, p.u32...)
	}
	return to
}

// look writes table[code] of rows from to to of chunk k to every stride-th place of out.
func look[T any](c *chunks, k, from, to int, table []T, out []T, stride int) {
	p := &c.parts[k]
	switch {
	case p.u8 != nil:
		for i, v := range p.u8[from:to] {
			out[i*stride] = table[v]
		}
	case p.u16 != nil:
		for i, v := range p.u16[from:to] {
			out[i*stride] = table[v]
		}
	default:
		for i, v := range p.u32[from:to] {
			out[i*stride] = table[v]
		}
	}
}

// numberIndex finds the codes of numbers: a hash table with open addressing whose slots are codes, 0 being empty.
type numberIndex struct {
	slots []uint32
	shift uint
}

func newNumberIndex() numberIndex { return numberIndex{slots: make([]uint32, 64), shift: 58} }

func place(v float64, shift uint) uint64 {
	return math.Float64bits(v) * 0x9e3779b97f4a7c15 >> shift
}

// code is that of a number, which is len(values) and fresh where the number is new.
func (x *numberIndex) code(v float64, values []float64) (code uint32, fresh bool) {
	mask := uint64(len(x.slots) - 1)
	for at := place(v, x.shift); ; at = (at + 1) & mask {
		code := x.slots[at]
		if code != 0 && values[code] == v {
			return code, false
		}
		if code == 0 {
			x.slots[at] = uint32(len(values))
			if 2*len(values) > len(x.slots) {
				x.grow(append(values, v))
			}
			return uint32(len(values)), true
		}
	}
}

func (x *numberIndex) grow(values []float64) {
	x.slots, x.shift = make([]uint32, 4*len(x.slots)), x.shift-2
	mask := uint64(len(x.slots) - 1)
	for code := 1; code < len(values); code++ {
		at := place(values[code], x.shift)
		for x.slots[at] != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = uint32(code)
	}
}

// rowSet counts different rows by 64-bit hashes: exactly while they fit, by a sketch above.
type rowSet struct {
	slots []uint64 // 0 is empty
	n     int
	most  int
	log   *sketch.Distinct
}

func newRowSet(most int) *rowSet { return &rowSet{slots: make([]uint64, 1<<12), most: most} }

func (s *rowSet) add(h uint64) {
	if s.log != nil {
		s.log.Add(h)
		return
	}
	h |= 1 // never empty
	mask := uint64(len(s.slots) - 1)
	at := h * 0x9e3779b97f4a7c15 >> 20 & mask
	for s.slots[at] != 0 {
		if s.slots[at] == h {
			return
		}
		at = (at + 1) & mask
	}
	s.slots[at] = h
	if s.n++; 2*s.n > len(s.slots) {
		s.grow()
	}
}

func (s *rowSet) grow() {
	old := s.slots
	if s.n >= s.most {
		s.log = sketch.NewDistinct()
		for _, h := range old {
			if h != 0 {
				s.log.Add(h)
			}
		}
		s.slots = nil
		return
	}
	s.slots = make([]uint64, 2*len(old))
	mask := uint64(len(s.slots) - 1)
	for _, h := range old {
		if h == 0 {
			continue
		}
		at := h * 0x9e3779b97f4a7c15 >> 20 & mask
		for s.slots[at] != 0 {
			at = (at + 1) & mask
		}
		s.slots[at] = h
	}
}

// count is how many different rows there are, and whether that is exact.
func (s *rowSet) count() (n int, exact bool) {
	if s.log != nil {
		return s.log.Count(), false
	}
	return s.n, true
}
