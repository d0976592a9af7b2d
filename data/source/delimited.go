package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data/corpus"
	"plumbline/data/rows"
	"plumbline/data/value"
)

// Delimited reads text with a separator: CSV, TSV and their relatives.
type Delimited struct {
	// one character; \t for a tab; auto: the one of tab, comma, semicolon and bar that the header has most of
	Separator string `yaml:"separator"`
	// the first line names the columns
	Header bool `yaml:"header"`
	// lines equal to the header inside the file are passed over
	RepeatedHeader bool `yaml:"repeated_header"`
	// a line that ends the data, such as Summary in what nfdump writes; what follows it is passed over
	End string `yaml:"end"`
	// name and type (number, category, time, address) of every column, in order; with a header, only checked against it
	Columns []rows.ColumnSpec `yaml:"columns"`
	// columns are looked up in the header by name: the file may have others, in any order
	ByName bool `yaml:"by_name"`
	// with by_name, a column that a file does not have: an error, or missing throughout
	Absent string `yaml:"absent" jsonschema:"enum=error,enum=missing"`
	// with a header and without columns: types of the columns that are not of default_type
	Types map[string]rows.Kind `yaml:"types" jsonschema:"enum=number,enum=category,enum=time,enum=address,enum=port,enum=endpoint"`
	// type of the columns that types does not name
	DefaultType rows.Kind `yaml:"default_type" jsonschema:"enum=number,enum=category"`
	// cells may stand in double quotes
	Quote bool `yaml:"quote"`
	// cell texts that mean: missing
	Missing []string `yaml:"missing"`
	// what NaN and Infinity in a number column are: a bad row, or missing
	NonFinite string `yaml:"nonfinite" jsonschema:"enum=error,enum=missing"`
	// latin-1 includes Windows-1252
	Encoding string `yaml:"encoding" jsonschema:"enum=utf-8,enum=latin-1"`
	// how times are written, in Go's reference time (02/01/2006 15:04:05), or unix; none: unix. That is seconds since
	// 1970, or milliseconds, microseconds or nanoseconds where the number is too large for seconds
	TimeLayouts []string `yaml:"time_layouts"`
	// work: the hours 1 to 7 are those of the afternoon, which repairs a 12-hour clock that lost its AM and PM, where
	// what was recorded are working hours
	Hours string `yaml:"hours" jsonschema:"enum=24,enum=work"`
	// the decimal mark of numbers; a comma in files of many European tools
	Decimal string `yaml:"decimal"`
	// the mark that groups the digits of numbers by three, as in 1,234,567; none: they are not grouped
	Thousands string `yaml:"thousands"`
	// K, M, G or T (powers of 1,000) may follow a number, as nfdump and CIDDS-001 have it, or %
	Units bool `yaml:"units"`
}

// newDelimited has the defaults.
func newDelimited() *Delimited {
	return &Delimited{
		Separator: ",", Quote: true, Missing: []string{""}, Encoding: "utf-8", NonFinite: "error",
		DefaultType: "number", Absent: "error", Hours: "24",
	}
}

// Schema lists the declared columns as the table has them.
func (d *Delimited) Schema() []rows.ColumnSpec { return rows.Apart(d.Columns) }

// Check says what is wrong with the settings.
func (d *Delimited) Check(options settings.Node) (ps settings.Problems) {
	add := func(format string, args ...any) { ps = append(ps, options.Problem(format, args...)) }
	switch {
	case d.Separator == "auto" && !d.Header:
		add("separator auto needs a header")
	case d.Separator != "auto" && d.separator() == 0:
		add("separator %q: want one ASCII character", d.Separator)
	}
	if !d.Header && len(d.Columns) == 0 {
		add("without a header, columns must name the columns")
	}
	if len(d.Columns) > 0 && len(d.Types) > 0 {
		add("give columns or types, not both")
	}
	if d.ByName && (!d.Header || len(d.Columns) == 0) {
		add("by_name needs header and columns")
	}
	if d.RepeatedHeader && !d.Header {
		add("repeated_header needs header")
	}
	for name, mark := range map[string]string{"decimal": d.Decimal, "thousands": d.Thousands} {
		if len(mark) > 1 || len(mark) == 1 && (mark[0] >= 0x80 || strings.ContainsAny(mark, "0123456789+-eE")) {
			add("%s %q: want one ASCII character that is no digit or sign", name, mark)
		}
	}
	if d.Thousands != "" && d.Thousands == cmp.Or(d.Decimal, ".") {
		add("thousands and decimal are the same mark, %q", d.Thousands)
	}
	for i, col := range d.Columns {
		if col.Name == "" || col.Type == "" {
			add("column %d needs a name and a type", i+1)
		}
	}
	return ps
}

func (d *Delimited) notation() value.Notation {
	n := value.Notation{Units: d.Units}
	if len(d.Decimal) == 1 && d.Decimal != "." {
		n.Decimal = d.Decimal[0]
	}
	if len(d.Thousands) == 1 {
		n.Thousands = d.Thousands[0]
	}
	return n
}

func (d *Delimited) separator() byte {
	s := d.Separator
	if s == `\t` || s == "tab" {
		s = "\t"
	}
	if len(s) != 1 || s[0] >= 0x80 || s[0] == '"' || s[0] == '\n' {
		return 0
	}
	return s[0]
}

// commonest is the usual separator that a header has most of.
func CommonestSeparator(header []byte) byte {
	best, top := byte(','), 0
	for _, c := range []byte("\t,;|") {
		if n := bytes.Count(header, []byte{c}); n > top {
			best, top = c, n
		}
	}
	return best
}

func (d *Delimited) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	tf := &rows.TextFormat{
		File:      name,
		Separator: d.separator(),
		Quote:     d.Quote,
		Latin1:    d.Encoding == "latin-1",
		Infinite:  d.NonFinite == "missing",
		Times:     value.Times{Layouts: d.TimeLayouts, WorkHours: d.Hours == "work"},
		Numbers:   d.notation(),
		Specs:     d.Columns,
	}
	if d.End != "" {
		tf.End = []byte(d.End)
	}
	for _, m := range d.Missing {
		tf.Missing = append(tf.Missing, []byte(m))
	}
	br := corpus.PastBOM(in)
	line := 1
	if d.Header {
		raw, err := corpus.ReadLine(br)
		for err == nil && len(bytes.TrimSpace(raw)) == 0 { // blank lines before the header
			raw, err = corpus.ReadLine(br)
			line++
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(bytes.TrimSpace(raw)) == 0) {
			if errors.Is(err, io.EOF) {
				return fmt.Errorf("%s: the file is empty", name)
			}
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		raw = bytes.TrimRight(bytes.Clone(raw), "\r\n")
		if d.Separator == "auto" {
			tf.Separator = CommonestSeparator(raw)
		}
		if tf.Specs, err = d.headerSpecs(tf, raw, tb); err != nil {
			return fmt.Errorf("%s:%d: %w%s", name, line, err, tb.Foreign(bytes.Count(raw, []byte{tf.Separator})+1))
		}
		if d.RepeatedHeader {
			tf.Header = raw
		}
		line++
	} else if _, err := br.Peek(1); errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file is empty", name)
	}
	return rows.Parse(ctx, br, tf, line, tb, workers)
}

// headerSpecs are the columns that the header line names, checked against the declared ones.
func (d *Delimited) headerSpecs(tf *rows.TextFormat, raw []byte, tb *rows.Builder) ([]rows.ColumnSpec, error) {
	cells, err := tf.Texts(raw)
	if err != nil {
		return nil, fmt.Errorf("unreadable header: %w", err)
	}
	var names []string
	known := map[string]bool{}
	for i, text := range cells {
		if text == "" {
			text = fmt.Sprintf("column %d", i+1)
		}
		if known[text] { // CICIDS2017 has a column twice
			text = fmt.Sprintf("%s.%d", text, i+1)
		}
		known[text] = true
		names = append(names, text)
	}
	names = tb.Canonical(names)
	if d.ByName {
		return d.Columns, d.lookUp(tf, names, tb)
	}
	var specs []rows.ColumnSpec
	clear(known)
	for _, n := range names {
		typ, ok := d.Types[n]
		if !ok {
			typ = d.DefaultType
		}
		specs = append(specs, rows.ColumnSpec{Name: n, Type: typ})
		known[n] = true
	}
	if len(d.Columns) > 0 {
		if len(specs) != len(d.Columns) {
			return nil, fmt.Errorf("the header names %d columns, the data config %d", len(specs), len(d.Columns))
		}
		for i := range specs {
			if !strings.EqualFold(specs[i].Name, d.Columns[i].Name) {
				return nil, fmt.Errorf(
					"column %d is %q in the header and %q in the data config",
					i+1,
					specs[i].Name,
					d.Columns[i].Name,
				)
			}
		}
		return d.Columns, nil
	}
	if tb.Foreign(len(specs)) != "" { // its columns may happen to have the same names
		return nil, fmt.Errorf("the header names %d columns", len(specs))
	}
	for name := range d.Types {
		if !known[name] {
			return nil, fmt.Errorf("options.types names the column %q, which the header does not have", name)
		}
	}
	return specs, nil
}

// lookUp finds the declared columns among those of the header.
func (d *Delimited) lookUp(tf *rows.TextFormat, header []string, tb *rows.Builder) error {
	tf.At = slices.Repeat([]int{-1}, len(header))
	place := map[string]int{}
	for i, h := range slices.Backward(header) {
		place[strings.ToLower(h)] = i
	}
	var absent []string
	for k, c := range d.Columns {
		if i, ok := place[strings.ToLower(c.Name)]; ok {
			tf.At[i] = k
			continue
		}
		if d.Absent != "missing" {
			return fmt.Errorf("the header has no column %q%s", c.Name, settings.DidYouMean(c.Name, header))
		}
		tf.Absent = append(tf.Absent, k)
		absent = append(absent, c.Name)
	}
	return tb.Lacking(tf.File, absent, header, d.Columns)
}
