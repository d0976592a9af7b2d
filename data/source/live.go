package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"plumbline/data"
	"plumbline/data/flowlog"
	"plumbline/data/ndjson"
	"plumbline/data/rows"
)

// Live is the config of rows of the same kind that come as they are made, without labels and parts: a column that held
// the truth may be there or not. It reads pieces of text ([Config.Piece]). Data sets whose rows depend on other rows
// ([Config.Streams]) are refused. Rows of a data set that is generated, or in files that are no text, are read as CSV
// with a header, the columns in any order, or as a JSON object a line: columns are those of the table, of which the
// needed ones must be there.
func (c *Config) Live(columns []data.Field, needed func(name string) bool) (*Config, error) {
	out := *c
	out.pseudonyms = nil // who watches has them
	out.Label, out.tested, out.Identify, out.Expect, out.Files = Label{}, nil, nil, Expect{}, Files{}
	_, files := c.source.(fileSource)
	if files && !out.Streams(false) || !files && len(c.Derive) > 0 {
		return nil, fmt.Errorf("data: %s: rows depend on other rows of the data set (derive), so that they cannot be "+
			"read as they come", c.Name)
	}
	truth := slices.Concat(c.Label.Levels, []string{c.Label.Column, c.Label.Class})
	isTruth := func(s rows.ColumnSpec) bool { return slices.Contains(truth, s.Name) }
	switch s := c.source.(type) {
	case *Delimited:
		d := *s
		if d.Header {
			if d.Columns != nil {
				d.Columns, d.ByName = slices.DeleteFunc(slices.Clone(d.Columns), isTruth), true
			}
			d.Types = maps.Clone(d.Types)
			maps.DeleteFunc(d.Types, func(name string, _ rows.Kind) bool { return slices.Contains(truth, name) })
		}
		out.source = &d
	case *flowlog.Zeek:
		z := *s
		z.Categories = slices.DeleteFunc(slices.Clone(z.Categories), func(n string) bool {
			return slices.Contains(truth, n)
		})
		out.source = &z
	case *flowlog.ZeekJSON, *flowlog.Suricata, *ndjson.Format:
	default:
		if len(c.Derive) > 0 {
			return nil, fmt.Errorf("data: %s: format %s with derived columns cannot be read as it grows", c.Name,
				c.Format)
		}
		d := newDelimited()
		d.Header, d.ByName, d.TimeLayouts, d.Columns = true, true, textLayouts, nil
		for _, f := range columns {
			d.Columns = append(d.Columns, rows.ColumnSpec{Name: f.Name, Type: rows.Kind(f.Type.String())})
		}
		out.source, out.Format, out.Drop = &liveText{d, needed}, textFormat, nil
	}
	return &out, nil
}

// textFormat is the format of rows whose data set has no text format: as text.
const textFormat = "text"

// liveText is such rows, before it is known which columns they have.
type liveText struct {
	*Delimited
	needed func(name string) bool
}

// as is the source of rows that begin so, with the columns that the first line has.
func (l *liveText) as(begin []byte) Source {
	line, _, _ := bytes.Cut(begin, []byte("\n"))
	line = bytes.ToLower(line)
	has := func(s rows.ColumnSpec) bool { return bytes.Contains(line, []byte(strings.ToLower(s.Name))) }
	var specs []rows.ColumnSpec
	for _, s := range l.Columns {
		if l.needed(s.Name) || has(s) {
			specs = append(specs, s)
		}
	}
	if bytes.HasPrefix(line, []byte("{")) {
		n := ndjson.New()
		n.Columns, n.TimeLayouts = specs, textLayouts
		return n
	}
	d := *l.Delimited
	names := slices.Collect(func(yield func(string) bool) {
		for cell := range bytes.SplitSeq(line, []byte(",")) {
			if !yield(string(bytes.Trim(cell, "\" \r"))) {
				return
			}
		}
	})
	d.Columns = slices.DeleteFunc(specs, func(s rows.ColumnSpec) bool {
		return !l.needed(s.Name) && !slices.Contains(names, strings.ToLower(s.Name))
	})
	return &d
}

// textLayouts are the times of such rows: as the program exports them, or seconds since 1970.
var textLayouts = []string{time.RFC3339Nano, "unix"}

// As is a [Config.Live] that reads text of another format with the same columns: zeek for zeek-json and the other way
// round, JSON objects for CSV where the data set has no text format, told by how the text begins. Any other is read as
// it is.
func (c *Config) As(text []byte) *Config {
	text = bytes.TrimLeft(text, "\ufeff \r\n")
	out := *c
	switch s := c.source.(type) {
	case *liveText:
		out.source = s.as(text)
		return &out
	case *flowlog.Zeek:
		if bytes.HasPrefix(text, []byte("{")) {
			out.source, out.Format = &flowlog.ZeekJSON{}, "zeek-json"
			return &out
		}
	case *flowlog.ZeekJSON:
		if bytes.HasPrefix(text, []byte("#separator")) {
			out.source, out.Format = &flowlog.Zeek{}, "zeek"
			return &out
		}
	}
	return c
}

// Head says what a file begins with that tells how its lines are read.
type Head int

// Heads.
const (
	NoHead    Head = iota
	FirstLine      // the first line that is not blank
	Comments       // lines that begin with #, also further down; each run of them that has #fields is one
)

// Head is what files of the format begin with.
func (c *Config) Head() Head {
	switch s := c.source.(type) {
	case *Delimited:
		if s.Header {
			return FirstLine
		}
	case *flowlog.Zeek:
		return Comments
	}
	return NoHead
}

// LastEnd is where the last whole record of text ends that begins with a record: 0 where there is none.
func (c *Config) LastEnd(text []byte) int {
	if d, ok := c.source.(*Delimited); ok {
		return (&rows.TextFormat{Separator: d.separator(), Quote: d.Quote}).LastEnd(text)
	}
	return bytes.LastIndexByte(text, '\n') + 1
}

// Piece reads whole records of a growing file, the head of the file in front, under a name for messages. Rows that
// cannot be read are left out and counted in the report, however many; each is given the others in blocks, as [Stream]
// does. Lines are counted from the beginning of in.
func (c *Config) Piece(ctx context.Context, in io.Reader, name string, each func(t *data.Table) error) (*ReadReport,
	error) {
	src, ok := c.source.(fileSource)
	if !ok {
		return nil, fmt.Errorf("data: %s: format %s reads no files", c.Name, c.Format)
	}
	plan := rows.Plan{Name: c.Name, Drop: c.Drop, Aliases: c.Aliases, Foreign: c.foreign}
	s := &stream{intake: &intake{config: c, Builder: rows.NewBuilder(plan)}, file: name,
		repaired: make([]int, len(c.Repair)), each: func(t *data.Table, _ float64) error { return each(t) }}
	s.Each = s.block
	if err := src.Read(ctx, in, name, s.Builder, 1); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return &ReadReport{Rows: s.kept, Bad: s.BadCount, Examples: s.Examples, Warnings: s.Warnings}, nil
}

// Derived repairs the values of rows that are not read from text, and adds the derived columns.
func (c *Config) Derived(t *data.Table) error { return c.deriveBlock(t, 1, make([]int, len(c.Repair))) }
