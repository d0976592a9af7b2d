package prepare

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"plumbline/data"
	"plumbline/data/cache"
)

// Flows is some columns of the rows of the test part, as a table, with their places in the files.
type Flows struct {
	*data.Table
	rows []int32 // of the data set's table, ascending
}

// At is the row of Flows that holds a row of the data set's table.
func (f *Flows) At(row int32) (int32, bool) {
	i, ok := slices.BinarySearch(f.rows, row)
	return int32(i), ok
}

// Flows takes the named columns of the test part from the cache, or reads the files.
func (p *Prepared) Flows(ctx context.Context, columns []string) (*Flows, error) {
	what := "flows, " + strings.Join(columns, ", ")
	if f := p.takeFlows(what); f != nil {
		return f, nil
	}
	l, err := p.alive(ctx)
	if err != nil {
		return nil, err
	}
	t := *l.Table
	t.Columns, t.Parts = nil, nil
	column := l.Table.Lookup()
	for _, name := range columns {
		c, err := column(name)
		if err != nil {
			return nil, err
		}
		copied := *c
		copied.Num, copied.Code, copied.Nanos = slices.Clone(c.Num), slices.Clone(c.Code), slices.Clone(c.Nanos)
		t.Columns = append(t.Columns, copied)
	}
	t.Attack, t.Class, t.Lines = slices.Clone(t.Attack), slices.Clone(t.Class), slices.Clone(t.Lines)
	t.Origins = slices.Clone(t.Origins)
	marked := make([]bool, t.Rows)
	for _, r := range l.split.Test {
		marked[r] = true
	}
	t.Keep(marked)
	f := &Flows{&t, slices.Sorted(slices.Values(l.split.Test))}
	p.keepFlows(what, f)
	return f, nil
}

// flowsMeta is the meta of flows.
type flowsMeta struct {
	Name    string        `json:"name"`
	Columns []data.Field  `json:"columns"`
	Levels  [][]string    `json:"levels"` // of each column
	Classes []string      `json:"classes"`
	Origins []data.Origin `json:"origins"`
}

func (p *Prepared) keepFlows(what string, f *Flows) {
	if p.store.store == nil {
		return
	}
	meta := flowsMeta{Name: f.Name, Columns: f.Schema(), Classes: f.Classes, Origins: f.Origins}
	arrays := cache.Arrays{"rows": f.rows, "lines": f.Lines, "attack": bits(f.Attack), "class": f.Class}
	for i := range f.Columns {
		c := &f.Columns[i]
		meta.Levels = append(meta.Levels, c.Levels)
		name := fmt.Sprint("column ", i)
		switch c.Type {
		case data.Number: // the cache has no arrays of float64
			v := make([]int64, len(c.Num))
			for k, x := range c.Num {
				v[k] = int64(math.Float64bits(x))
			}
			arrays[name] = v
		case data.Time:
			arrays[name] = c.Nanos
		default:
			arrays[name] = c.Code
		}
	}
	p.store.keep(what, meta, arrays)
}

func (p *Prepared) takeFlows(what string) *Flows {
	var meta flowsMeta
	e := p.store.take(what, &meta)
	if e == nil || len(meta.Levels) != len(meta.Columns) {
		return nil
	}
	get := entryReader{e: e}
	t := &data.Table{Name: meta.Name, Classes: meta.Classes, Origins: meta.Origins}
	f := &Flows{t, get.ints("rows")}
	t.Rows, t.Lines, t.Attack, t.Class = len(f.rows), get.ints("lines"), get.bools("attack"), get.codes("class")
	for i, field := range meta.Columns {
		c := data.Column{Name: field.Name, Type: field.Type, Levels: meta.Levels[i]}
		name := fmt.Sprint("column ", i)
		switch c.Type {
		case data.Number:
			for _, bits := range arrayOf[int64](&get, name) {
				c.Num = append(c.Num, math.Float64frombits(uint64(bits)))
			}
		case data.Time:
			c.Nanos = arrayOf[int64](&get, name)
		default:
			c.Code = get.codes(name)
		}
		if get.err == nil && c.Len() != t.Rows {
			get.err = fmt.Errorf("column %s has %d rows of %d", c.Name, c.Len(), t.Rows)
		}
		t.Columns = append(t.Columns, c)
	}
	if get.err != nil {
		p.store.warn(what, get.err)
		return nil
	}
	return f
}
