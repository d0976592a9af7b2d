package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Values are values of one column: exactly one slice is used, by the physical type.
type Values struct {
	Ints   []int64   // Boolean (0, 1), Int32, Int64; an Unsigned Int64 keeps its bits
	Floats []float64 // Float, Double
	Bytes  [][]byte  // ByteArray, FixedLenByteArray, Int96 (12 bytes); views that stay valid
}

// Len is how many there are.
func (v *Values) Len() int { return max(len(v.Ints), len(v.Floats), len(v.Bytes)) }

var errData = errors.New("a page has fewer values than its header says")

// plain decodes n values that stand one after the other.
func (c *Column) plain(b []byte, n int) (v Values, err error) {
	if width := c.width(); width > 0 && (n > len(b)/width) || c.Physical == Boolean && n > 8*len(b) ||
		c.Physical == ByteArray && n > len(b)/4 {
		return v, errData
	}
	switch c.Physical {
	case Boolean:
		v.Ints = make([]int64, n)
		for i := range v.Ints {
			v.Ints[i] = int64(b[i/8] >> (i % 8) & 1)
		}
	case ByteArray:
		v.Bytes = make([][]byte, n)
		for i := range v.Bytes {
			if len(b) < 4 {
				return v, errData
			}
			size := binary.LittleEndian.Uint32(b)
			if b = b[4:]; uint64(size) > uint64(len(b)) {
				return v, errData
			}
			v.Bytes[i], b = b[:size:size], b[size:]
		}
	default:
		v = c.fixed(b, n)
	}
	return v, nil
}

// width is the bytes of a value, 0 where they differ.
func (c *Column) width() int {
	switch c.Physical {
	case Int32, Float:
		return 4
	case Int64, Double:
		return 8
	case Int96:
		return 12
	case FixedLenByteArray:
		return c.Length
	}
	return 0
}

// fixed decodes n values of one width.
func (c *Column) fixed(b []byte, n int) (v Values) {
	switch c.Physical {
	case Int32:
		v.Ints = make([]int64, n)
		for i := range v.Ints {
			x := binary.LittleEndian.Uint32(b[4*i:])
			if v.Ints[i] = int64(int32(x)); c.Logical == Unsigned {
				v.Ints[i] = int64(x)
			}
		}
	case Int64:
		v.Ints = make([]int64, n)
		for i := range v.Ints {
			v.Ints[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
	case Float:
		v.Floats = make([]float64, n)
		for i := range v.Floats {
			v.Floats[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
		}
	case Double:
		v.Floats = make([]float64, n)
		for i := range v.Floats {
			v.Floats[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	default:
		w := c.width()
		v.Bytes = make([][]byte, n)
		for i := range v.Bytes {
			v.Bytes[i] = b[w*i : w*i+w : w*i+w]
		}
	}
	return v
}

// decode decodes the n values of a data page that are not references to a dictionary.
func (c *Column) decode(encoding int, b []byte, n int) (v Values, err error) {
	switch {
	case encoding == encPlain:
		return c.plain(b, n)
	case encoding == encRLE && c.Physical == Boolean:
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return v, errData
		}
		levels, err := hybrid(nil, b[4:4+binary.LittleEndian.Uint32(b)], 1, n)
		if err != nil {
			return v, err
		}
		v.Ints = make([]int64, n)
		for i, l := range levels {
			v.Ints[i] = int64(l)
		}
		return v, nil
	case encoding == encDelta && (c.Physical == Int32 || c.Physical == Int64):
		if v.Ints, _, err = delta(b, n); err == nil && c.Physical == Int32 {
			for i, x := range v.Ints {
				if v.Ints[i] = int64(int32(x)); c.Logical == Unsigned {
					v.Ints[i] = int64(uint32(x))
				}
			}
		}
		return v, err
	case encoding == encDeltaLength && c.Physical == ByteArray:
		v.Bytes, _, err = deltaLength(b, n)
		return v, err
	case encoding == encDeltaBytes && (c.Physical == ByteArray || c.Physical == FixedLenByteArray):
		if v.Bytes, err = deltaBytes(b, n); err != nil {
			return v, err
		}
		for _, x := range v.Bytes {
			if c.Physical == FixedLenByteArray && len(x) != c.Length {
				return v, errData
			}
		}
		return v, nil
	case encoding == encByteStreamSplit && c.width() > 0 && c.Physical != Int96:
		w := c.width()
		if n > len(b)/w {
			return v, errData
		}
		joined := make([]byte, n*w)
		for k := range w {
			for i := range n {
				joined[i*w+k] = b[k*n+i]
			}
		}
		return c.fixed(joined, n), nil
	}
	return v, fmt.Errorf("encoding %d of %v is not read", encoding, c.Physical)
}

// hybrid decodes n numbers of width bits in runs of one value or packed groups of eight, into room if they
// fit there.
func hybrid(room []uint32, b []byte, width, n int) ([]uint32, error) {
	if width > 32 {
		return nil, fmt.Errorf("numbers of %d bits", width)
	}
	out := slices.Grow(room[:0], n)
	mask := uint64(1)<<width - 1
	for len(out) < n {
		head, k := binary.Uvarint(b)
		if k <= 0 {
			return nil, errData
		}
		b = b[k:]
		left := uint64(n - len(out))
		if head&1 == 0 {
			size := (width + 7) / 8
			if len(b) < size {
				return nil, errData
			}
			var v uint64
			for i := range size {
				v |= uint64(b[i]) << (8 * i)
			}
			b = b[size:]
			for range min(head>>1, left) {
				out = append(out, uint32(v&mask))
			}
			continue
		}
		take := int(min(left, head>>1*8))
		if head>>1 > uint64(n) { // more groups than there can be values; the product might overflow
			take = int(left)
		}
		need := (take*width + 7) / 8
		if need > len(b) {
			return nil, errData
		}
		out = unpack(out, b[:need], width, take)
		b = b[min(uint64(len(b)), min(head>>1, uint64(len(b)))*uint64(width)):]
	}
	return out, nil
}

// unpack appends n packed numbers of width bits, lowest bit first.
func unpack(out []uint32, b []byte, width, n int) []uint32 {
	mask := uint64(1)<<width - 1
	var buf uint64
	have := 0
	for range n {
		for have < width {
			buf |= uint64(b[0]) << have
			b = b[1:]
			have += 8
		}
		out = append(out, uint32(buf&mask))
		buf >>= width
		have -= width
	}
	return out
}

// delta decodes n integers kept as differences, and returns what follows them.
func delta(b []byte, n int) (out []int64, rest []byte, err error) {
	read := func() uint64 {
		v, k := binary.Uvarint(b)
		if k <= 0 {
			err, b = errData, nil
			return 0
		}
		b = b[k:]
		return v
	}
	signed := func() int64 { v := read(); return int64(v>>1) ^ -int64(v&1) }
	block, minis, total, first := read(), read(), read(), signed()
	switch {
	case err != nil:
		return nil, nil, err
	case total != uint64(n):
		return nil, nil, errData
	case block == 0 || block%128 != 0 || block > 1<<20 || minis == 0 || minis > block || block%minis != 0 ||
		block/minis%32 != 0:
		return nil, nil, errors.New("differences in blocks of an impossible size")
	case n == 0:
		return nil, b, nil
	}
	per := int(block / minis)
	out = append(make([]int64, 0, n), first)
	v := first
	for len(out) < n {
		least := signed()
		if err != nil || uint64(len(b)) < minis {
			return nil, nil, errData
		}
		widths := b[:minis]
		b = b[minis:]
		for _, w := range widths {
			if len(out) == n {
				break
			}
			size := per / 8 * int(w)
			if w > 64 || size > len(b) {
				return nil, nil, errData
			}
			at := 0
			for range min(per, n-len(out)) {
				v += least + int64(bitsAt(b, at, int(w)))
				out = append(out, v)
				at += int(w)
			}
			b = b[size:]
		}
	}
	return out, b, nil
}

// bitsAt is the number of width bits that begins at bit at, lowest first.
func bitsAt(b []byte, at, width int) uint64 {
	var v uint64
	for got := 0; got < width; {
		shift := (at + got) % 8
		v |= uint64(b[(at+got)/8]>>shift) << got
		got += 8 - shift
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v
}

// deltaLength decodes n texts whose lengths stand first.
func deltaLength(b []byte, n int) (out [][]byte, rest []byte, err error) {
	lengths, b, err := delta(b, n)
	if err != nil {
		return nil, nil, err
	}
	out = make([][]byte, n)
	for i, l := range lengths {
		if l < 0 || l > int64(len(b)) {
			return nil, nil, errData
		}
		out[i], b = b[:l:l], b[l:]
	}
	return out, b, nil
}

// deltaBytes decodes n texts that each begin with part of the one before. What the prefixes make of a page
// is bounded as a page is.
func deltaBytes(b []byte, n int) ([][]byte, error) {
	most := min(maxPage, len(b)<<16)
	prefixes, b, err := delta(b, n)
	if err != nil {
		return nil, err
	}
	out, _, err := deltaLength(b, n)
	if err != nil {
		return nil, err
	}
	var last []byte
	made := 0
	for i, p := range prefixes {
		if p < 0 || p > int64(len(last)) {
			return nil, errData
		}
		if p > 0 {
			if made += int(p) + len(out[i]); made > most {
				return nil, errors.New("a page of prefixes grows too large")
			}
			out[i] = append(append(make([]byte, 0, int(p)+len(out[i])), last[:p]...), out[i]...)
		}
		last = out[i]
	}
	return out, nil
}

// levelWidth is the bits that definition levels up to max take.
func levelWidth(max int) int { return bits.Len(uint(max)) }
