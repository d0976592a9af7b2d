package source

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
)

func init() {
	RegisterFormat("zeek", func() Source { return &Zeek{} })
}

// Zeek reads Zeek's tab-separated logs, whose header lines name and type the columns. Labelled logs of the
// Stratosphere laboratory, which add "label" and "detailed-label" after the last column with blanks
// between, are recognised.
type Zeek struct {
	// number columns to be read as categories, such as ports
	Categories []string `yaml:"categories"`
}

// Schema is nil: the files name their columns.
func (z *Zeek) Schema() []ColumnSpec { return nil }

// Check says what is wrong with the settings.
func (z *Zeek) Check(c *Config) settings.Problems {
	if len(c.Files.Train) == 0 {
		return settings.Problems{{Where: c.Options.File, Path: "files.train", Msg: "names no file"}}
	}
	return nil
}

// zeekHeader is what the lines before the data say.
type zeekHeader struct {
	separator    byte
	unset, empty string
	fields       []string
	types        []string
	lines        int
}

func (z *Zeek) read(ctx context.Context, in io.Reader, name string, tb *builder, workers int) error {
	br := corpus.PastBOM(in)
	h, err := readZeekHeader(br)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", name, h.lines, err)
	}
	tf := &textFormat{
		file:      name,
		separator: h.separator,
		comment:   '#',
		missing:   [][]byte{[]byte(h.unset), []byte(h.empty), {}},
	}
	tf.specs, tf.tail, err = z.specs(h)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", name, h.lines, err)
	}
	return parseFile(ctx, br, tf, h.lines+1, tb, workers)
}

func readZeekHeader(br *bufio.Reader) (zeekHeader, error) {
	h := zeekHeader{separator: '\t', unset: "-", empty: "(empty)"}
	for {
		if next, err := br.Peek(1); err != nil || next[0] != '#' {
			break
		}
		raw, err := corpus.ReadLine(br)
		h.lines++
		if err != nil && !errors.Is(err, io.EOF) {
			return h, err
		}
		line := string(bytes.TrimRight(raw, "\r\n"))
		if text, ok := strings.CutPrefix(line, "#separator "); ok {
			sep, err := strconv.Unquote(`"` + strings.TrimSpace(text) + `"`)
			if err != nil || len(sep) != 1 {
				return h, fmt.Errorf("#separator %q: want one character", text)
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
			return h, errors.New("the file is empty")
		} else if err != nil {
			return h, err
		}
		return h, errors.New("not a Zeek log: no header lines (#separator, #fields, #types)")
	case h.fields == nil || h.types == nil:
		return h, errors.New("the header lacks #fields or #types")
	case len(h.fields) != len(h.types):
		return h, fmt.Errorf("%d fields and %d types in the header", len(h.fields), len(h.types))
	}
	return h, nil
}

// specs turns header fields into columns. tail is the number of cells in the last tab-separated one.
func (z *Zeek) specs(h zeekHeader) (specs []ColumnSpec, tail int, err error) {
	last := len(h.fields) - 1
	fields, types := h.fields[:last:last], h.types[:last:last]
	names, kinds := strings.Fields(h.fields[last]), strings.Fields(h.types[last])
	if len(names) == 0 || len(names) != len(kinds) {
		return nil, 0, fmt.Errorf("last field %q does not fit its type %q", h.fields[last], h.types[last])
	}
	fields, types = append(fields, names...), append(types, kinds...)
	for i, f := range fields {
		kind := columnKind("category")
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
		specs = append(specs, ColumnSpec{f, kind})
	}
	for _, c := range z.Categories {
		if !slices.Contains(fields, c) {
			return nil, 0, fmt.Errorf("options.categories names the column %q, which the log does not have", c)
		}
	}
	return specs, len(names), nil
}
