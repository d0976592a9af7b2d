package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"plumbline/data"
)

// layout is how the lines of a text file are to be read.
type layout struct {
	file      string
	separator byte
	quote     bool                                                // cells may stand in double quotes, which double for themselves
	comment   byte                                                // lines that begin with it are passed over; 0: none
	end       []byte                                              // nothing is read from a line equal to it on; nil: none
	header    []byte                                              // lines equal to it are passed over; nil: none
	cut       func(line []byte, cells [][]byte) ([][]byte, error) // cuts a line into cells; nil: at the separator
	tail      int                                                 // the last cell holds this many cells separated by runs of blanks; 0: none
	missing   [][]byte
	latin1    bool
	infinite  bool     // NaN and infinity are missing rather than an error
	layouts   []string // of times; none: seconds since 1970
	specs     []ColumnSpec
	at        []int  // column of each cell, −1 for none; nil: cell i is column i
	absent    []int  // columns that no cell holds: all missing
	skip      []bool // columns that are not kept
	foreign   func(columns int) string
}

// piece is what one chunk of a file was parsed to.
type piece struct {
	columns  []slab
	text     int // bytes
	lines    []int32
	bad      []BadRow
	badCount int
	err      error
}

// slab is one column of a piece.
type slab struct {
	num   []float64
	nanos []int64
	code  []uint32
	ids   map[string]uint32
	names []string
}

// chunkSize is how much text a worker takes at a time; a longer line makes a longer chunk.
const chunkSize = 1 << 20

// maxRecord bounds one record, in bytes: an unclosed quote must not swallow a whole file.
const maxRecord = 1 << 24

// chunk is whole records of text.
type chunk struct {
	text []byte
	line int // of its first record
	done chan *piece
}

// parseFile cuts the text into chunks of whole records, parses them on the workers and adds the pieces to
// the table in order. The text is held only while its chunk is worked on.
func parseFile(ctx context.Context, in io.Reader, lay *layout, firstLine int, tb *builder, workers int) error {
	lay.specs = tb.asTexts(lay.specs)
	if err := tb.schema(lay.specs); err != nil {
		return fmt.Errorf("%s: %w", lay.file, err)
	}
	lay.skip = make([]bool, len(lay.specs))
	for i, s := range lay.specs {
		lay.skip[i] = tb.role(s.Name) == dropped
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan *chunk)
	order := make(chan *chunk, workers)
	free := make(chan []byte, workers+2)
	used := make(chan *piece, workers+2)
	for range workers {
		go func() {
			for c := range work {
				p := (*piece)(nil)
				select {
				case p = <-used:
				default:
					p = lay.newPiece()
				}
				lay.parse(c, p)
				c.done <- p
				select {
				case free <- c.text[:0]:
				default:
				}
			}
		}()
	}
	var readErr error
	go func() {
		defer close(order)
		defer close(work)
		readErr = cut(ctx, in, lay, firstLine, free, func(c *chunk) bool {
			select {
			case order <- c:
			case <-ctx.Done():
				return false
			}
			select {
			case work <- c:
				return true
			case <-ctx.Done():
				c.done <- &piece{err: ctx.Err()}
				return false
			}
		})
	}()
	var err error
	for c := range order {
		p := <-c.done
		switch {
		case err != nil:
		case p.err != nil:
			err = p.err
			cancel()
		default:
			tb.add(p)
			select {
			case used <- p.clear():
			default:
			}
		}
	}
	if err == nil {
		err = readErr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", lay.file, err)
	}
	return nil
}

// cut reads chunks of whole records.
func cut(ctx context.Context, in io.Reader, lay *layout, line int, free chan []byte, emit func(*chunk) bool) error {
	var carry []byte
	for {
		var buf []byte
		select {
		case buf = <-free:
		default:
			buf = make([]byte, 0, chunkSize+chunkSize/8)
		}
		buf = append(buf, carry...)
		buf, err := fill(in, buf, max(chunkSize, len(carry)+chunkSize/4))
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("line %d: %w", line+bytes.Count(buf, []byte{'\n'}), err)
		}
		if at := lay.endIn(buf); at >= 0 {
			buf, last = buf[:at], true
		}
		end := len(buf)
		if !last {
			end = lay.lastRecordEnd(buf)
		}
		if end == 0 && !last {
			if len(buf) > maxRecord {
				return fmt.Errorf("line %d: a record longer than %d bytes; an unclosed quote?", line, maxRecord)
			}
			carry = append(carry[:0], buf...)
			continue
		}
		carry = append(carry[:0], buf[end:]...)
		c := &chunk{text: buf[:end], line: line, done: make(chan *piece, 1)}
		line += bytes.Count(c.text, []byte{'\n'})
		if end > 0 && !emit(c) {
			return ctx.Err()
		}
		if last {
			return nil
		}
	}
}

// endIn is where the line begins that ends the data; −1: nowhere in text.
func (lay *layout) endIn(text []byte) int {
	if lay.end == nil {
		return -1
	}
	for at := 0; ; {
		i := bytes.Index(text[at:], lay.end)
		if i < 0 {
			return -1
		}
		i += at
		at = i + len(lay.end)
		rest := text[at:]
		if (i == 0 || text[i-1] == '\n') && (bytes.HasPrefix(rest, []byte{'\n'}) || bytes.HasPrefix(rest, []byte("\r\n"))) {
			return i
		}
	}
}

// fill reads until buf holds want bytes or the input ends (io.EOF).
func fill(in io.Reader, buf []byte, want int) ([]byte, error) {
	for len(buf) < want {
		if cap(buf) < want {
			buf = append(make([]byte, 0, want), buf...)
		}
		n, err := in.Read(buf[len(buf):want])
		buf = buf[:len(buf)+n]
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// firstRecordEnd is where the record that text begins with ends, 0 where text does not hold all of it. A
// quote means something only where a cell begins, and a record that is wrongly quoted ends with its first
// line, as record.quoted reads it.
func (lay *layout) firstRecordEnd(text []byte) int {
	line := bytes.IndexByte(text, '\n') + 1
	if line == 0 || bytes.IndexByte(text[:line], '"') < 0 {
		return line
	}
	for i := 0; ; i++ { // a cell begins at i
		if text[i] == '"' {
			n := quotedLen(text[i:])
			if i += n; n == 0 || i == len(text) {
				return 0
			}
			if text[i] == '\r' {
				if i+1 == len(text) {
					return 0
				}
				if text[i+1] == '\n' {
					i++
				}
			}
			if text[i] != lay.separator && text[i] != '\n' {
				return line
			}
		}
		for text[i] != lay.separator && text[i] != '\n' {
			if i++; i == len(text) {
				return 0
			}
		}
		if text[i] == '\n' {
			return i + 1
		}
		if i+1 == len(text) {
			return 0
		}
	}
}

// quotedLen is the length of the quoted cell that text begins with, both quotes included; 0: it does not end.
func quotedLen(text []byte) int {
	for i := 1; ; i += 2 {
		j := bytes.IndexByte(text[i:], '"')
		if j < 0 {
			return 0
		}
		if i += j; i+1 == len(text) || text[i+1] != '"' {
			return i + 1
		}
	}
}

// lastRecordEnd is where the last whole record of text, which begins a record, ends.
func (lay *layout) lastRecordEnd(text []byte) int {
	if !lay.quote || bytes.IndexByte(text, '"') < 0 {
		return bytes.LastIndexByte(text, '\n') + 1
	}
	end := 0
	for {
		n := lay.firstRecordEnd(text[end:])
		if n == 0 {
			return end
		}
		end += n
	}
}

func (lay *layout) newPiece() *piece {
	p := &piece{columns: make([]slab, len(lay.specs))}
	for i := range p.columns {
		if lay.skip[i] {
			continue
		}
		switch lay.specs[i].Type.columnType() {
		case data.Number:
			p.columns[i].num = []float64{}
		case data.Time:
			p.columns[i].nanos = []int64{}
		default:
			p.columns[i].code = []uint32{}
			p.columns[i].ids = map[string]uint32{}
		}
	}
	return p
}

// clear empties a piece and keeps its memory.
func (p *piece) clear() *piece {
	for i := range p.columns {
		s := &p.columns[i]
		s.num, s.nanos, s.code, s.names = s.num[:0], s.nanos[:0], s.code[:0], s.names[:0]
		clear(s.ids)
	}
	*p = piece{columns: p.columns, lines: p.lines[:0]}
	return p
}

// grow makes room for n rows.
func (p *piece) grow(n int) {
	p.lines = slices.Grow(p.lines, n)
	for i := range p.columns {
		s := &p.columns[i]
		switch {
		case s.num != nil:
			s.num = slices.Grow(s.num, n)
		case s.nanos != nil:
			s.nanos = slices.Grow(s.nanos, n)
		case s.code != nil:
			s.code = slices.Grow(s.code, n)
		}
	}
}

// parse parses one chunk into an empty piece.
func (lay *layout) parse(c *chunk, p *piece) {
	p.text = len(c.text)
	p.grow(bytes.Count(c.text, []byte{'\n'}) + 1)
	r := record{lay: lay, text: c.text, line: c.line, cells: make([][]byte, 0, len(lay.specs)+1)}
	for r.next() {
		if lay.passOver(r.raw) {
			continue
		}
		if column, err := p.row(lay, &r); err != nil {
			p.badCount++
			if len(p.bad) < maxExamples {
				p.bad = append(p.bad, BadRow{lay.file, r.at, column, err.Error()})
			}
			p.truncate()
			continue
		}
		p.lines = append(p.lines, int32(r.at))
	}
}

func (lay *layout) passOver(raw []byte) bool {
	switch {
	case len(raw) == 0:
		return true
	case lay.comment != 0 && raw[0] == lay.comment:
		return true
	}
	return lay.header != nil && bytes.Equal(raw, lay.header)
}

// truncate takes a half-read row back.
func (p *piece) truncate() {
	n := len(p.lines)
	for i := range p.columns {
		s := &p.columns[i]
		if len(s.num) > n {
			s.num = s.num[:n]
		}
		if len(s.nanos) > n {
			s.nanos = s.nanos[:n]
		}
		if len(s.code) > n {
			s.code = s.code[:n]
		}
	}
}

// row adds one record, or says which cell (1-based) is wrong.
func (p *piece) row(lay *layout, r *record) (column int, err error) {
	if r.err != nil {
		return 0, r.err
	}
	if want := lay.width(); len(r.cells) != want {
		err := fmt.Errorf("%d columns, want %d", len(r.cells), want)
		if lay.foreign != nil {
			err = fmt.Errorf("%w%s", err, lay.foreign(len(r.cells)))
		}
		return 0, err
	}
	for i, cell := range r.cells {
		k := i
		if lay.at != nil {
			k = lay.at[i]
		}
		if k < 0 || lay.skip[k] {
			continue
		}
		if err := p.columns[k].cell(lay, k, bytes.TrimSpace(cell)); err != nil {
			return i + 1, fmt.Errorf("%s: %w", lay.specs[k].Name, err)
		}
	}
	for _, k := range lay.absent {
		if !lay.skip[k] {
			p.columns[k].miss()
		}
	}
	return 0, nil
}

// width is how many cells a record has.
func (lay *layout) width() int {
	if lay.at != nil {
		return len(lay.at)
	}
	return len(lay.specs)
}

// miss adds a missing value.
func (s *slab) miss() {
	switch {
	case s.num != nil:
		s.num = append(s.num, nan)
	case s.nanos != nil:
		s.nanos = append(s.nanos, data.NoTime)
	default:
		s.code = append(s.code, data.Missing)
	}
}

func (s *slab) cell(lay *layout, i int, cell []byte) error {
	missing := lay.isMissing(cell)
	switch {
	case s.num != nil:
		return s.number(lay, cell, missing, lay.specs[i].Type == "port")
	case s.nanos != nil:
		v, err := int64(data.NoTime), error(nil)
		if !missing && len(lay.layouts) > 0 {
			v, err = parseLayouts(cell, lay.layouts)
		} else if !missing {
			v, err = parseEpoch(cell)
		}
		if err != nil {
			return err
		}
		s.nanos = append(s.nanos, v)
	case missing:
		s.code = append(s.code, data.Missing)
	default:
		id, ok := s.ids[string(cell)]
		if !ok {
			text, err := lay.text(cell)
			if err != nil {
				return err
			}
			id = uint32(len(s.names))
			s.ids[string(cell)] = id
			s.names = append(s.names, text)
		}
		s.code = append(s.code, id)
	}
	return nil
}

var nan = func() float64 { var z float64; return z / z }()

func (s *slab) number(lay *layout, cell []byte, missing, port bool) error {
	v := nan
	if port && len(cell) == 1 && cell[0] == '-' {
		missing = true
	}
	if !missing {
		var err error
		if v, err = parseNumber(cell); err != nil && port {
			v, err = parseHex(cell)
		}
		if err != nil {
			return fmt.Errorf("%q is not a number", clip(cell))
		}
		if !finite(v) {
			if !lay.infinite {
				return fmt.Errorf("%q is not finite (options.nonfinite: missing takes such cells as missing)", clip(cell))
			}
			v = nan
		}
	}
	s.num = append(s.num, v)
	return nil
}

func (lay *layout) isMissing(cell []byte) bool {
	for _, m := range lay.missing {
		if bytes.Equal(cell, m) {
			return true
		}
	}
	return false
}

// text is a cell as UTF-8.
func (lay *layout) text(cell []byte) (string, error) {
	if lay.latin1 {
		return fromLatin1(cell), nil
	}
	if !utf8.Valid(cell) {
		return "", fmt.Errorf("%q is not UTF-8 (options.encoding: latin-1 reads it)", clip(cell))
	}
	return string(cell), nil
}

// fromLatin1 reads Windows-1252, which agrees with ISO 8859-1 but for 0x80 to 0x9f.
func fromLatin1(cell []byte) string {
	const high = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	table := []rune(high)
	out := make([]rune, len(cell))
	for i, b := range cell {
		if out[i] = rune(b); b >= 0x80 && b < 0xa0 {
			out[i] = table[b-0x80]
		}
	}
	return string(out)
}

func clip(cell []byte) []byte {
	if len(cell) > 60 {
		return cell[:60]
	}
	return cell
}
