package ndjson

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// isArray says whether JSON text is an array, of which each element is to be a row.
func isArray(br *bufio.Reader) bool {
	for n := 1; ; n++ {
		head, err := br.Peek(n)
		if err != nil {
			return false
		}
		switch head[n-1] {
		case ' ', '\t', '\r', '\n':
			continue
		}
		return head[n-1] == '['
	}
}

// arrayLines reads a JSON array as one element a line: what stands between the elements of the outermost array is left
// out, and line ends within an element become blanks. It looks at brackets and quotes alone; elements that are no JSON
// are handed on as they are.
type arrayLines struct {
	in     *bufio.Reader
	out    []byte
	depth  int // of brackets
	text   bool
	escape bool
	done   bool
	err    error
}

// Lines is JSON text with one object a line: the text itself, or the elements of the array that it is.
func Lines(br *bufio.Reader) *bufio.Reader {
	if !isArray(br) {
		return br
	}
	return bufio.NewReaderSize(&arrayLines{in: br}, 1<<16)
}

func (a *arrayLines) Read(p []byte) (int, error) {
	for len(a.out) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		a.fill()
	}
	n := copy(p, a.out)
	a.out = a.out[n:]
	return n, nil
}

// fill turns the next stretch of text into lines.
func (a *arrayLines) fill() {
	a.out = a.out[:0]
	for len(a.out) < 1<<15 && a.err == nil {
		b, err := a.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && a.done:
			a.err = io.EOF
		case errors.Is(err, io.EOF):
			a.err = fmt.Errorf("the JSON array does not end: %w", io.ErrUnexpectedEOF)
		case err != nil:
			a.err = err
		case a.done:
			if b > ' ' {
				a.err = fmt.Errorf("%q after the end of the JSON array", b)
			}
		default:
			a.take(b)
		}
	}
}

// take is the state machine's step.
func (a *arrayLines) take(b byte) {
	switch {
	case a.text:
		switch {
		case a.escape:
			a.escape = false
		case b == '\\':
			a.escape = true
		case b == '"':
			a.text = false
		}
		if b == '\n' {
			b = ' '
		}
	case b == '"':
		a.text = true
	case b == '[', b == '{':
		if a.depth++; a.depth == 1 {
			return
		}
	case b == ']', b == '}':
		if a.depth--; a.depth == 0 {
			a.done = true
			a.out = append(a.out, '\n')
			return
		}
	case b == ',' && a.depth == 1:
		b = '\n'
	case b == '\n' || b == '\r':
		b = ' '
	}
	if a.depth == 1 && b == ' ' && !a.text {
		return // between elements
	}
	a.out = append(a.out, b)
}

var (
	bareNaN      = []byte("NaN")
	bareInfinity = []byte("Infinity")
)

// WithoutNaN is a line of JSON with null in the place of NaN, Infinity and -Infinity, which Python and others write,
// and how many there were. The line itself is not changed.
func WithoutNaN(line []byte) ([]byte, int) {
	if !bytes.Contains(line, bareNaN) && !bytes.Contains(line, bareInfinity) {
		return line, 0
	}
	out := make([]byte, 0, len(line)+8)
	text, n := false, 0
	for i := 0; i < len(line); i++ {
		rest := line[i:]
		switch {
		case text && line[i] == '\\' && i+1 < len(line):
			out = append(out, line[i])
			i++
		case line[i] == '"':
			text = !text
		case text:
		case bytes.HasPrefix(rest, bareNaN):
			out, i, n = append(out, "null"...), i+len(bareNaN)-1, n+1
			continue
		case bytes.HasPrefix(rest, bareInfinity):
			if k := len(out); k > 0 && out[k-1] == '-' {
				out = out[:k-1]
			}
			out, i, n = append(out, "null"...), i+len(bareInfinity)-1, n+1
			continue
		}
		out = append(out, line[i])
	}
	return out, n
}
