package source

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"plumbline/data"
	"plumbline/data/columnar"
	"plumbline/data/ndjson"
	"plumbline/data/rows"
)

// Inputs are those of a table's columns that rows have to bring for the table to have the columns that needed names:
// columns that are derived are made of others, and others are not looked at. columns are those of the whole table, in
// its order.
func (c *Config) Inputs(columns []data.Field, needed func(name string) bool) ([]data.Field, error) {
	raw, err := c.underived(columns)
	if err != nil {
		return nil, err
	}
	asked := func(f data.Field) bool { return needed(f.Name) }
	if len(c.Derive)+len(c.Repair) == 0 {
		return slices.DeleteFunc(raw, func(f data.Field) bool { return !asked(f) }), nil
	}
	first := slices.IndexFunc(raw,
		func(f data.Field) bool { return f.Type == data.Time }) // derived columns read it by place
	var out []data.Field
	for i, f := range raw {
		less := slices.Delete(slices.Clone(raw), i, i+1)
		if asked(f) || i == first || len(c.derived(less)) != len(columns)-1 {
			out = append(out, f)
		}
	}
	return out, nil
}

// underived is the columns of a table before columns are derived, which are added at its end.
func (c *Config) underived(columns []data.Field) ([]data.Field, error) {
	for n := len(columns); n > 0; n-- {
		if slices.Equal(c.derived(columns[:n]), columns) {
			return slices.Clone(columns[:n]), nil
		}
	}
	return nil, fmt.Errorf("data: %s: no columns that derive makes the table's of", c.Name)
}

// derived is what columns a table has after derive; nil where it cannot be carried out.
func (c *Config) derived(columns []data.Field) []data.Field {
	t := &data.Table{Name: c.Name, Rows: 1, Lines: []int32{1}}
	for _, f := range columns {
		t.Columns = append(t.Columns, absent(f))
	}
	if c.Complete(t, 1) != nil {
		return nil
	}
	return t.Schema()
}

// Complete repairs the values of a table of [Config.Inputs] and adds the derived columns, as reading does. Aggregates
// are over the rows of this table alone.
func (c *Config) Complete(t *data.Table, workers int) error {
	return c.deriveBlock(t, workers, make([]int, len(c.Repair)))
}

// Body is the config of rows of the same data set that come by themselves, without labels: as delimited text with a
// header, ndjson or parquet. They have the inputs under their names or aliases, in any order, and may have other
// columns. Numbers, times and what means missing are written as in files of the data set where those are of the same
// format. No row may be unreadable, and none is left out.
func (c *Config) Body(format string, inputs []data.Field) (*Config, error) {
	out := &Config{Name: c.Name, Format: format, Aliases: c.Aliases, Repair: c.Repair, Derive: c.Derive}
	own := map[string]rows.Kind{}
	for _, s := range c.source.Schema() {
		own[s.Name] = s.Type
	}
	var specs []rows.ColumnSpec
	for _, f := range inputs {
		kind := rows.Kind(f.Type.String())
		if k, ok := own[f.Name]; ok && k.ColumnType() == f.Type {
			kind = k
		}
		specs = append(specs, rows.ColumnSpec{Name: f.Name, Type: kind})
	}
	plain := &Delimited{}
	if d, ok := c.source.(*Delimited); ok {
		plain = d
	}
	switch format {
	case "delimited":
		d := newDelimited()
		if c.Format == format {
			*d = *plain
		} else if len(c.Layouts()) == 0 {
			d.TimeLayouts = []string{"unix", time.RFC3339Nano}
		}
		d.Separator, d.Quote, d.Encoding = ",", true, "utf-8"
		d.Header, d.ByName, d.Absent, d.RepeatedHeader, d.End = true, true, "error", false, ""
		d.Columns, d.Types = specs, nil
		out.source = d
	case "ndjson":
		n := ndjson.New()
		if o, ok := c.source.(*ndjson.Format); ok {
			*n = *o
		} else if c.Format == "delimited" {
			n.Missing, n.NonFinite, n.TimeLayouts = plain.Missing, plain.NonFinite, plain.TimeLayouts
		}
		n.Columns, n.Absent = specs, "error"
		out.source = n
	case "parquet":
		p := columnar.NewParquet()
		if o, ok := c.source.(*columnar.Parquet); ok {
			*p = *o
		} else if c.Format == "delimited" {
			p.Missing, p.NonFinite, p.TimeLayouts = plain.Missing, plain.NonFinite, plain.TimeLayouts
		}
		p.Types = map[string]rows.Kind{}
		for _, s := range specs {
			p.Types[s.Name] = s.Type
		}
		out.source = p
	default:
		return nil, fmt.Errorf("data: %s: rows are not read as %q", c.Name, format)
	}
	return out, nil
}

// Layouts is how times are written in texts of the data set; none: as seconds since 1970.
func (c *Config) Layouts() []string {
	switch s := c.source.(type) {
	case *Delimited:
		return s.TimeLayouts
	case *ndjson.Format:
		return s.TimeLayouts
	case *columnar.Parquet:
		return s.TimeLayouts
	}
	return nil
}

// StreamFrom is [Stream] for rows that are read from in, under a name for messages, in place of files. Parquet is read
// from an input.Input. An unreadable row is an error. Where whole is true or the data set does not stream
// ([Config.Streams]), each is called once, with all rows, whose table may take some bytes (0: any number), else the
// error is [ErrMemory].
func (c *Config) StreamFrom(ctx context.Context, in io.Reader, name string, workers int, whole bool, memory int64,
	each func(t *data.Table) error) (err error) {
	defer func() { err = c.hidden(err) }()
	src, ok := c.source.(fileSource)
	if !ok {
		return fmt.Errorf("data: %s: format %s reads no files", c.Name, c.Format)
	}
	tb := newIntake(c)
	s := &stream{intake: tb, file: name, repaired: make([]int, len(c.Repair)),
		each: func(t *data.Table, _ float64) error { return each(t) }}
	if tb.Memory = memory; !whole && c.Streams(false) {
		tb.Each = s.block
	}
	if err := src.Read(ctx, in, name, tb.Builder, max(1, workers)); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if tb.BadCount > 0 {
		return fmt.Errorf("data: %s: %d of %d rows cannot be read:\n  %s", name, tb.BadCount, tb.Rows+tb.BadCount,
			joinBad(tb.Examples))
	}
	if tb.Each != nil || tb.Rows == 0 {
		return nil
	}
	tb.origin(data.Origin{Name: name, Rows: tb.Rows}, 0)
	t, err := tb.finish()
	if err == nil {
		err = c.Complete(t, workers)
	}
	if err != nil {
		return err
	}
	return each(t)
}

// absent is a column of one missing value.
func absent(f data.Field) data.Column {
	c := data.Column{Name: f.Name, Type: f.Type}
	switch f.Type {
	case data.Number:
		c.Num = []float64{math.NaN()}
	case data.Time:
		c.Nanos = []int64{data.NoTime}
	default:
		c.Code = []uint32{data.Missing}
	}
	return c
}
