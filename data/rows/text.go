package rows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

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

// leastRoom is what a block begins with, since most files of few rows are smaller than a chunk.
const leastRoom = 1 << 14

// maxRecord bounds one record, in bytes: an unclosed quote must not swallow a whole file.
const maxRecord = 1 << 24

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
