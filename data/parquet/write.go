package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"plumbline/numeric/parallel"
)

// pageRows is how many rows a written page holds.
const pageRows = 1 << 15

// Chunk is the values of one column of a row group to be written. Index refers to Dict; without a Dict the
// values are written one by one.
type Chunk struct {
	Valid  []bool // which rows have a value; nil: all
	Values Values // of the rows that have one
	Index  []uint32
	Dict   *Values
}

// Writer writes a file row group by row group. Only Int32, Int64, Double and ByteArray columns that are in
// no group can be written.
type Writer struct {
	w       io.Writer
	zip     *zstd.Encoder
	columns []Column
	at      int64
	rows    int64
	groups  []writtenGroup
}

type writtenGroup struct {
	rows, bytes int64
	chunks      []writtenChunk
}

type writtenChunk struct {
	body          []byte // until it is written
	at            int64
	dict, data    int64 // offsets from at; dict is −1 for none
	values        int64
	plain, stored int64
	encodings     []int
}

// NewWriter begins a file of these columns.
func NewWriter(w io.Writer, columns []Column) (*Writer, error) {
	for _, c := range columns {
		switch c.Physical {
		case Int32, Int64, Double, ByteArray:
		default:
			return nil, fmt.Errorf("parquet: column %q: %v is not written", c.Path, c.Physical)
		}
		if len(c.Path) != 1 || c.Repeated {
			return nil, fmt.Errorf("parquet: column %q: groups and lists are not written", c.Path)
		}
	}
	zip, err := zstd.NewWriter(nil, zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	out := &Writer{w: w, zip: zip, columns: columns}
	return out, out.write([]byte("PAR1"))
}

func (w *Writer) write(b []byte) error {
	n, err := w.w.Write(b)
	w.at += int64(n)
	return err
}

// Group writes one row group, whose columns are encoded on all processors. The bytes do not depend on how
// many there are.
func (w *Writer) Group(rows int, chunk func(column int) Chunk) error {
	g := writtenGroup{rows: int64(rows), chunks: make([]writtenChunk, len(w.columns))}
	var next atomic.Int64
	var wg parallel.Group
	errs := make([]error, len(w.columns))
	for range min(runtime.GOMAXPROCS(0), len(w.columns)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(w.columns); i = int(next.Add(1)) - 1 {
				g.chunks[i], errs[i] = w.encode(&w.columns[i], rows, chunk(i))
			}
		})
	}
	wg.Wait()
	for i := range g.chunks {
		c := &g.chunks[i]
		if errs[i] != nil {
			return fmt.Errorf("parquet: column %q: %w", w.columns[i].Path, errs[i])
		}
		c.at = w.at
		if err := w.write(c.body); err != nil {
			return err
		}
		g.bytes += c.plain
		c.body = nil
	}
	w.groups = append(w.groups, g)
	w.rows += int64(rows)
	return nil
}

// encode makes the pages of one column of a row group.
func (w *Writer) encode(c *Column, rows int, in Chunk) (out writtenChunk, err error) {
	out = writtenChunk{dict: -1, values: int64(rows), encodings: []int{encRLE, encPlain}}
	page := func(typ, values, encoding int, body []byte) error {
		if len(body) > maxPage {
			return fmt.Errorf("a page of more than %d bytes", maxPage)
		}
		stored := w.zip.EncodeAll(body, nil)
		t := &thriftWriter{}
		t.open()
		t.i32(1, typ)
		t.i32(2, len(body))
		t.i32(3, len(stored))
		id := map[int]int{pageData: 5, pageDictionary: 7}[typ]
		t.strct(id, func() {
			t.i32(1, values)
			t.i32(2, encoding)
			if typ == pageData {
				t.i32(3, encRLE)
				t.i32(4, encRLE)
			}
		})
		t.close()
		out.body = append(append(out.body, t.b...), stored...)
		out.plain += int64(len(t.b) + len(body))
		out.stored += int64(len(t.b) + len(stored))
		return nil
	}
	encoding, width := encPlain, 0
	if in.Dict != nil {
		encoding, out.dict = encRLEDictionary, 0
		out.encodings = append(out.encodings, encRLEDictionary)
		width = bits.Len(uint(max(in.Dict.Len()-1, 0)))
		if err := page(pageDictionary, in.Dict.Len(), encPlain, c.appendPlain(nil, *in.Dict, 0, in.Dict.Len())); err != nil {
			return out, err
		}
	}
	out.data = int64(len(out.body))
	from := 0 // of the values that are there
	for row := 0; row < rows; row += pageRows {
		end := min(row+pageRows, rows)
		var body []byte
		n := end - row
		if c.Optional {
			levels := make([]uint32, end-row)
			n = 0
			for i := range levels {
				if in.Valid == nil || in.Valid[row+i] {
					levels[i] = 1
					n++
				}
			}
			packed := appendHybrid(nil, levels, 1)
			body = append(binary.LittleEndian.AppendUint32(nil, uint32(len(packed))), packed...)
		}
		if in.Dict != nil {
			body = appendHybrid(append(body, byte(width)), in.Index[from:from+n], width)
		} else {
			body = c.appendPlain(body, in.Values, from, from+n)
		}
		from += n
		if err := page(pageData, end-row, encoding, body); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (c *Column) appendPlain(b []byte, v Values, from, to int) []byte {
	for i := from; i < to; i++ {
		switch c.Physical {
		case Int32:
			b = binary.LittleEndian.AppendUint32(b, uint32(v.Ints[i]))
		case Int64:
			b = binary.LittleEndian.AppendUint64(b, uint64(v.Ints[i]))
		case Double:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Floats[i]))
		case ByteArray:
			b = binary.LittleEndian.AppendUint32(b, uint32(len(v.Bytes[i])))
			b = append(b, v.Bytes[i]...)
		}
	}
	return b
}

// appendHybrid writes numbers of width bits: runs of sixteen and more as runs, others packed by eight.
func appendHybrid(b []byte, v []uint32, width int) []byte {
	const worth = 16
	run := func(at int) int {
		n := at + 1
		for n < len(v) && v[n] == v[at] {
			n++
		}
		return n - at
	}
	for at := 0; at < len(v); {
		if n := run(at); n >= worth {
			b = binary.AppendUvarint(b, uint64(n)<<1)
			for i := range (width + 7) / 8 {
				b = append(b, byte(v[at]>>(8*i)))
			}
			at += n
			continue
		}
		end := at // the next long run, on a multiple of eight from here
		for end < len(v) {
			if end += 8; end < len(v) && run(end) >= worth {
				break
			}
		}
		end = min(end, len(v))
		groups := (end - at + 7) / 8
		b = binary.AppendUvarint(b, uint64(groups)<<1|1)
		var buf uint64
		have := 0
		for i := range groups * 8 {
			if at+i < end {
				buf |= uint64(v[at+i]) << have
			}
			for have += width; have >= 8; have -= 8 {
				b = append(b, byte(buf))
				buf >>= 8
			}
		}
		at = end
	}
	return b
}

// Close writes the metadata. It does not close the underlying writer.
func (w *Writer) Close() error {
	t := &thriftWriter{}
	t.open()
	t.i32(1, 2)
	t.list(2, len(w.columns)+1, thriftStruct)
	t.open()
	t.text(4, "schema")
	t.i32(5, len(w.columns))
	t.close()
	for i := range w.columns {
		t.element(&w.columns[i])
	}
	t.i64(3, w.rows)
	t.list(4, len(w.groups), thriftStruct)
	for _, g := range w.groups {
		t.open()
		t.list(1, len(g.chunks), thriftStruct)
		for i := range g.chunks {
			t.chunk(&w.columns[i], &g.chunks[i])
		}
		t.i64(2, g.bytes)
		t.i64(3, g.rows)
		t.close()
	}
	t.text(6, "plumbline")
	t.close()
	t.b = binary.LittleEndian.AppendUint32(t.b, uint32(len(t.b)))
	if err := w.write(append(t.b, "PAR1"...)); err != nil {
		return err
	}
	return w.zip.Close()
}

func (t *thriftWriter) element(c *Column) {
	t.open()
	t.i32(1, int(c.Physical))
	t.i32(3, map[bool]int{true: 1}[c.Optional])
	t.text(4, c.Path[0])
	switch c.Logical {
	case Text:
		t.i32(6, 0)
		t.strct(10, func() { t.strct(1, func() {}) })
	case Timestamp:
		unit := map[Unit]int{Millis: 1, Micros: 2, Nanos: 3}[c.Unit]
		t.strct(10, func() {
			t.strct(8, func() {
				t.truth(1, c.UTC)
				t.strct(2, func() { t.strct(unit, func() {}) })
			})
		})
	}
	t.close()
}

func (t *thriftWriter) chunk(c *Column, k *writtenChunk) {
	t.open()
	t.i64(2, 0)
	t.strct(3, func() {
		t.i32(1, int(c.Physical))
		t.list(2, len(k.encodings), thriftI32)
		for _, e := range k.encodings {
			t.int(int64(e))
		}
		t.list(3, 1, thriftBinary)
		t.bytes(c.Path[0])
		t.i32(4, codecZstd)
		t.i64(5, k.values)
		t.i64(6, k.plain)
		t.i64(7, k.stored)
		t.i64(9, k.at+k.data)
		if k.dict >= 0 {
			t.i64(11, k.at+k.dict)
		}
	})
	t.close()
}
