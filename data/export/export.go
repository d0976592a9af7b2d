package export

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"plumbline/data"
)

// exportRows is how many rows are written between two looks at the context.
const exportRows = 1 << 17

// ExportNames are the columns that Export adds.
var ExportNames = []string{"attack", "class", "part", "file", "line"}

// exported is a column as a file has it.
type exported struct {
	data.Column
	integer, complete bool // all values are integers below 2^31; none is missing
}

// exporters write the rows of columns to a file, by format.
var exporters = map[string]func(
	ctx context.Context, w io.Writer, columns []exported, rows int, done func(rows int)) error{
	"csv":     exportCSV,
	"ndjson":  exportNDJSON,
	"parquet": exportParquet,
}

// ExportFormat is the format and the compression (gzip, zstd or none) that a file name stands for.
func ExportFormat(path string) (format, wrap string, err error) {
	name := strings.ToLower(path)
	for ext, by := range map[string]string{".gz": "gzip", ".zst": "zstd"} {
		if cut, ok := strings.CutSuffix(name, ext); ok {
			name, wrap = cut, by
		}
	}
	for f := range exporters {
		if strings.HasSuffix(name, "."+f) {
			format = f
		}
	}
	switch {
	case format == "":
		return "", "", fmt.Errorf(
			"data: %s: want a file name that ends in .parquet, .csv or .ndjson; the latter two with .gz or .zst",
			path,
		)
	case format == "parquet" && wrap != "":
		return "", "", fmt.Errorf(
			"data: %s: a Parquet file is read from its end and cannot be wrapped in %s; its pages are compressed inside",
			path,
			wrap,
		)
	}
	return format, wrap, nil
}

// Export writes a table to a file whose name says the format: all columns, then attack (0 or 1) and class
// where there are labels, then part, file and line, which say where each row came from. An added column
// whose name is taken by one of the table's gets an underscore after it. The file appears whole or not at all.
// done, which may be nil, is told now and then how many rows are written.
func Export(ctx context.Context, t *data.Table, path string, done func(rows int)) (columns []string, err error) {
	format, wrap, err := ExportFormat(path)
	if err != nil {
		return nil, err
	}
	if done == nil {
		done = func(int) {}
	}
	out := exportColumns(t)
	for _, c := range out {
		columns = append(columns, c.Name)
	}
	part := path + ".part"
	f, err := os.Create(part)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	err = compressed(f, wrap, func(w io.Writer) error { return exporters[format](ctx, w, out, t.Rows, done) })
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		os.Remove(part)
		return nil, fmt.Errorf("data: %s: %w", path, err)
	}
	return columns, nil
}

// compressed lets fill write through a compression.
func compressed(w io.Writer, wrap string, fill func(io.Writer) error) error {
	bw := bufio.NewWriterSize(w, 1<<18)
	var z io.WriteCloser
	var err error
	switch wrap {
	case "gzip":
		z = gzip.NewWriter(bw)
	case "zstd":
		z, err = zstd.NewWriter(bw)
	}
	if err != nil {
		return err
	}
	if z == nil {
		err = fill(bw)
	} else {
		err = errors.Join(fill(z), z.Close())
	}
	if err != nil {
		return err
	}
	return bw.Flush()
}

// exportColumns are the columns of a table and those that say what else is known of its rows.
func exportColumns(t *data.Table) []exported {
	var out []exported
	taken := map[string]bool{}
	for i := range t.Columns {
		out = append(out, exported{Column: t.Columns[i]})
		taken[t.Columns[i].Name] = true
	}
	add := func(name string, c data.Column, integer bool) {
		for taken[name] {
			name += "_"
		}
		taken[name] = true
		c.Name = name
		out = append(out, exported{c, integer, true})
	}
	if t.Attack != nil {
		num := make([]float64, t.Rows)
		for i, a := range t.Attack {
			if a {
				num[i] = 1
			}
		}
		add(ExportNames[0], data.Column{Type: data.Number, Num: num}, true)
		add(ExportNames[1], data.Column{Type: data.Category, Code: t.Class, Levels: t.Classes}, false)
	}
	if len(t.Parts) == t.Rows {
		code := make([]uint32, t.Rows)
		for i, p := range t.Parts {
			code[i] = uint32(p)
		}
		add(ExportNames[2], data.Column{Type: data.Category, Code: code, Levels: []string{"train", "test"}}, false)
	}
	if len(t.Origins) == 0 || len(t.Lines) != t.Rows {
		return out
	}
	file, line := data.Column{
		Type: data.Category,
		Code: make([]uint32, t.Rows),
	}, data.Column{
		Type: data.Number,
		Num:  make([]float64, t.Rows),
	}
	for k, o := range t.Origins {
		file.Levels = append(file.Levels, o.Name)
		for i := o.FirstRow; i < o.FirstRow+o.Rows; i++ {
			file.Code[i] = uint32(k)
		}
	}
	for i, l := range t.Lines {
		line.Num[i] = float64(l)
	}
	add(ExportNames[3], file, false)
	add(ExportNames[4], line, true)
	return out
}

// exportText writes rows as lines of text.
func exportText(
	ctx context.Context,
	w io.Writer,
	rows int,
	done func(int),
	line func(b []byte, row int) []byte,
) error {
	var b []byte
	for row := range rows {
		if b = line(b[:0], row); row%exportRows == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			done(row)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// levels are a column's texts, each made what the format writes.
func levels(columns []exported, make func(string) string) [][]string {
	out := [][]string{}
	for i := range columns {
		var texts []string
		for _, l := range columns[i].Levels {
			texts = append(texts, make(l))
		}
		out = append(out, texts)
	}
	return out
}

// exportCSV writes a header and rows.
func exportCSV(ctx context.Context, w io.Writer, columns []exported, rows int, done func(int)) error {
	if err := csvHeader(w, columns); err != nil {
		return err
	}
	return csvRows(ctx, w, columns, rows, done)
}

func csvQuote(s string) string {
	if strings.ContainsAny(s, ",\"\r\n") || s != strings.TrimSpace(s) {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

func csvHeader(w io.Writer, columns []exported) error {
	var header []string
	for i := range columns {
		header = append(header, csvQuote(columns[i].Name))
	}
	_, err := io.WriteString(w, strings.Join(header, ",")+"\n")
	return err
}

// csvRows writes rows; a missing value is an empty cell.
func csvRows(ctx context.Context, w io.Writer, columns []exported, rows int, done func(int)) error {
	texts := levels(columns, csvQuote)
	return exportText(ctx, w, rows, done, func(b []byte, row int) []byte {
		for i := range columns {
			c := &columns[i]
			if i > 0 {
				b = append(b, ',')
			}
			switch {
			case c.Missing(row):
				if len(columns) == 1 { // an empty line would be no row
					b = append(b, `""`...)
				}
			case c.Code != nil:
				b = append(b, texts[i][c.Code[row]]...)
			case c.integer:
				b = strconv.AppendInt(b, int64(c.Num[row]), 10)
			default:
				b = c.AppendText(b, int32(row))
			}
		}
		return append(b, '\n')
	})
}

// exportNDJSON writes an object for each row; a missing value is null.
func exportNDJSON(ctx context.Context, w io.Writer, columns []exported, rows int, done func(int)) error {
	quote := func(s string) string {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(s) // a text always has a JSON form
		return strings.TrimSuffix(b.String(), "\n")
	}
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = map[bool]string{true: "{", false: ","}[i == 0] + quote(columns[i].Name) + ":"
	}
	texts := levels(columns, quote)
	return exportText(ctx, w, rows, done, func(b []byte, row int) []byte {
		for i := range columns {
			c := &columns[i]
			b = append(b, names[i]...)
			switch {
			case c.Missing(row):
				b = append(b, "null"...)
			case c.Code != nil:
				b = append(b, texts[i][c.Code[row]]...)
			case c.Type == data.Time:
				b = time.Unix(0, c.Nanos[row]).UTC().AppendFormat(b, `"`+time.RFC3339Nano+`"`)
			case c.integer:
				b = strconv.AppendInt(b, int64(c.Num[row]), 10)
			default:
				b = strconv.AppendFloat(b, c.Num[row], 'g', -1, 64)
			}
		}
		return append(b, "}\n"...)
	})
}
