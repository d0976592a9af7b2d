package flowlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/configs/settings"
	"plumbline/data/corpus"
	"plumbline/data/ndjson"
	"plumbline/data/rows"
)

// jsonLog reads the events of a monitor, one JSON object a line, as rows of columns that the monitor's documentation
// names: a member that an event does not have is missing, and members that no column names are passed over.
type jsonLog struct {
	specs []rows.ColumnSpec
	paths [][]string
	row   func(event map[string]any) bool               // whether an event is a row; nil: all are
	time  func(text string, quoted bool) (int64, error) // nanoseconds since 1970
}

func newJSONLog(specs []rows.ColumnSpec) *jsonLog {
	j := &jsonLog{specs: specs}
	for _, s := range specs {
		j.paths = append(j.paths, strings.Split(s.Name, "."))
	}
	return j
}

// moreColumns says what is wrong with columns that a config adds to those of a monitor.
func moreColumns(options settings.Node, own, more []rows.ColumnSpec) (ps settings.Problems) {
	for i, col := range more {
		same := func(s rows.ColumnSpec) bool { return s.Name == col.Name }
		switch {
		case col.Name == "" || col.Type == "":
			ps = append(ps, options.Problem("column %d needs a name and a type", i+1))
		case col.Type == rows.Endpoint:
			ps = append(ps, options.Problem("column %q: endpoints are taken apart in the formats delimited and "+
				"ndjson", col.Name))
		case slices.ContainsFunc(own, same) || slices.ContainsFunc(more[:i], same):
			ps = append(ps, options.Problem("column %q is there already", col.Name))
		}
	}
	return ps
}

func (j *jsonLog) read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error {
	tf := &rows.TextFormat{File: name, Missing: [][]byte{{}}, Specs: j.specs, Cut: j.cells}
	return rows.Parse(ctx, corpus.PastBOM(in), tf, 1, tb, workers)
}

// cells is one event's members as texts, in the order of the columns; times are seconds since 1970.
func (j *jsonLog) cells(line []byte, cells [][]byte) ([][]byte, error) {
	event, err := ndjson.Object(line)
	if err != nil {
		return nil, err
	}
	if j.row != nil && !j.row(event) {
		return nil, rows.ErrPassOver
	}
	for i, p := range j.paths {
		v, _ := ndjson.Member(event, j.specs[i].Name, p)
		cell, err := j.cell(v, j.specs[i].Type)
		if err != nil {
			return nil, fmt.Errorf("member %q: %w", j.specs[i].Name, err)
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

func (j *jsonLog) cell(v any, kind rows.Kind) ([]byte, error) {
	switch v := v.(type) {
	case string:
		if kind == "time" {
			return j.instant(v, true)
		}
		return []byte(v), nil
	case json.Number:
		if kind == "time" {
			return j.instant(string(v), false)
		}
		return []byte(v), nil
	case bool:
		if kind == "number" {
			return fmt.Appendf(nil, "%d", map[bool]int{true: 1}[v]), nil
		}
		return strconv.AppendBool(nil, v), nil
	case nil:
		return nil, nil
	}
	return nil, errors.New("is a list or an object")
}

// instant is a time as seconds since 1970 with nine decimals.
func (j *jsonLog) instant(text string, quoted bool) ([]byte, error) {
	at, err := j.time(text, quoted)
	if err != nil {
		return nil, err
	}
	if at < 0 {
		return nil, fmt.Errorf("%q is before 1970", text)
	}
	return fmt.Appendf(nil, "%d.%09d", at/1e9, at%1e9), nil
}

// layoutTime reads a time in one of Go's layouts.
func layoutTime(text string, layouts ...string) (int64, error) {
	for _, l := range layouts {
		if t, err := time.Parse(l, text); err == nil {
			if y := t.Year(); y < 1970 || y > 2261 {
				return 0, fmt.Errorf("%q is out of range: want 1970 to 2261", text)
			}
			return t.UnixNano(), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time", text)
}
