package ndjson

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"plumbline/configs/settings"
	"plumbline/data/corpus"
	"plumbline/data/rows"
	"plumbline/data/value"
)

// Format reads one JSON object a line, or an array of objects. Members that no column names are passed over; members
// of nested objects are named with dots, as in source.ip.
type Format struct {
	// member (dots reach into nested objects) and type of every column
	Columns []rows.ColumnSpec `yaml:"columns" jsonschema:"minItems=1"`
	// texts that mean: missing; null always does
	Missing []string `yaml:"missing"`
	// what a text such as NaN or Infinity in a number column is: a bad row, or missing
	NonFinite string `yaml:"nonfinite" jsonschema:"enum=error,enum=missing"`
	// what an object without a column's member is: a bad row, or missing
	Absent string `yaml:"absent" jsonschema:"enum=error,enum=missing"`
	// how times are written, in Go's reference time; none: seconds since 1970
	TimeLayouts []string `yaml:"time_layouts"`
}

// New is the format with its defaults.
func New() *Format {
	return &Format{Missing: []string{""}, NonFinite: "error", Absent: "missing"}
}

// Schema lists the declared columns as the table has them.
func (d *Format) Schema() []rows.ColumnSpec { return rows.Apart(d.Columns) }

// Check says what is wrong with the settings.
func (d *Format) Check(options settings.Node) (ps settings.Problems) {
	if len(d.Columns) == 0 {
		ps = append(ps, options.Problem("columns must name the members to read"))
	}
	for i, col := range d.Columns {
		if col.Name == "" || col.Type == "" {
			ps = append(ps, options.Problem("column %d needs a name and a type", i+1))
		}
	}
	return ps
}

func (d *Format) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	tf := &rows.TextFormat{
		File:     name,
		Infinite: d.NonFinite == "missing",
		Times:    value.Times{Layouts: d.TimeLayouts},
		Specs:    d.Columns,
	}
	for _, m := range d.Missing {
		tf.Missing = append(tf.Missing, []byte(m))
	}
	m := newMemberNames(d.Columns, tb.Aliases)
	tf.Cut = func(line []byte, cells [][]byte) ([][]byte, error) { return d.cells(tf, m, line, cells) }
	br := corpus.PastBOM(in)
	before := tb.Rows
	if err := rows.Parse(ctx, Lines(br), tf, 1, tb, workers); err != nil {
		return err
	}
	if tb.Rows == before {
		return nil // for other reasons, which are said
	}
	return m.lacking(tb, name)
}

// memberNames finds the members of objects by the names of columns, and remembers which it found.
type memberNames struct {
	columns []rows.ColumnSpec
	names   [][]string   // of a column: its own name and its aliases
	paths   [][][]string // the same, cut at the dots
	found   []atomic.Bool
}

func newMemberNames(columns []rows.ColumnSpec, aliases map[string][]string) *memberNames {
	m := &memberNames{columns: columns, found: make([]atomic.Bool, len(columns))}
	for _, col := range columns {
		names := append([]string{col.Name}, aliases[col.Name]...)
		var paths [][]string
		for _, n := range names {
			paths = append(paths, strings.Split(n, "."))
		}
		m.names, m.paths = append(m.names, names), append(m.paths, paths)
	}
	return m
}

// member is the member for column i.
func (m *memberNames) member(object map[string]any, i int) (v any, ok bool) {
	for k, name := range m.names[i] {
		if v, ok = Member(object, name, m.paths[i][k]); ok {
			if !m.found[i].Load() {
				m.found[i].Store(true)
			}
			return v, true
		}
	}
	return nil, false
}

// lacking says which columns no object of a file has.
func (m *memberNames) lacking(tb *rows.Builder, file string) error {
	var absent []string
	for i := range m.columns {
		if !m.found[i].Load() {
			absent = append(absent, m.columns[i].Name)
		}
	}
	if err := tb.Lacking(file, absent, nil, m.columns); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Object is the one JSON object of a line, its numbers as they are written.
func Object(line []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || object == nil {
		return nil, errors.New("want one JSON object a line")
	}
	return object, nil
}

// cells is one object's members as texts, in the order of the columns.
func (d *Format) cells(tf *rows.TextFormat, m *memberNames, line []byte, cells [][]byte) ([][]byte, error) {
	if tf.Infinite {
		line, _ = WithoutNaN(line)
	}
	object, err := Object(line)
	if err != nil {
		return nil, err
	}
	absent := []byte(nil)
	if len(tf.Missing) > 0 {
		absent = tf.Missing[0]
	}
	for i := range d.Columns {
		v, ok := m.member(object, i)
		switch v := v.(type) {
		case string:
			cells = append(cells, []byte(v))
		case json.Number:
			cells = append(cells, []byte(v))
		case bool:
			cells = append(cells, fmt.Appendf(nil, "%d", map[bool]int{true: 1}[v]))
		case nil:
			if !ok && d.Absent == "error" {
				return nil, fmt.Errorf("no member %q", d.Columns[i].Name)
			}
			if tf.Missing == nil {
				return nil, fmt.Errorf("member %q is null, and options.missing names no text for it", d.Columns[i].Name)
			}
			cells = append(cells, absent)
		default:
			return nil, fmt.Errorf("member %q is a list or an object", d.Columns[i].Name)
		}
	}
	return cells, nil
}

// Member finds a member by its whole name, or by its path.
func Member(object map[string]any, name string, path []string) (any, bool) {
	if v, ok := object[name]; ok {
		return v, true
	}
	for i, p := range path {
		v, ok := object[p]
		if !ok || i == len(path)-1 {
			return v, ok
		}
		if object, ok = v.(map[string]any); !ok {
			return nil, false
		}
	}
	return nil, false
}
