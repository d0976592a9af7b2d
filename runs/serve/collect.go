package serve

import (
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/data/derive"
)

type derived = derive.Spec

// collector gathers the values of records, column by column. Categories are numbered in the order in which they come.
type collector struct {
	m      *Model
	n      int // whole records
	num    [][]float64
	nanos  [][]int64
	code   [][]uint32
	levels [][]string
	ids    []map[string]uint32 // once a column has many levels
}

func newCollector(m *Model) *collector {
	k := len(m.inputs)
	return &collector{m: m, num: make([][]float64, k), nanos: make([][]int64, k), code: make([][]uint32, k),
		levels: make([][]string, k), ids: make([]map[string]uint32, k)}
}

// missing adds a missing value to a column.
func (c *collector) missing(i int) {
	switch c.m.inputs[i].Type {
	case data.Number:
		c.num[i] = append(c.num[i], math.NaN())
	case data.Time:
		c.nanos[i] = append(c.nanos[i], data.NoTime)
	default:
		c.code[i] = append(c.code[i], data.Missing)
	}
}

// pad adds missing values to the inputs that whole records left out, which are not needed.
func (c *collector) pad() {
	for i := c.m.needs; i < len(c.m.inputs); i++ {
		for max(len(c.num[i]), len(c.nanos[i]), len(c.code[i])) < c.n {
			c.missing(i)
		}
	}
}

// fewLevels is up to how many levels are looked through rather than looked up.
const fewLevels = 16

// text adds a category or address.
func (c *collector) text(i int, text []byte) {
	levels := c.levels[i]
	if c.ids[i] == nil {
		for k := range levels {
			if levels[k] == string(text) {
				c.code[i] = append(c.code[i], uint32(k))
				return
			}
		}
	} else if id, ok := c.ids[i][string(text)]; ok {
		c.code[i] = append(c.code[i], id)
		return
	}
	level, id := string(text), uint32(len(levels))
	c.levels[i] = append(levels, level)
	c.code[i] = append(c.code[i], id)
	if len(c.levels[i]) == fewLevels {
		c.ids[i] = make(map[string]uint32, 2*fewLevels)
		for k, l := range c.levels[i] {
			c.ids[i][l] = uint32(k)
		}
	} else if c.ids[i] != nil {
		c.ids[i][level] = id
	}
}

// table is the records with the columns that are derived.
func (c *collector) table() (*data.Table, error) {
	c.pad()
	t := &data.Table{Name: "records", Rows: c.n, Lines: make([]int32, c.n), Columns: make([]data.Column, len(c.m.inputs)),
		Origins: []data.Origin{{Name: "records", Rows: c.n}}}
	for i := range t.Lines {
		t.Lines[i] = int32(i) + 1
	}
	for i, in := range c.m.inputs {
		t.Columns[i] = data.Column{Name: in.Name, Type: in.Type, Num: c.num[i], Nanos: c.nanos[i], Code: c.code[i],
			Levels: c.levels[i]}
	}
	if c.m.derives {
		if err := c.m.read.Complete(t, 1); err != nil {
			return nil, fmt.Errorf("serve: %w", err)
		}
	}
	return t, nil
}
