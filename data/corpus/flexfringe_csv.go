package corpus

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"plumbline/data"
)

// ReadFlexFringeCSV reads symbolic traces from a delimited file with FlexFringe's header: cells that begin
// with "id:", "symb:" or "type:" (or are that word alone) say what a column is, others are left out, so
// attributes and evaluation columns too. Several columns of a kind are joined with "__". A row is one event
// of the trace with its id; rows of a trace need not stand together. Without an id column all rows are one
// trace, without a type column every trace has the label "0".
//
// With size 0 traces stay whole, in order of their first row, and a trace has the label of its last row.
// With size > 0 every window of size rows of a trace, moved on by stride (1 to size), is a trace of its own with the
// label of its last row; windows stand in order of their last rows, and what is shorter is dropped. Symbols
// and labels get ids in order of first appearance in the file, starting from those that into already holds.
// Errors name file:line:column.
func ReadFlexFringeCSV(r io.Reader, file string, size, stride int, into *Corpus) error {
	if size < 0 || size > 0 && (stride < 1 || stride > size) {
		return fmt.Errorf("data: %s: windows of %d rows moved on by %d", file, size, stride)
	}
	if into.Width > 0 {
		return fmt.Errorf("data: %s: the traces read before have attributes, these have none", file)
	}
	in := csv.NewReader(PastBOM(r))
	in.ReuseRecord = true
	fail := func(err error) error {
		var perr *csv.ParseError
		if errors.As(err, &perr) {
			return fmt.Errorf("data: %s:%d:%d: %w", file, perr.Line, perr.Column, perr.Err)
		}
		return fmt.Errorf("data: %s: %w", file, err)
	}
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("data: %s: empty file", file)
	}
	if err != nil {
		return fail(err)
	}
	columns := map[string][]int{}
	for i, cell := range head {
		kind, _, _ := strings.Cut(strings.TrimSpace(cell), ":")
		columns[kind] = append(columns[kind], i)
	}
	if len(columns["symb"]) == 0 {
		return fmt.Errorf("data: %s:1:1: no column is a symbol: want a header cell that begins with \"symb:\"", file)
	}
	join := func(row []string, at []int) []byte {
		var b []byte
		for k, i := range at {
			if k > 0 {
				b = append(b, "__"...)
			}
			b = append(b, strings.TrimSpace(row[i])...)
		}
		return b
	}
	type open struct {
		symbols []int32
		typ     int32
	}
	symbols, types := data.NewInterner(&into.Alphabet), data.NewInterner(&into.Types)
	byID := map[string]int{}
	var traces []open
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fail(err)
		}
		name := join(row, columns["symb"])
		if len(name) == 0 {
			line, col := in.FieldPos(columns["symb"][0])
			return fmt.Errorf("data: %s:%d:%d: symbol without a name", file, line, col)
		}
		label := []byte("0")
		if at := columns["type"]; len(at) > 0 {
			label = join(row, at)
		}
		id := string(join(row, columns["id"]))
		k, known := byID[id]
		if !known {
			k = len(traces)
			byID[id] = k
			traces = append(traces, open{})
		}
		t := &traces[k]
		t.symbols = append(t.symbols, symbols.ID(name))
		t.typ = types.ID(label)
		if size > 0 && len(t.symbols) == size {
			into.Append(t.symbols, t.typ)
			t.symbols = slices.Delete(t.symbols, 0, stride)
		}
	}
	if size == 0 {
		for _, t := range traces {
			into.Append(t.symbols, t.typ)
		}
	}
	return nil
}
