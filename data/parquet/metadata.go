package parquet

import (
	"errors"
	"fmt"
	"math"
)

// chunk is where one column of a row group stands.
type chunk struct {
	codec     int
	values    int64
	data      int64 // offset of the first data page
	dict      int64 // offset of the dictionary page, 0 for none
	elsewhere bool  // in another file
	encrypted bool
}

type group struct {
	rows   int64
	chunks []chunk
}

// element is one node of the schema, which is listed depth first.
type element struct {
	column   Column
	repeated int // 0 required, 1 optional, 2 repeated
	name     string
	children int
	leaf     bool
}

type metadata struct {
	columns   []Column
	groups    []group
	rows      int64
	encrypted bool
}

func parseMetadata(b []byte) (*metadata, error) {
	r := &thriftReader{b: b}
	m := &metadata{}
	var elements []element
	r.fields(func(id int, typ byte) {
		switch {
		case id == 2 && r.want(typ, thriftList):
			n, _ := r.list()
			for i := 0; i < n && r.err == nil; i++ {
				elements = append(elements, r.element())
			}
		case id == 3 && r.want(typ, thriftI64):
			m.rows = r.int()
		case id == 4 && r.want(typ, thriftList):
			n, _ := r.list()
			for i := 0; i < n && r.err == nil; i++ {
				m.groups = append(m.groups, r.group())
			}
		case id == 8:
			m.encrypted = true
			r.skip(typ)
		default:
			r.skip(typ)
		}
	})
	if r.err != nil {
		return nil, r.err
	}
	if m.encrypted {
		return nil, errors.New("the file is encrypted")
	}
	if len(elements) == 0 || elements[0].leaf {
		return nil, errors.New("metadata: no schema")
	}
	rest, err := m.tree(elements[1:], elements[0].children, nil, 0, 0)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("metadata: %d schema elements belong nowhere", len(rest))
	}
	return m, m.check()
}

// tree walks the children of a schema node, which has definition level def and is in the list that the first
// list names of its path name (0: in none), and returns the elements after them.
func (m *metadata) tree(e []element, children int, path []string, def, list int) ([]element, error) {
	if len(path) > maxDepth {
		return nil, errors.New("metadata: the schema is nested too deeply")
	}
	for range children {
		if len(e) == 0 {
			return nil, errors.New("metadata: the schema is cut off")
		}
		x := e[0]
		e = e[1:]
		at := append(path[:len(path):len(path)], x.name)
		d := def
		if x.repeated > 0 {
			d++
		}
		in := list
		if in == 0 && x.repeated == 2 {
			in = max(1, len(path))
		}
		if x.leaf {
			c := x.column
			c.Path, c.Repeated, c.List, c.Optional, c.maxDef = at, in > 0, in, d > 0, d
			if err := c.check(); err != nil {
				return nil, fmt.Errorf("metadata: column %q has %w", x.name, err)
			}
			m.columns = append(m.columns, c)
			continue
		}
		var err error
		if e, err = m.tree(e, x.children, at, d, in); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// check compares the row groups with the schema.
func (m *metadata) check() error {
	var rows int64
	for i, g := range m.groups {
		switch {
		case len(g.chunks) != len(m.columns):
			return fmt.Errorf("metadata: row group %d has %d columns, the schema %d", i+1, len(g.chunks), len(m.columns))
		case g.rows < 0 || g.rows > math.MaxInt32-rows:
			return fmt.Errorf("metadata: more than %d rows", math.MaxInt32)
		}
		rows += g.rows
		for k, c := range g.chunks {
			switch {
			case m.columns[k].Repeated:
			case c.elsewhere:
				return fmt.Errorf("column %q is kept in another file", m.columns[k].Path)
			case c.encrypted:
				return fmt.Errorf("column %q is encrypted", m.columns[k].Path)
			case c.values != g.rows:
				return fmt.Errorf("metadata: column %q has %d values in row group %d of %d rows", m.columns[k].Path,
					c.values, i+1, g.rows)
			}
		}
	}
	if rows != m.rows {
		return fmt.Errorf("metadata: %d rows are announced, the row groups have %d", m.rows, rows)
	}
	return nil
}

// small is a number that must be of a sensible size, −1 if it is not.
func (r *thriftReader) small() int {
	v := r.int()
	if v < 0 || v > math.MaxInt32 {
		return -1
	}
	return int(v)
}

func (r *thriftReader) element() element {
	var e element
	converted, logical := -1, false
	r.fields(func(id int, typ byte) {
		switch {
		case id == 1 && r.want(typ, thriftI32):
			e.leaf, e.column.Physical = true, Physical(r.small())
		case id == 2 && r.want(typ, thriftI32):
			e.column.Length = r.small()
		case id == 3 && r.want(typ, thriftI32):
			e.repeated = r.small()
		case id == 4 && r.want(typ, thriftBinary):
			e.name = string(r.bytes())
		case id == 5 && r.want(typ, thriftI32):
			e.children = r.small()
		case id == 6 && r.want(typ, thriftI32):
			converted = r.small()
		case id == 7 && r.want(typ, thriftI32):
			e.column.Scale = r.small()
		case id == 10 && r.want(typ, thriftStruct):
			r.logical(&e.column)
			logical = true
		default:
			r.skip(typ)
		}
	})
	if !logical {
		e.column.converted(converted)
	}
	if e.repeated < 0 || e.repeated > 2 {
		r.fail(fmt.Errorf("metadata: column %q is neither required, optional nor repeated", e.name))
	}
	return e
}

// logical reads the annotation, a union whose field says which it is.
func (r *thriftReader) logical(c *Column) {
	r.fields(func(id int, typ byte) {
		if !r.want(typ, thriftStruct) {
			return
		}
		switch id {
		case 1, 4, 12:
			c.Logical = Text
		case 5:
			c.Logical = Decimal
		case 6:
			c.Logical = Date
		case 7:
			c.Logical = TimeOfDay
		case 8:
			c.Logical = Timestamp
		case 11:
			c.Logical = Null
		case 13, 16, 17, 18:
			c.Logical = Binary
		case 14:
			c.Logical = UUID
		case 15:
			c.Logical = Float16
		}
		r.fields(func(k int, t byte) {
			switch {
			case id == 5 && k == 1 && r.want(t, thriftI32):
				c.Scale = r.small()
			case (id == 7 || id == 8) && k == 1 && r.want(t, thriftTrue, thriftFalse):
				c.UTC = t == thriftTrue
			case (id == 7 || id == 8) && k == 2 && r.want(t, thriftStruct):
				r.fields(func(u int, t byte) {
					switch u {
					case 1:
						c.Unit = Millis
					case 2:
						c.Unit = Micros
					case 3:
						c.Unit = Nanos
					}
					r.skip(t)
				})
			case id == 10 && k == 2 && r.want(t, thriftTrue, thriftFalse):
				if t == thriftFalse {
					c.Logical = Unsigned
				}
			default:
				r.skip(t)
			}
		})
	})
	if (c.Logical == Timestamp || c.Logical == TimeOfDay) && c.Unit == 0 {
		r.fail(errors.New("metadata: a time without a unit"))
	}
}

func (r *thriftReader) group() group {
	var g group
	r.fields(func(id int, typ byte) {
		switch {
		case id == 1 && r.want(typ, thriftList):
			n, _ := r.list()
			for i := 0; i < n && r.err == nil; i++ {
				g.chunks = append(g.chunks, r.chunk())
			}
		case id == 3 && r.want(typ, thriftI64):
			g.rows = r.int()
		default:
			r.skip(typ)
		}
	})
	return g
}

func (r *thriftReader) chunk() chunk {
	var c chunk
	r.fields(func(id int, typ byte) {
		switch {
		case id == 1:
			c.elsewhere = true
			r.skip(typ)
		case id == 8 || id == 9:
			c.encrypted = true
			r.skip(typ)
		case id == 3 && r.want(typ, thriftStruct):
			r.fields(func(id int, typ byte) {
				switch {
				case id == 4 && r.want(typ, thriftI32):
					c.codec = r.small()
				case id == 5 && r.want(typ, thriftI64):
					c.values = r.int()
				case id == 9 && r.want(typ, thriftI64):
					c.data = r.int()
				case id == 11 && r.want(typ, thriftI64):
					c.dict = r.int()
				default:
					r.skip(typ)
				}
			})
		default:
			r.skip(typ)
		}
	})
	return c
}

// pageHeader is what stands before a page.
type pageHeader struct {
	typ              int
	size, compressed int // of the page: plain, and as stored
	crc              uint32
	hasCRC           bool
	values, encoding int
	defEncoding      int
	nulls, rows      int // version 2
	defSize, repSize int // version 2
	plainBody        bool
	has              bool // the part that belongs to the page's type
}

func (r *thriftReader) pageHeader() pageHeader {
	h := pageHeader{typ: -1}
	r.fields(func(id int, typ byte) {
		switch {
		case id == 1 && r.want(typ, thriftI32):
			h.typ = r.small()
		case id == 2 && r.want(typ, thriftI32):
			h.size = r.small()
		case id == 3 && r.want(typ, thriftI32):
			h.compressed = r.small()
		case id == 4 && r.want(typ, thriftI32):
			h.crc, h.hasCRC = uint32(r.int()), true
		case (id == 5 || id == 7 || id == 8) && r.want(typ, thriftStruct):
			is := map[int]int{5: pageData, 7: pageDictionary, 8: pageDataV2}[id] == h.typ
			h.has = h.has || is
			r.pageBody(&h, id)
		default:
			r.skip(typ)
		}
	})
	least := min(h.size, h.compressed, h.values, h.nulls, h.rows, h.defSize, h.repSize)
	if r.err == nil && (least < 0 || h.nulls > h.values) {
		r.fail(errors.New("a page header with impossible sizes"))
	}
	return h
}

func (r *thriftReader) pageBody(h *pageHeader, of int) {
	r.fields(func(id int, typ byte) {
		switch {
		case id == 1 && r.want(typ, thriftI32):
			h.values = r.small()
		case of != 8 && id == 2 && r.want(typ, thriftI32), of == 8 && id == 4 && r.want(typ, thriftI32):
			h.encoding = r.small()
		case of == 5 && id == 3 && r.want(typ, thriftI32):
			h.defEncoding = r.small()
		case of == 8 && id == 2 && r.want(typ, thriftI32):
			h.nulls = r.small()
		case of == 8 && id == 3 && r.want(typ, thriftI32):
			h.rows = r.small()
		case of == 8 && id == 5 && r.want(typ, thriftI32):
			h.defSize = r.small()
		case of == 8 && id == 6 && r.want(typ, thriftI32):
			h.repSize = r.small()
		case of == 8 && id == 7 && r.want(typ, thriftTrue, thriftFalse):
			h.plainBody = typ == thriftFalse
		default:
			r.skip(typ)
		}
	})
}
