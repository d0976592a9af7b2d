package score

import (
	"context"
	"io"

	"plumbline/data"
	"plumbline/data/export"
)

// Lines writes lines to a file as they come.
type Lines struct {
	w            io.Writer
	format, wrap string
	out          *export.Stream // nil: nothing came yet
}

// NewLines writes to w in a format and a compression of [export.StreamFormat].
func NewLines(w io.Writer, format, wrap string) *Lines {
	return &Lines{w: w, format: format, wrap: wrap}
}

// Write is a [Writer].
func (l *Lines) Write(ctx context.Context, columns []export.Column, rows int) (err error) {
	if l.out == nil {
		if l.out, err = export.Through(l.w, l.format, l.wrap, columns); err != nil {
			return err
		}
	}
	if rows == 0 {
		return nil
	}
	t := &data.Table{Name: "scores", Rows: rows}
	for _, c := range columns {
		t.Columns = append(t.Columns, c.Column)
	}
	return l.out.Write(ctx, t)
}

// Close writes what is left; it does not close the writer below.
func (l *Lines) Close() error {
	if l.out == nil {
		return nil
	}
	return l.out.Close()
}
