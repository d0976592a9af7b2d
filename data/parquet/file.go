package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// maxFooter bounds the metadata, in bytes.
const maxFooter = 1 << 28

// rowsPerByte bounds the rows that a file may claim for each of its bytes. Runs of one value cost next to
// nothing in the format, so that without a bound a file of a few bytes could claim a table of any size.
const rowsPerByte = 1 << 14

// maxValues bounds one data page. Writers in use end a page after a million values at most.
const maxValues = 1 << 24

// File is an open Parquet file. It may be read by several goroutines.
type File struct {
	Columns []Column
	Groups  []int // rows of each row group
	Rows    int

	r    io.ReaderAt
	end  int64 // of the pages: where the metadata begins
	meta *metadata
}

// Page is the decoded values of one data page.
type Page struct {
	Rows   int
	Valid  []bool   // whether each row has a value; nil: all have
	Values Values   // of the rows that have one, in order, unless Dict is set
	Index  []uint32 // into Dict, of the rows that have a value
	Dict   *Values  // the same for all pages of a column chunk that use it
}

// Open reads a file's metadata. The error says what makes it no Parquet file that can be read.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var head [4]byte
	var tail [8]byte
	if size < 12 {
		return nil, errors.New("not a Parquet file: too short")
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	begins, ends := string(head[:]), string(tail[4:])
	switch {
	case begins == "PARE" || ends == "PARE":
		return nil, errors.New("the file is encrypted")
	case begins != "PAR1":
		return nil, fmt.Errorf("not a Parquet file: it begins with %q, not PAR1", begins)
	case ends != "PAR1":
		return nil, errors.New("the file is cut off: it does not end with PAR1")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-12 || n > maxFooter {
		return nil, fmt.Errorf("metadata of %d bytes in a file of %d", n, size)
	}
	raw := make([]byte, n)
	if _, err := r.ReadAt(raw, size-8-n); err != nil {
		return nil, err
	}
	m, err := parseMetadata(raw)
	if err != nil {
		return nil, err
	}
	if m.rows/rowsPerByte > size {
		return nil, fmt.Errorf("metadata: %d rows in a file of %d bytes", m.rows, size)
	}
	f := &File{Columns: m.columns, Rows: int(m.rows), r: r, end: size - 8 - n, meta: m}
	for _, g := range m.groups {
		f.Groups = append(f.Groups, int(g.rows))
	}
	return f, nil
}

// Read decodes one column of one row group and hands its pages over, in order. A page is valid until the
// function returns; Bytes of a page's values stay valid after it. The column must not be Repeated.
func (f *File) Read(ctx context.Context, group, column int, page func(*Page) error) error {
	c := &f.Columns[column]
	if c.Repeated {
		return errors.New("a repeated column has no one value a row")
	}
	ch := f.meta.groups[group].chunks[column]
	p := &pages{file: f, column: c, codec: ch.codec, at: ch.data, left: int(ch.values)}
	if ch.dict > 0 && ch.dict < ch.data {
		p.at = ch.dict
	}
	for p.left > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		out, err := p.next()
		if err != nil {
			return err
		}
		if out == nil {
			continue
		}
		if err := page(out); err != nil {
			return err
		}
	}
	return nil
}

// pages walks the pages of a column chunk.
type pages struct {
	file   *File
	column *Column
	codec  int
	at     int64 // of the next page
	left   int   // values that have not been read
	dict   *Values
	window []byte
	// room that pages share
	levels, index []uint32
	valid         []bool
}

// next decodes the page at p.at, nil for one that is not of data.
func (p *pages) next() (*Page, error) {
	h, err := p.header()
	if err != nil {
		return nil, err
	}
	if int64(h.compressed) > p.file.end-p.at {
		return nil, errors.New("a page runs beyond the end of the data")
	}
	body := make([]byte, h.compressed)
	if _, err := p.file.r.ReadAt(body, p.at); err != nil {
		return nil, noEOF(err)
	}
	p.at += int64(h.compressed)
	if h.hasCRC && crc32.ChecksumIEEE(body) != h.crc {
		return nil, errors.New("the checksum of a page is wrong: the file is damaged")
	}
	if !h.has && h.typ != pageIndex {
		return nil, fmt.Errorf("a page of type %d without its header", h.typ)
	}
	switch h.typ {
	case pageIndex:
		return nil, nil
	case pageDictionary:
		return nil, p.dictionary(h, body)
	case pageData, pageDataV2:
		if h.values > maxValues {
			return nil, fmt.Errorf("a page of %d values: more than %d are not read at once", h.values, maxValues)
		}
		if h.values > p.left {
			return nil, fmt.Errorf("a page of %d values where the row group has %d left", h.values, p.left)
		}
		p.left -= h.values
		if h.typ == pageData {
			return p.first(h, body)
		}
		return p.second(h, body)
	}
	return nil, fmt.Errorf("a page of unknown type %d", h.typ)
}

// header reads the page header at p.at. How long it is only reading it tells.
func (p *pages) header() (pageHeader, error) {
	for size := 1 << 10; ; size *= 8 {
		if p.at < 4 || p.at >= p.file.end {
			return pageHeader{}, errors.New("a page stands outside the data")
		}
		n := int(min(int64(size), p.file.end-p.at))
		if cap(p.window) < n {
			p.window = make([]byte, n)
		}
		b := p.window[:n]
		if _, err := p.file.r.ReadAt(b, p.at); err != nil {
			return pageHeader{}, noEOF(err)
		}
		r := &thriftReader{b: b}
		h := r.pageHeader()
		if errors.Is(r.err, errShort) && n == size && size < 1<<24 {
			continue
		}
		p.at += int64(r.at)
		return h, r.err
	}
}

// noEOF: a file that ends early was cut after it was opened.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file became shorter while it was read")
	}
	return err
}

func (p *pages) dictionary(h pageHeader, body []byte) error {
	if h.encoding != encPlain && h.encoding != encPlainDictionary {
		return fmt.Errorf("a dictionary in encoding %d", h.encoding)
	}
	b, err := decompress(p.codec, body, h.size)
	if err != nil {
		return err
	}
	v, err := p.column.plain(b, h.values)
	p.dict = &v
	return err
}

// first decodes a data page of version 1: levels and values are compressed together.
func (p *pages) first(h pageHeader, body []byte) (*Page, error) {
	b, err := decompress(p.codec, body, h.size)
	if err != nil {
		return nil, err
	}
	var levels []byte
	if p.column.maxDef > 0 {
		if h.defEncoding != encRLE {
			return nil, fmt.Errorf("levels in encoding %d are not read", h.defEncoding)
		}
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return nil, errData
		}
		n := binary.LittleEndian.Uint32(b)
		levels, b = b[4:4+n], b[4+n:]
	}
	return p.page(h, levels, b)
}

// second decodes a data page of version 2: levels stand before the values and are not compressed.
func (p *pages) second(h pageHeader, body []byte) (*Page, error) {
	if h.repSize > len(body) || h.defSize > len(body)-h.repSize || h.repSize+h.defSize > h.size {
		return nil, errData
	}
	levels, b := body[h.repSize:h.repSize+h.defSize], body[h.repSize+h.defSize:]
	if !h.plainBody && len(b) > 0 {
		var err error
		if b, err = decompress(p.codec, b, h.size-h.repSize-h.defSize); err != nil {
			return nil, err
		}
	}
	return p.page(h, levels, b)
}

func (p *pages) page(h pageHeader, levels, b []byte) (*Page, error) {
	out := &Page{Rows: h.values}
	n := h.values
	if most := p.column.maxDef; most > 0 && n > 0 {
		def, err := hybrid(p.levels, levels, levelWidth(most), n)
		if err != nil {
			return nil, err
		}
		p.levels = def
		present := 0
		for _, d := range def {
			if int(d) > most {
				return nil, fmt.Errorf("a level of %d where the highest is %d", d, most)
			}
			if int(d) == most {
				present++
			}
		}
		if present < n {
			p.valid = slices.Grow(p.valid[:0], n)[:n]
			for i, d := range def {
				p.valid[i] = int(d) == most
			}
			out.Valid = p.valid
			n = present
		}
	}
	if h.encoding != encRLEDictionary && h.encoding != encPlainDictionary {
		var err error
		out.Values, err = p.column.decode(h.encoding, b, n)
		return out, err
	}
	if p.dict == nil {
		return nil, errors.New("a page refers to a dictionary, and there is none before it")
	}
	out.Dict = p.dict
	if n == 0 {
		return out, nil
	}
	if len(b) == 0 {
		return nil, errData
	}
	var err error
	if p.index, err = hybrid(p.index, b[1:], int(b[0]), n); err != nil {
		return nil, err
	}
	out.Index = p.index
	size := uint32(p.dict.Len())
	for _, i := range out.Index {
		if i >= size {
			return nil, fmt.Errorf("a reference to entry %d of a dictionary of %d", i, size)
		}
	}
	return out, nil
}
