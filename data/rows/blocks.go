package rows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// textBlock is whole records of text.
type textBlock struct {
	text []byte
	line int // of its first record
	done chan *Chunk
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
			buf = nil // fill takes memory as the content comes
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
		if len(buf) == cap(buf) {
			room := min(max(2*cap(buf), leastRoom), max(want, chunkSize+chunkSize/8))
			buf = append(make([]byte, 0, room), buf...)
		}
		n, err := in.Read(buf[len(buf):min(want, cap(buf))])
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

// Whole says whether text holds all of the record that it begins with: a quoted cell may go on in the next line.
func (tf *TextFormat) Whole(text []byte) bool { return tf.firstRecordEnd(text) > 0 }

// LastEnd is where the last whole record of text, which begins a record, ends: 0 where there is none.
func (tf *TextFormat) LastEnd(text []byte) int { return tf.lastRecordEnd(text) }
