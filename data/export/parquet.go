package export

import (
	"context"
	"io"
	"math"

	"plumbline/data"
	"plumbline/data/parquet"
)

// exportParquet writes numbers as doubles (attack and line as integers), times as nanoseconds in UTC and
// everything else as text; a missing value is null.
func exportParquet(ctx context.Context, w io.Writer, columns []exported, rows int, done func(int)) error {
	out, err := parquet.NewWriter(w, parquetSchema(columns))
	if err != nil {
		return err
	}
	if err := parquetRows(ctx, out, columns, rows, done); err != nil {
		return err
	}
	return out.Close()
}

func parquetSchema(columns []exported) []parquet.Column {
	schema := make([]parquet.Column, len(columns))
	for i := range columns {
		c, s := &columns[i], &schema[i]
		s.Path, s.Optional = []string{c.Name}, !c.complete
		switch {
		case c.integer:
			s.Physical = parquet.Int32
		case c.Type == data.Number:
			s.Physical = parquet.Double
		case c.Type == data.Time:
			s.Physical, s.Logical, s.Unit, s.UTC = parquet.Int64, parquet.Timestamp, parquet.Nanos, true
		default:
			s.Physical, s.Logical = parquet.ByteArray, parquet.Text
		}
	}
	return schema
}

func parquetRows(ctx context.Context, out *parquet.Writer, columns []exported, rows int, done func(int)) error {
	for from := 0; from < rows; from += exportRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min(from+exportRows, rows)
		err := out.Group(end-from, func(i int) parquet.Chunk { return columns[i].chunk(from, end) })
		if err != nil {
			return err
		}
		done(end)
	}
	return nil
}

// chunk is the rows from…end−1 of a column, by a dictionary where at most half of the values differ.
func (c *exported) chunk(from, end int) (out parquet.Chunk) {
	present := 0
	for i := from; i < end; i++ {
		if !c.Missing(i) {
			present++
		}
	}
	if present < end-from {
		out.Valid = make([]bool, end-from)
		for i := range out.Valid {
			out.Valid[i] = !c.Missing(from + i)
		}
	}
	dict := &parquet.Values{}
	key := func(i int) uint64 {
		switch {
		case c.Code != nil:
			return uint64(c.Code[i])
		case c.Nanos != nil:
			return uint64(c.Nanos[i])
		}
		return math.Float64bits(c.Num[i])
	}
	add := func(v *parquet.Values, i int) {
		switch {
		case c.Code != nil:
			v.Bytes = append(v.Bytes, []byte(c.Levels[c.Code[i]]))
		case c.Nanos != nil:
			v.Ints = append(v.Ints, c.Nanos[i])
		case c.integer:
			v.Ints = append(v.Ints, int64(c.Num[i]))
		default:
			v.Floats = append(v.Floats, c.Num[i])
		}
	}
	known := map[uint64]uint32{}
	out.Index = make([]uint32, 0, present)
	for i := from; i < end; i++ {
		if c.Missing(i) {
			continue
		}
		id, ok := known[key(i)]
		if !ok {
			if id = uint32(len(known)); int(id) > present/2 {
				break
			}
			known[key(i)] = id
			add(dict, i)
		}
		out.Index = append(out.Index, id)
	}
	if len(out.Index) == present && present > 0 {
		out.Dict = dict
		return out
	}
	out.Index = nil
	for i := from; i < end; i++ {
		if !c.Missing(i) {
			add(&out.Values, i)
		}
	}
	return out
}
