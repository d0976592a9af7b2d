package columnar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/input"
	"plumbline/data/parquet"
	"plumbline/data/rows"
	"plumbline/data/value"
	"plumbline/numeric/parallel"
)

// Parquet reads Parquet files, which name and type their columns. Members of groups are named with dots, as
// in source.ip. A null is missing; a row's line is its number in the file. Integers become 64-bit floats as
// in every other format: beyond 2^53 they are rounded.
type Parquet struct {
	// types of columns that are not to have the file's own: texts as addresses or numbers, codes as categories, seconds
	// since 1970 as times
	Types map[string]rows.Kind `yaml:"types" jsonschema:"enum=number,enum=category,enum=time,enum=address,enum=port"`
	// texts that mean: missing; null always does
	Missing []string `yaml:"missing"`
	// what NaN and Infinity in a number column are: a bad row, or missing
	NonFinite string `yaml:"nonfinite" jsonschema:"enum=error,enum=missing"`
	// how times that are kept as texts are written, in Go's reference time; none: seconds since 1970
	TimeLayouts []string `yaml:"time_layouts"`
}

// NewParquet is the format with its defaults.
func NewParquet() *Parquet { return &Parquet{Missing: []string{""}, NonFinite: "error"} }

// Schema is nil: the files name their columns.
func (d *Parquet) Schema() []rows.ColumnSpec { return nil }

// Check says what is wrong with the settings.
func (d *Parquet) Check(settings.Node) settings.Problems { return nil }

// Field is a column of a table and the file's column that it comes from.
type Field struct {
	Spec   rows.ColumnSpec
	column int
	Wrong  string // why it cannot be read
}

func (d *Parquet) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	file, err := Open(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fields := Fields(file, func(group string) bool { return slices.Contains(tb.Drop, group) })
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Spec.Name
	}
	for i, n := range tb.Canonical(names) {
		fields[i].Spec.Name = n
	}
	known := map[string]bool{}
	tf := &rows.TextFormat{File: name, Infinite: d.NonFinite == "missing", Times: value.Times{Layouts: d.TimeLayouts}}
	for _, m := range d.Missing {
		tf.Missing = append(tf.Missing, []byte(m))
	}
	for i := range fields {
		f := &fields[i]
		known[f.Spec.Name] = true
		if t, ok := d.Types[f.Spec.Name]; ok {
			f.Spec.Type = t
		}
		if f.Wrong != "" && !tb.Dropped(f.Spec.Name) {
			return fmt.Errorf("%s: column %q %s: leave it out (drop: [%s])", name, f.Spec.Name, f.Wrong, f.Spec.Name)
		}
		tf.Specs = append(tf.Specs, f.Spec)
	}
	for t := range d.Types {
		if !known[t] {
			return fmt.Errorf("%s: options.types names the column %q, which the file does not have", name, t)
		}
	}
	if tf.Specs, err = tb.Begin(tf.Specs); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return parseGroups(ctx, file, tf, fields, tb, workers)
}

// Open opens a file, which must be an uncompressed one: Parquet is read from its end.
func Open(in io.Reader) (*parquet.File, error) {
	src, ok := in.(*input.Input)
	switch {
	case !ok:
		return nil, errors.New("a Parquet file is not a stream")
	case src.Wraps != "":
		return nil, fmt.Errorf(
			"a Parquet file is read from its end and cannot be wrapped in %s: unpack it (its pages are compressed inside)",
			src.Wraps,
		)
	}
	return parquet.Open(src.File, src.Size)
}

// Fields are the columns of a file as a table has them. A group of which skip is true is one of them.
func Fields(file *parquet.File, skip func(group string) bool) []Field {
	var fields []Field
	for i := range file.Columns {
		c := &file.Columns[i]
		f := Field{Spec: rows.ColumnSpec{Name: strings.Join(c.Path, "."), Type: parquetKind(c)}, column: i}
		switch {
		case len(c.Path) > 1 && skip(c.Path[0]):
			f.Spec.Name, f.Wrong = c.Path[0], "is a group"
		case c.Repeated:
			f.Spec.Name, f.Wrong = strings.Join(
				c.Path[:c.List],
				".",
			), "is a list or a map, which has not one value a row"
		case c.Logical == parquet.Binary:
			f.Wrong = "holds binary objects"
		case c.Logical == parquet.Interval:
			f.Wrong = "holds intervals of months and days"
		}
		if f.Wrong != "" {
			f.Spec.Type = "category"
			if slices.ContainsFunc(
				fields,
				func(o Field) bool { return o.Spec.Name == f.Spec.Name && o.Wrong != "" },
			) {
				continue
			}
		}
		fields = append(fields, f)
	}
	return fields
}

// parquetKind is the type that a column has by itself.
func parquetKind(c *parquet.Column) rows.Kind {
	switch c.Logical {
	case parquet.Date, parquet.Timestamp:
		return "time"
	case parquet.Text, parquet.UUID:
		return "category"
	case parquet.Decimal, parquet.Float16, parquet.Null, parquet.TimeOfDay:
		return "number"
	}
	switch c.Physical {
	case parquet.Int96: // times of older writers
		return "time"
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return "category"
	}
	return "number"
}

// parquetGroup is a row group at work.
type parquetGroup struct {
	index, first int // first is the row before its first
	columns      []*parquetColumn
	left         chan struct{} // gets one for each column that is done
}

// parseGroups decodes the columns of all row groups on the workers, and adds the row groups to the table in
// order. Encoded pages are held only while they are worked on.
func parseGroups(
	ctx context.Context,
	file *parquet.File,
	tf *rows.TextFormat,
	fields []Field,
	tb *rows.Builder,
	workers int,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type task struct {
		group *parquetGroup
		field int
	}
	work := make(chan task)
	order := make(chan *parquetGroup, workers)
	for range workers {
		go func() {
			for t := range work {
				c := t.group.columns[t.field]
				if p := parallel.Catch(func() { c.read(ctx, file, t.group.index) }); p != nil {
					c.err = p
				}
				t.group.left <- struct{}{}
			}
		}()
	}
	var failed *parallel.Panic
	hand := func() {
		first := 0
		for g, n := range file.Groups {
			group := &parquetGroup{index: g, first: first, left: make(chan struct{}, len(fields))}
			first += n
			for i, f := range fields {
				c := &parquetColumn{tf: tf, at: i, column: &file.Columns[f.column], number: f.column, rows: n}
				c.skip = tb.Dropped(f.Spec.Name)
				group.columns = append(group.columns, c)
			}
			select {
			case order <- group:
			case <-ctx.Done():
				return
			}
			for i := range fields {
				select {
				case work <- task{group, i}:
				case <-ctx.Done():
					group.columns[i].err = ctx.Err()
					group.left <- struct{}{}
				}
			}
		}
	}
	go func() {
		defer close(order)
		defer close(work)
		failed = parallel.Catch(hand)
	}()
	var err error
	for g := range order {
		for range fields {
			<-g.left
		}
		if err != nil {
			continue
		}
		for i, c := range g.columns {
			if c.err != nil {
				err = fmt.Errorf(
					"%s: row group %d (from row %d), column %q: %w",
					tf.File,
					g.index+1,
					g.first+1,
					fields[i].Spec.Name,
					c.err,
				)
				cancel()
				break
			}
		}
		if err == nil {
			if err = tb.Add(g.chunk(tf, file.Groups[g.index])); err != nil {
				cancel()
			}
		}
	}
	switch {
	case err != nil:
	case failed != nil:
		err = fmt.Errorf("%s: %w", tf.File, failed)
	default:
		err = ctx.Err()
	}
	return err
}

// chunk joins the columns of a row group. A row that is bad in any column is left out of all.
func (g *parquetGroup) chunk(tf *rows.TextFormat, n int) *rows.Chunk {
	p := &rows.Chunk{Columns: make([]rows.ColumnChunk, len(g.columns))}
	var good []bool
	for i, c := range g.columns {
		p.Columns[i] = c.columnChunk
		switch {
		case c.good == nil:
		case good == nil:
			good = slices.Clone(c.good)
		default:
			for row, ok := range c.good {
				good[row] = good[row] && ok
			}
		}
	}
	p.Lines = make([]int32, n)
	for i := range p.Lines {
		p.Lines[i] = int32(g.first + i + 1)
	}
	if good == nil {
		return p
	}
	for row := range good {
		if good[row] {
			continue
		}
		if p.BadCount++; p.BadCount > rows.MaxExamples {
			continue
		}
		for i, c := range g.columns {
			if k := slices.IndexFunc(c.bad, func(b badValue) bool { return b.row == row }); k >= 0 {
				p.Bad = append(
					p.Bad,
					rows.BadRow{
						File: tf.File, Line: g.first + row + 1, Column: i + 1,
						Reason: fmt.Sprintf("%s: %v", tf.Specs[i].Name, c.bad[k].why),
					},
				)
				break
			}
		}
	}
	for i := range p.Columns {
		s := &p.Columns[i]
		s.Num, s.Nanos, s.Code = data.KeepMarked(
			s.Num,
			good,
		), data.KeepMarked(
			s.Nanos,
			good,
		), data.KeepMarked(
			s.Code,
			good,
		)
	}
	p.Lines = data.KeepMarked(p.Lines, good)
	return p
}
