package rows

import (
	"bytes"
	"errors"
)

// record walks the records of a block of text.
type record struct {
	tf    *TextFormat
	text  []byte
	line  int // of the next record
	at    int // line of this record
	raw   []byte
	cells [][]byte
	apart [][]byte // room for cells that are taken apart
	err   error
}

// next moves to the next record and cuts it into cells.
func (r *record) next() bool {
	if len(r.text) == 0 {
		return false
	}
	r.at, r.err = r.line, nil
	end := bytes.IndexByte(r.text, '\n')
	if end < 0 {
		end = len(r.text)
	}
	if r.tf.Quote && bytes.IndexByte(r.text[:end], '"') >= 0 {
		r.quoted()
		return true
	}
	r.raw = bytes.TrimSuffix(r.text[:end], []byte{'\r'})
	r.advance(end)
	r.split()
	return true
}

func (r *record) advance(end int) {
	r.line++
	r.text = r.text[min(end+1, len(r.text)):]
}

func (r *record) split() {
	r.cells = r.cells[:0]
	if r.tf.Cut != nil {
		if len(r.raw) > 0 {
			r.cells, r.err = r.tf.Cut(r.raw, r.cells)
		}
		return
	}
	rest := r.raw
	for {
		i := bytes.IndexByte(rest, r.tf.Separator)
		if i < 0 {
			break
		}
		r.cells = append(r.cells, rest[:i])
		rest = rest[i+1:]
	}
	r.cells = append(r.cells, rest)
	if n := r.tf.Tail; n > 1 {
		r.cells = append(r.cells[:len(r.cells)-1], tailCells(rest, n)...)
	}
}

// tailCells cuts the last cell at runs of blanks.
func tailCells(cell []byte, n int) [][]byte {
	parts := bytes.Fields(cell)
	if len(parts) > n {
		parts = parts[:n+1] // one too many, so that the count is wrong
	}
	return parts
}

var errQuote = errors.New("quote without an end, or text after a closing quote")

// quoted cuts a record that has quotes, which may run over several lines. One that is wrongly quoted is its
// first line alone, so that the rows after it are read.
func (r *record) quoted() {
	r.cells = r.cells[:0]
	text, i, lines := r.text, 0, 0
	for {
		var cell []byte
		if i < len(text) && text[i] == '"' {
			i++
			for {
				j := bytes.IndexByte(text[i:], '"')
				if j < 0 {
					r.wrong()
					return
				}
				lines += bytes.Count(text[i:i+j], []byte{'\n'})
				cell = append(cell, text[i:i+j]...)
				i += j + 1
				if i < len(text) && text[i] == '"' {
					cell = append(cell, '"')
					i++
					continue
				}
				break
			}
			if i < len(text) && text[i] == '\r' && (i+1 == len(text) || text[i+1] == '\n') {
				i++
			}
			if i < len(text) && text[i] != r.tf.Separator && text[i] != '\n' {
				r.wrong()
				return
			}
		} else {
			from := i
			for i < len(text) && text[i] != r.tf.Separator && text[i] != '\n' {
				i++
			}
			cell = text[from:i]
			if i == len(text) || text[i] == '\n' {
				cell = bytes.TrimSuffix(cell, []byte{'\r'})
			}
		}
		r.cells = append(r.cells, cell)
		if i >= len(text) || text[i] == '\n' {
			break
		}
		i++
	}
	r.finish(i, lines)
}

func (r *record) finish(end, lines int) {
	r.raw = bytes.TrimSuffix(r.text[:min(end, len(r.text))], []byte{'\r'})
	r.line += lines
	r.advance(end)
}

func (r *record) wrong() {
	r.err, r.cells = errQuote, r.cells[:0]
	end := bytes.IndexByte(r.text, '\n')
	if end < 0 {
		end = len(r.text)
	}
	r.finish(end, 0)
}

// ErrPassOver, as the error of a cut line, says that the line is none of the table's rows.
var ErrPassOver = errors.New("not a row")
