package data

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Missing says whether a row has no value.
func (c *Column) Missing(row int) bool {
	switch c.Type {
	case Number:
		return math.IsNaN(c.Num[row])
	case Time:
		return c.Nanos[row] == NoTime
	}
	return c.Code[row] == Missing
}

// Keep takes the unmarked rows out, in place.
func (t *Table) Keep(marked []bool) {
	for i := range t.Columns {
		c := &t.Columns[i]
		c.Num, c.Code, c.Nanos = KeepMarked(c.Num, marked), KeepMarked(c.Code, marked), KeepMarked(c.Nanos, marked)
	}
	t.Attack, t.Class = KeepMarked(t.Attack, marked), KeepMarked(t.Class, marked)
	t.Parts, t.Lines = KeepMarked(t.Parts, marked), KeepMarked(t.Lines, marked)
	row := 0
	for k := range t.Origins {
		o := &t.Origins[k]
		n := 0
		for _, m := range marked[o.FirstRow : o.FirstRow+o.Rows] {
			if m {
				n++
			}
		}
		o.FirstRow, o.Rows = row, n
		row += n
	}
	t.Rows = row
}

// KeepMarked is the marked values, in the memory of v; nil stays nil.
func KeepMarked[T any](v []T, marked []bool) []T {
	if v == nil {
		return nil
	}
	out := v[:0]
	for i, m := range marked {
		if m {
			out = append(out, v[i])
		}
	}
	return out
}

// Count is how many of the rows are benign and attacks; without labels all count as benign.
func (t *Table) Count(rows []int32) (benign, attacks int) {
	if t.Attack == nil {
		return len(rows), 0
	}
	for _, r := range rows {
		if t.Attack[r] {
			attacks++
		}
	}
	return len(rows) - attacks, attacks
}

// Benign is the benign ones of rows; without labels all of them.
func (t *Table) Benign(rows []int32) []int32 {
	out := make([]int32, 0, len(rows))
	for _, r := range rows {
		if t.Attack == nil || !t.Attack[r] {
			out = append(out, r)
		}
	}
	return out
}

// TimeColumn is the time column of a name, or the first one where the name is empty.
func (t *Table) TimeColumn(name string) (*Column, error) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type == Time && (name == "" || name == c.Name) {
			return c, nil
		}
	}
	if name != "" {
		return nil, fmt.Errorf("no time column %q", name)
	}
	return nil, errors.New("the data has no time column")
}

// groupColumn is a column of the table, or one of those that are made: @file and @day.
func (t *Table) groupColumn(name string) (*Column, error) {
	made := &Column{Name: name, Type: Category}
	ids := NewInterner(&made.Levels)
	switch name {
	case "@file":
		made.Code = make([]uint32, t.Rows)
		for _, o := range t.Origins {
			for i := o.FirstRow; i < o.FirstRow+o.Rows; i++ {
				made.Code[i] = uint32(ids.ID([]byte(o.Name)))
			}
		}
		return made, nil
	case "@day":
		at, err := t.TimeColumn("")
		if err != nil {
			return nil, err
		}
		made.Code = make([]uint32, t.Rows)
		for i, v := range at.Nanos {
			if made.Code[i] = Missing; v != NoTime {
				made.Code[i] = uint32(ids.ID(time.Unix(0, v).UTC().AppendFormat(nil, time.DateOnly)))
			}
		}
		return made, nil
	}
	return t.Column(name)
}

// Groups numbers the rows by their values in the columns, in order of first appearance, and names each
// group by the values with blanks between; groups of other values may share a name. Missing values are a
// value of their own, written "-". The columns @file and @day are the row's file and day.
func (t *Table) Groups(columns []string) (group []int32, names []string, err error) {
	if len(columns) == 0 {
		return nil, nil, errors.New("no columns to group by")
	}
	cols := make([]*Column, len(columns))
	for i, name := range columns {
		if cols[i], err = t.groupColumn(name); err != nil {
			return nil, nil, err
		}
	}
	group = make([]int32, t.Rows)
	ids := map[string]int32{}
	var key, name []byte
	for i := range group {
		key, name = key[:0], name[:0]
		for k, c := range cols {
			if k > 0 {
				name = append(name, ' ')
			}
			name = c.AppendText(name, int32(i))
			key = c.AppendKey(key, int32(i))
		}
		id, ok := ids[string(key)]
		if !ok {
			id = int32(len(names))
			ids[string(key)] = id
			names = append(names, string(name))
		}
		group[i] = id
	}
	return group, names, nil
}
