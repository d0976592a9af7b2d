package export

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"plumbline/data"
	"plumbline/data/parquet"
)

// Stream writes tables of the same columns one after the other to one file: what does not fit the memory at once.
type Stream struct {
	columns []exported
	write   func(ctx context.Context, columns []exported, rows int) error
	finish  []func() error // in order, the file last
	path    string
	part    string // what the file is called until it is whole; empty: it is none of this one's making
}

// StreamFormat is the format and the compression that a file name stands for: those of [ExportFormat], and .log.
func StreamFormat(path string) (format, wrap string, err error) {
	name := strings.ToLower(path)
	for ext, by := range map[string]string{"": "", ".gz": "gzip", ".zst": "zstd"} {
		if strings.HasSuffix(name, ".log"+ext) {
			return "log", by, nil
		}
	}
	if format, wrap, err = ExportFormat(path); err != nil && format == "" {
		err = fmt.Errorf("data: %s: want a file name that ends in .parquet, .csv, .ndjson or .log; all but the first with "+
			".gz or .zst", path)
	}
	return format, wrap, err
}

// Create begins a file whose name says the format. It appears under its name when it is closed, and not at all when it
// is not. types are Zeek's types of the columns for a .log, nil for the nearest.
func Create(path string, columns []data.Column, types []string) (*Stream, error) {
	format, wrap, err := StreamFormat(path)
	if err != nil {
		return nil, err
	}
	part := path + ".part"
	f, err := os.Create(part)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	s, err := begin(f, format, wrap, plain(columns), types)
	if err != nil {
		f.Close()
		os.Remove(part)
		return nil, fmt.Errorf("data: %s: %w", path, err)
	}
	s.finish = append(s.finish, f.Close)
	s.path, s.part = path, part
	return s, nil
}

// To begins writing to w in a format of [StreamFormat].
func To(w io.Writer, format string, columns []data.Column, types []string) (*Stream, error) {
	return begin(w, format, "", plain(columns), types)
}

// Column is a column of which more is known.
type Column struct {
	data.Column
	Integer  bool // its numbers are integers below 2^31
	Complete bool // no value is missing
}

// Through begins writing to w in a format and a compression of [StreamFormat].
func Through(w io.Writer, format, wrap string, columns []Column) (*Stream, error) {
	of := make([]exported, len(columns))
	for i, c := range columns {
		of[i] = exported{c.Column, c.Integer, c.Complete}
	}
	return begin(w, format, wrap, of, nil)
}

// plain is columns of which nothing more is known.
func plain(columns []data.Column) []exported {
	out := make([]exported, len(columns))
	for i, c := range columns {
		out[i].Column = c
	}
	return out
}

func begin(w io.Writer, format, wrap string, columns []exported, types []string) (*Stream, error) {
	s := &Stream{columns: columns}
	buffered := bufio.NewWriterSize(w, 1<<18)
	var to io.Writer = buffered
	switch wrap {
	case "gzip":
		z := gzip.NewWriter(buffered)
		to, s.finish = z, append(s.finish, z.Close)
	case "zstd":
		z, err := zstd.NewWriter(buffered)
		if err != nil {
			return nil, err
		}
		to, s.finish = z, append(s.finish, z.Close)
	}
	s.finish = append(s.finish, buffered.Flush)
	silent := func(int) {}
	switch format {
	case "csv":
		if err := csvHeader(to, s.columns); err != nil {
			return nil, err
		}
		s.write = func(ctx context.Context, c []exported, rows int) error { return csvRows(ctx, to, c, rows, silent) }
	case "ndjson":
		s.write = func(ctx context.Context, c []exported, rows int) error { return exportNDJSON(ctx, to, c, rows, silent) }
	case "parquet":
		out, err := parquet.NewWriter(to, parquetSchema(s.columns))
		if err != nil {
			return nil, err
		}
		s.write = func(ctx context.Context, c []exported, rows int) error {
			return parquetRows(ctx, out, c, rows, silent)
		}
		s.finish = append([]func() error{out.Close}, s.finish...)
	case "log":
		types = logTypes(s.columns, types)
		if err := logHeader(to, s.columns, types); err != nil {
			return nil, err
		}
		s.write = func(ctx context.Context, c []exported, rows int) error { return logRows(ctx, to, c, types, rows) }
		s.finish = append([]func() error{func() error { _, err := io.WriteString(to, "#close\n"); return err }}, s.finish...)
	default:
		return nil, fmt.Errorf("no format %q", format)
	}
	return s, nil
}

// Write writes the rows of a table, which has the columns that the stream was made with.
func (s *Stream) Write(ctx context.Context, t *data.Table) error {
	if len(t.Columns) != len(s.columns) {
		return fmt.Errorf("data: %d columns, the file has %d", len(t.Columns), len(s.columns))
	}
	columns := make([]exported, len(t.Columns))
	for i, c := range t.Columns {
		if c.Name != s.columns[i].Name || c.Type != s.columns[i].Type {
			return fmt.Errorf("data: column %q, the file has %q", c.Name, s.columns[i].Name)
		}
		columns[i] = exported{c, s.columns[i].integer, s.columns[i].complete}
	}
	return s.write(ctx, columns, t.Rows)
}

// Close ends the file, which then has its name.
func (s *Stream) Close() error {
	var err error
	for _, f := range s.finish {
		err = errors.Join(err, f())
	}
	s.finish = nil
	if s.part != "" {
		if err == nil {
			err = os.Rename(s.part, s.path)
		}
		if err != nil {
			os.Remove(s.part)
		}
		s.part = ""
	}
	return err
}

// Abort takes an unfinished file away. After Close it does nothing.
func (s *Stream) Abort() {
	if len(s.finish) == 0 {
		return
	}
	_ = s.finish[len(s.finish)-1]() // the file
	s.finish = nil
	if s.part != "" {
		os.Remove(s.part)
	}
}
