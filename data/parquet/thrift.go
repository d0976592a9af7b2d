package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Types of Thrift's compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// maxDepth bounds nested structures.
const maxDepth = 64

// errShort is a structure that goes on after the end of its bytes.
var errShort = errors.New("the metadata is cut off")

// thriftReader reads Thrift's compact protocol. Its first error stays; after it every value is zero.
type thriftReader struct {
	b     []byte
	at    int
	depth int
	err   error
}

func (r *thriftReader) fail(err error) {
	if r.err == nil {
		r.err = err
		r.at = len(r.b)
	}
}

func (r *thriftReader) byte() byte {
	if r.at >= len(r.b) {
		r.fail(errShort)
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *thriftReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	switch {
	case n == 0:
		r.fail(errShort)
		return 0
	case n < 0:
		r.fail(errors.New("metadata: a number of more than 64 bits"))
		return 0
	}
	r.at += n
	return v
}

// int reads a zigzag number.
func (r *thriftReader) int() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *thriftReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)-r.at) {
		r.fail(errShort)
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at]
}

// fields calls field for each field of a structure; field takes its value or calls skip.
func (r *thriftReader) fields(field func(id int, typ byte)) {
	if r.depth++; r.depth > maxDepth {
		r.fail(errors.New("metadata: nested too deeply"))
	}
	id := 0
	for r.err == nil {
		head := r.byte()
		if head == 0 {
			break
		}
		if delta := int(head >> 4); delta > 0 {
			id += delta
		} else {
			id = int(r.int())
		}
		field(id, head&15)
	}
	r.depth--
}

// list reads the head of a list. Every element takes a byte at least, so a count beyond the bytes left is
// refused before anything is allocated.
func (r *thriftReader) list() (n int, typ byte) {
	head := r.byte()
	count := uint64(head >> 4)
	if count == 15 {
		count = r.uvarint()
	}
	if count > uint64(len(r.b)-r.at) {
		r.fail(errShort)
		return 0, 0
	}
	return int(count), head & 15
}

// want refuses a field of another type than the format's.
func (r *thriftReader) want(typ byte, is ...byte) bool {
	for _, t := range is {
		if typ == t {
			return true
		}
	}
	r.fail(fmt.Errorf("metadata: a field of type %d where the format has another", typ))
	return false
}

func (r *thriftReader) skip(typ byte) {
	switch typ {
	case thriftTrue, thriftFalse:
	case thriftByte:
		r.byte()
	case thriftI16, thriftI32, thriftI64:
		r.uvarint()
	case thriftDouble:
		if len(r.b)-r.at < 8 {
			r.fail(errShort)
			return
		}
		r.at += 8
	case thriftBinary:
		r.bytes()
	case thriftList, thriftSet:
		n, t := r.list()
		for i := 0; i < n && r.err == nil; i++ {
			r.skipElement(t)
		}
	case thriftMap:
		n := r.uvarint()
		if n == 0 {
			return
		}
		types := r.byte()
		for i := uint64(0); i < n && r.err == nil; i++ {
			r.skipElement(types >> 4)
			r.skipElement(types & 15)
		}
	case thriftStruct:
		r.fields(func(_ int, t byte) { r.skip(t) })
	default:
		r.fail(fmt.Errorf("metadata: unknown type %d", typ))
	}
}

// skipElement skips a member of a list or map, where a truth value takes a byte. A list of lists nests too.
func (r *thriftReader) skipElement(typ byte) {
	if typ == thriftTrue || typ == thriftFalse {
		r.byte()
		return
	}
	if r.depth++; r.depth > maxDepth {
		r.fail(errors.New("metadata: nested too deeply"))
	}
	r.skip(typ)
	r.depth--
}

// thriftWriter writes Thrift's compact protocol.
type thriftWriter struct {
	b    []byte
	last []int // ids of the fields written last, of each open structure
}

func (w *thriftWriter) open()  { w.last = append(w.last, 0) }
func (w *thriftWriter) close() { w.b, w.last = append(w.b, 0), w.last[:len(w.last)-1] }

func (w *thriftWriter) field(id int, typ byte) {
	last := &w.last[len(w.last)-1]
	if d := id - *last; d > 0 && d < 16 {
		w.b = append(w.b, byte(d)<<4|typ)
	} else {
		w.b = append(w.b, typ)
		w.int(int64(id))
	}
	*last = id
}

func (w *thriftWriter) int(v int64) {
	w.b = binary.AppendUvarint(w.b, uint64(v<<1)^uint64(v>>63))
}

func (w *thriftWriter) i32(id int, v int) { w.field(id, thriftI32); w.int(int64(v)) }
func (w *thriftWriter) i64(id int, v int64) {
	w.field(id, thriftI64)
	w.int(v)
}

func (w *thriftWriter) text(id int, s string) {
	w.field(id, thriftBinary)
	w.bytes(s)
}

func (w *thriftWriter) bytes(s string) {
	w.b = binary.AppendUvarint(w.b, uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *thriftWriter) truth(id int, v bool) {
	if v {
		w.field(id, thriftTrue)
	} else {
		w.field(id, thriftFalse)
	}
}

func (w *thriftWriter) list(id, n int, typ byte) {
	w.field(id, thriftList)
	if n < 15 {
		w.b = append(w.b, byte(n)<<4|typ)
		return
	}
	w.b = append(w.b, 15<<4|typ)
	w.b = binary.AppendUvarint(w.b, uint64(n))
}

func (w *thriftWriter) strct(id int, body func()) {
	w.field(id, thriftStruct)
	w.open()
	body()
	w.close()
}
