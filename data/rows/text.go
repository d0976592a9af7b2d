package rows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"plumbline/data"
	"plumbline/data/value"
	"plumbline/numeric/parallel"
)

// TextFormat is how the lines of a text file are to be read.
type TextFormat struct {
	File      string // its name, for messages
	Separator byte
	Quote     bool   // cells may stand in double quotes, which double for themselves
	Comment   byte   // lines that begin with it are passed over; 0: none
	End       []byte // nothing is read from a line equal to it on; nil: none
	Header    []byte // lines equal to it are passed over; nil: none
	// Cut appends the cells of a line; nil: they stand between separators. Its error makes the line a bad row, and
	// ErrPassOver none.
	Cut      func(line []byte, cells [][]byte) ([][]byte, error)
	Tail     int      // the last cell holds this many cells separated by runs of blanks; 0: it is one
	Missing  [][]byte // texts that mean: missing
	Latin1   bool     // the text is Windows-1252 rather than UTF-8
	Infinite bool     // NaN and infinity are missing rather than an error
	Times    value.Times
	Numbers  value.Notation
	Specs    []ColumnSpec
	At       []int // column of each cell, −1 for none; nil: cell i is column i
	Absent   []int // columns that no cell holds: all missing
	Lenient  bool  // columns that are not those of the files before are passed over, and said
	// Breaks says whether text begins with a comment line from which on the file is to be read in another way; nil:
	// there are none. The text from that line on is then in Rest, and RestLine its line.
	Breaks   func(text []byte) bool
	Rest     []byte
	RestLine int

	skip    []bool                   // columns that are not kept
	pairs   []bool                   // cells that hold an address and a port; nil: none does
	foreign func(columns int) string // the builder's
}

// chunkSize is how much text a worker takes at a time; a longer line makes a longer block.
const chunkSize = 1 << 20

// maxRecord bounds one record, in bytes: an unclosed quote must not swallow a whole file.
const maxRecord = 1 << 24

// textBlock is whole records of text.
type textBlock struct {
	text []byte
	line int // of its first record
	done chan *Chunk
}

// Parse cuts the text into chunks of whole records, parses them on the workers and adds the chunks to the table in
// order. The text is held only while its block is worked on. firstLine is the number of the line that in begins with.
// Errors begin with the name of the file.
func Parse(ctx context.Context, in io.Reader, tf *TextFormat, firstLine int, tb *Builder, workers int) error {
	tf.foreign = tb.Foreign
	tf.takeApart()
	tf.Specs = tb.asTexts(tf.Specs)
	if err := tb.align(tf); err != nil {
		return fmt.Errorf("%s: %w", tf.File, err)
	}
	if err := tb.fix(tf.Specs); err != nil {
		return fmt.Errorf("%s: %w", tf.File, err)
	}
	tf.skip = tb.Skips(tf.Specs)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan *textBlock)
	order := make(chan *textBlock, workers)
	free := make(chan []byte, workers+2)
	used := make(chan *Chunk, workers+2)
	for range workers {
		go func() {
			for c := range work {
				p := (*Chunk)(nil)
				select {
				case p = <-used:
				default:
					p = NewChunk(tf.Specs, tf.skip)
				}
				if caught := parallel.Catch(func() { tf.parse(c, p) }); caught != nil {
					p = &Chunk{err: fmt.Errorf("after line %d: %w", c.line, caught)}
				}
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
		emit := func(c *textBlock) bool {
			select {
			case order <- c:
			case <-ctx.Done():
				return false
			}
			select {
			case work <- c:
				return true
			case <-ctx.Done():
				c.done <- &Chunk{err: ctx.Err()}
				return false
			}
		}
		if p := parallel.Catch(func() { readErr = cut(ctx, in, tf, firstLine, free, emit) }); p != nil {
			readErr = p
		}
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
			if err = tb.Add(p); err != nil {
				cancel()
			}
			select {
			case used <- p.Clear():
			default:
			}
		}
	}
	if err == nil {
		err = readErr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", tf.File, err)
	}
	return nil
}

// cut reads chunks of whole records.
func cut(
	ctx context.Context,
	in io.Reader,
	tf *TextFormat,
	line int,
	free chan []byte,
	emit func(*textBlock) bool,
) error {
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
		if at := tf.endIn(buf); at >= 0 {
			buf, last = buf[:at], true
		} else if at := tf.breakIn(buf); at >= 0 {
			tf.Rest = bytes.Clone(buf[at:])
			buf, last = buf[:at], true
			tf.RestLine = line + bytes.Count(buf, []byte{'\n'})
		}
		end := len(buf)
		if !last {
			end = tf.lastRecordEnd(buf)
		}
		if end == 0 && !last {
			if len(buf) > maxRecord {
				return fmt.Errorf("line %d: a record longer than %d bytes; an unclosed quote?", line, maxRecord)
			}
			carry = append(carry[:0], buf...)
			continue
		}
		carry = append(carry[:0], buf[end:]...)
		c := &textBlock{text: buf[:end], line: line, done: make(chan *Chunk, 1)}
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
func (tf *TextFormat) endIn(text []byte) int {
	if tf.End == nil {
		return -1
	}
	for at := 0; ; {
		i := bytes.Index(text[at:], tf.End)
		if i < 0 {
			return -1
		}
		i += at
		at = i + len(tf.End)
		rest := text[at:]
		if (i == 0 || text[i-1] == '\n') &&
			(bytes.HasPrefix(rest, []byte{'\n'}) || bytes.HasPrefix(rest, []byte("\r\n"))) {
			return i
		}
	}
}

// breakIn is where the first line begins from which on the text is to be read in another way; −1: nowhere in text.
func (tf *TextFormat) breakIn(text []byte) int {
	if tf.Breaks == nil {
		return -1
	}
	for at := 0; at < len(text); {
		if tf.Breaks(text[at:]) {
			return at
		}
		i := bytes.Index(text[at:], []byte{'\n', tf.Comment})
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	return -1
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
func (tf *TextFormat) firstRecordEnd(text []byte) int {
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
			if text[i] != tf.Separator && text[i] != '\n' {
				return line
			}
		}
		for text[i] != tf.Separator && text[i] != '\n' {
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
func (tf *TextFormat) lastRecordEnd(text []byte) int {
	if !tf.Quote || bytes.IndexByte(text, '"') < 0 {
		return bytes.LastIndexByte(text, '\n') + 1
	}
	end := 0
	for {
		n := tf.firstRecordEnd(text[end:])
		if n == 0 {
			return end
		}
		end += n
	}
}

// parse parses one textBlock into an empty chunk.
func (tf *TextFormat) parse(c *textBlock, p *Chunk) {
	p.text = len(c.text)
	p.grow(bytes.Count(c.text, []byte{'\n'}) + 1)
	r := record{tf: tf, text: c.text, line: c.line, cells: make([][]byte, 0, len(tf.Specs)+1)}
	for r.next() {
		if tf.passOver(r.raw) || errors.Is(r.err, ErrPassOver) {
			continue
		}
		if column, err := p.row(tf, &r); err != nil {
			p.BadCount++
			if len(p.Bad) < MaxExamples {
				p.Bad = append(p.Bad, BadRow{tf.File, r.at, column, err.Error()})
			}
			p.truncate()
			continue
		}
		p.Lines = append(p.Lines, int32(r.at))
	}
}

func (tf *TextFormat) passOver(raw []byte) bool {
	switch {
	case len(raw) == 0:
		return true
	case tf.Comment != 0 && raw[0] == tf.Comment:
		return true
	}
	return tf.Header != nil && bytes.Equal(raw, tf.Header)
}

// row adds one record, or says which cell (1-based) is wrong.
func (p *Chunk) row(tf *TextFormat, r *record) (column int, err error) {
	if r.err != nil {
		return 0, r.err
	}
	cells := r.cells
	if want := tf.width(); len(cells) != want {
		err := fmt.Errorf("%d columns, want %d", len(r.cells), want)
		if tf.foreign != nil {
			err = fmt.Errorf("%w%s", err, tf.foreign(len(r.cells)))
		}
		return 0, err
	}
	if tf.pairs != nil {
		if r.apart, column, err = tf.apart(cells, r.apart[:0]); err != nil {
			return column, err
		}
		cells = r.apart
	}
	for i, cell := range cells {
		k := i
		if tf.At != nil {
			k = tf.At[i]
		}
		if k < 0 || tf.skip[k] {
			continue
		}
		if isNoPort(cell) {
			p.Columns[k].Miss()
			continue
		}
		if err := p.Columns[k].Cell(tf, k, bytes.TrimSpace(cell)); err != nil {
			return tf.cellOf(i) + 1, fmt.Errorf("%s: %w", tf.Specs[k].Name, err)
		}
	}
	for _, k := range tf.Absent {
		if !tf.skip[k] {
			p.Columns[k].Miss()
		}
	}
	return 0, nil
}

// cellOf is the cell of a record, from 0, from which the i-th came when endpoints were taken apart.
func (tf *TextFormat) cellOf(i int) int {
	for c, pair := range tf.pairs {
		if pair && c < i {
			i--
		}
	}
	return i
}

// width is how many cells a record has.
func (tf *TextFormat) width() int {
	if tf.pairs != nil {
		return len(tf.pairs)
	}
	if tf.At != nil {
		return len(tf.At)
	}
	return len(tf.Specs)
}

func (s *ColumnChunk) Cell(tf *TextFormat, i int, cell []byte) error {
	missing := tf.isMissing(cell)
	switch {
	case s.Num != nil:
		return s.number(tf, cell, missing, tf.Specs[i].Type == "port")
	case s.Nanos != nil:
		v, err := int64(data.NoTime), error(nil)
		if !missing {
			v, err = tf.Times.Parse(cell)
		}
		if err != nil {
			return err
		}
		s.Nanos = append(s.Nanos, v)
	case missing:
		s.Code = append(s.Code, data.Missing)
	default:
		id, ok := s.ids[string(cell)]
		if !ok {
			text, err := tf.text(cell)
			if err != nil {
				return err
			}
			id = uint32(len(s.names))
			s.ids[string(cell)] = id
			s.names = append(s.names, text)
		}
		s.Code = append(s.Code, id)
	}
	return nil
}

func (s *ColumnChunk) number(tf *TextFormat, cell []byte, missing, port bool) error {
	v := nan
	if port && len(cell) == 1 && cell[0] == '-' {
		missing = true
	}
	if !missing {
		var err error
		if v, err = tf.Numbers.Number(cell); err != nil && port {
			v, err = value.Hex(cell)
		}
		if err != nil {
			return fmt.Errorf("%q is not a number", Clip(cell))
		}
		if !value.Finite(v) {
			if !tf.Infinite {
				return fmt.Errorf(
					"%q is not finite (options.nonfinite: missing takes such cells as missing)",
					Clip(cell),
				)
			}
			v = nan
		}
	}
	s.Num = append(s.Num, v)
	return nil
}

func (tf *TextFormat) isMissing(cell []byte) bool {
	for _, m := range tf.Missing {
		if bytes.Equal(cell, m) {
			return true
		}
	}
	return false
}

// Texts is one record's cells without the blanks around them. Where the record is wrongly quoted, the error says so.
func (tf *TextFormat) Texts(line []byte) ([]string, error) {
	r := record{tf: tf, text: line, line: 1}
	r.next()
	out := make([]string, len(r.cells))
	for i, c := range r.cells {
		text, err := tf.text(bytes.TrimSpace(c))
		if err != nil {
			return nil, err
		}
		out[i] = text
	}
	return out, r.err
}

// Whole says whether text holds all of the record that it begins with: a quoted cell may go on in the next line.
func (tf *TextFormat) Whole(text []byte) bool { return tf.firstRecordEnd(text) > 0 }

// text is a cell as UTF-8.
func (tf *TextFormat) text(cell []byte) (string, error) {
	if tf.Latin1 {
		return fromLatin1(cell), nil
	}
	if !utf8.Valid(cell) {
		return "", fmt.Errorf("%q is not UTF-8 (options.encoding: latin-1 reads it)", Clip(cell))
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

func Clip(cell []byte) []byte {
	if len(cell) > 60 {
		return cell[:60]
	}
	return cell
}
