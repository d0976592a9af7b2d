package flowlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/corpus"
	"plumbline/data/rows"
)

// Zeek reads Zeek's tab-separated logs, whose header lines name and type the columns. Labelled logs of the
// Stratosphere laboratory, which add "label" and "detailed-label" after the last column with blanks
// between, are recognised.
type Zeek struct {
	// number columns to be read as categories, such as ports
	Categories []string `yaml:"categories"`
}

// Schema is nil: the files name their columns.
func (z *Zeek) Schema() []rows.ColumnSpec { return nil }

// Check says what is wrong with the settings.
func (z *Zeek) Check(settings.Node) settings.Problems { return nil }

// zeekHeader is what the lines before the data say.
type zeekHeader struct {
	separator    byte
	unset, empty string
	path         string // which log it is, such as conn
	fields       []string
	types        []string
	lines        int // of the header that was read last
}

// Read reads one log, or several that were put together: each header holds for what follows it. Columns are told by
// their names, in whatever order; those that the first log does not have are passed over.
func (z *Zeek) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	text := &unread{in: corpus.PastBOM(in)}
	br := bufio.NewReader(text)
	h := zeekHeader{separator: '\t', unset: "-", empty: "(empty)"}
	for line, first := 1, true; ; first = false {
		path := h.path
		if err := h.read(br); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line+h.lines-1, err)
		}
		if line += h.lines; path != "" && h.path != path {
			return fmt.Errorf(
				"%s:%d: the log changes from %q to %q: they are different tables",
				name,
				line-1,
				path,
				h.path,
			)
		}
		tf := &rows.TextFormat{
			File:      name,
			Separator: h.separator,
			Comment:   '#',
			Missing:   [][]byte{[]byte(h.unset), []byte(h.empty), {}},
			Breaks:    changesHeader,
			Lenient:   !first,
		}
		var err error
		if tf.Specs, tf.Tail, err = z.specs(h, tb.Plan); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line-1, err)
		}
		if err := rows.Parse(ctx, br, tf, line, tb, workers); err != nil {
			return err
		}
		if tf.Rest == nil {
			return nil
		}
		buffered, err := br.Peek(br.Buffered())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		text.front = slices.Concat(tf.Rest, buffered, text.front)
		br.Reset(text)
		line = tf.RestLine
	}
}

// unread is a reader to which text that was read too far can be given back.
type unread struct {
	front []byte
	in    io.Reader
}

func (u *unread) Read(p []byte) (int, error) {
	if len(u.front) > 0 {
		n := copy(p, u.front)
		u.front = u.front[n:]
		return n, nil
	}
	return u.in.Read(p)
}

// changesHeader says whether text begins with a line that says anew how a log is to be read.
func changesHeader(text []byte) bool {
	if len(text) == 0 || text[0] != '#' {
		return false
	}
	for _, key := range []string{"#separator", "#unset_field", "#empty_field", "#fields", "#types", "#path"} {
		if bytes.HasPrefix(text, []byte(key)) {
			return true
		}
	}
	return false
}

// read reads the header lines that come next; what they do not say stays as it was.
func (h *zeekHeader) read(br *bufio.Reader) error {
	h.lines = 0
	for {
		if next, err := br.Peek(1); err != nil || next[0] != '#' {
			break
		}
		raw, err := corpus.ReadLine(br)
		h.lines++
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		line := string(bytes.TrimRight(raw, "\r\n"))
		if text, ok := strings.CutPrefix(line, "#separator "); ok {
			sep, err := strconv.Unquote(`"` + strings.TrimSpace(text) + `"`)
			if err != nil || len(sep) != 1 {
				return fmt.Errorf("#separator %q: want one character", text)
			}
			h.separator = sep[0]
			continue
		}
		key, rest, _ := strings.Cut(line, string(h.separator))
		switch key {
		case "#unset_field":
			h.unset = rest
		case "#empty_field":
			h.empty = rest
		case "#path":
			h.path = rest
		case "#fields":
			h.fields = strings.Split(rest, string(h.separator))
		case "#types":
			h.types = strings.Split(rest, string(h.separator))
		}
	}
	switch {
	case h.lines == 0:
		h.lines = 1
		if _, err := br.Peek(1); errors.Is(err, io.EOF) {
			return errors.New("the file is empty")
		} else if err != nil {
			return err
		}
		return errors.New("not a Zeek log: no header lines (#separator, #fields, #types)")
	case h.fields == nil || h.types == nil:
		return errors.New("the header lacks #fields or #types")
	case len(h.fields) != len(h.types):
		return fmt.Errorf("%d fields and %d types in the header", len(h.fields), len(h.types))
	}
	return nil
}

// ZeekColumns is the columns that the header of a log names. Errors begin with the file's name, as in read.
func ZeekColumns(br *bufio.Reader, name string) ([]rows.ColumnSpec, error) {
	h := zeekHeader{separator: '\t', unset: "-", empty: "(empty)"}
	if err := h.read(br); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, h.lines, err)
	}
	specs, _, err := (&Zeek{}).specs(h, rows.Plan{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return specs, nil
}

// specs turns header fields into columns. tail is the number of cells in the last tab-separated one.
func (z *Zeek) specs(h zeekHeader, p rows.Plan) (specs []rows.ColumnSpec, tail int, err error) {
	last := len(h.fields) - 1
	fields, types := h.fields[:last:last], h.types[:last:last]
	names, kinds := strings.Fields(h.fields[last]), strings.Fields(h.types[last])
	if len(names) == 0 || len(names) != len(kinds) {
		return nil, 0, fmt.Errorf("last field %q does not fit its type %q", h.fields[last], h.types[last])
	}
	fields, types = append(fields, names...), append(types, kinds...)
	fields = p.Canonical(fields)
	for i, f := range fields {
		kind := rows.Kind("category")
		switch types[i] {
		case "time":
			kind = "time"
		case "interval", "double", "count", "int":
			kind = "number"
		case "port":
			kind = "number"
		case "addr", "subnet":
			kind = "address"
		}
		if kind == "number" && slices.Contains(z.Categories, f) {
			kind = "category"
		}
		specs = append(specs, rows.ColumnSpec{Name: f, Type: kind})
	}
	for _, c := range z.Categories {
		if !slices.Contains(fields, c) {
			return nil, 0, fmt.Errorf("options.categories names the column %q, which the log does not have", c)
		}
	}
	return specs, len(names), nil
}
