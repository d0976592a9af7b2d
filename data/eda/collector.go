package eda

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/numeric/parallel"
	"plumbline/numeric/sketch"
)

const (
	checkEvery  = 32      // blocks between looks at the memory
	maxPatterns = 1 << 12 // patterns of missing values that are told apart
)

// sampleRows is how many rows the sample has at least where there are more. Tests have less.
var sampleRows = 1 << 16

// Options is how a data set is described.
type Options struct {
	Memory  int64  // bytes that the packed rows may take; 0: any
	Workers int    // goroutines; the report does not depend on how many
	Seed    uint64 // of sketches, of the sample of rows and of drawn tables
}

// Collector packs the blocks of a data set.
type Collector struct {
	opt     Options
	name    string
	rows    int
	blocks  int
	columns []*column
	class   *column // nil without labels
	attacks int
	classes []Class
	at      int // the first time column; −1: none
	course  *course

	hashes   []uint64
	distinct *rowSet
	absent   []uint64 // by row of a block: the hash of what is missing there
	patterns map[uint64]*Pattern
	rest     int // rows of other patterns

	limit   uint64 // rows whose hash is below it are in the sample
	sampled []int64
	places  []int32 // those of the block at work
}

// Class is a class with its rows.
type Class struct {
	Name   string `json:"name"`
	Attack bool   `json:"attack"`
	Rows   int    `json:"rows"`
}

// Pattern is columns that are missing together.
type Pattern struct {
	Columns []string `json:"columns"`
	Rows    int      `json:"rows"`
}

// NewCollector is a collector of nothing.
func NewCollector(o Options) *Collector {
	most := 1 << 24
	if o.Memory > 0 {
		most = int(min(int64(most), o.Memory/64))
	}
	return &Collector{opt: o, at: -1, distinct: newRowSet(most), patterns: map[uint64]*Pattern{}, limit: math.MaxUint64}
}

// Add takes the rows of a block. All blocks have the same columns, and labels or none.
func (c *Collector) Add(ctx context.Context, t *data.Table) error {
	if t.Rows == 0 {
		return nil
	}
	if c.columns == nil {
		c.begin(t)
	}
	if len(t.Columns) != len(c.columns) || (t.Attack != nil) != (c.class != nil) {
		return fmt.Errorf("eda: %s: a block of %d columns after one of %d", t.Name, len(t.Columns), len(c.columns))
	}
	for i, col := range c.columns {
		if from := &t.Columns[i]; from.Type != col.kind || from.Name != col.name || from.Len() != t.Rows {
			return fmt.Errorf("eda: %s: column %d of a block is %s (%v, %d rows), want %s (%v, %d rows)", t.Name, i+1,
				from.Name, from.Type, from.Len(), col.name, col.kind, t.Rows)
		}
	}
	c.drawRows(t.Rows)
	err := parallel.Blocks(ctx, max(1, c.opt.Workers), len(c.columns), 1, func(k, _ int) {
		c.columns[k].add(&t.Columns[k], t.Attack, c.places)
	})
	if err != nil {
		return err
	}
	if t.Attack != nil {
		c.addClasses(t)
	}
	if c.at >= 0 {
		c.course.add(t.Columns[c.at].Nanos, t.Attack)
	}
	c.addRows(t)
	c.addMissing(t)
	c.rows += t.Rows
	if c.blocks++; c.blocks%checkEvery == 0 {
		c.fit()
	}
	return nil
}

// begin makes the columns.
func (c *Collector) begin(t *data.Table) {
	c.name = t.Name
	for i := range t.Columns {
		from := &t.Columns[i]
		c.columns = append(c.columns, newColumn(from.Name, from.Type))
		if from.Type == data.Time && c.at < 0 {
			c.at, c.course = i, newCourse()
		}
	}
	if t.Attack != nil {
		c.class = newColumn("class", data.Category)
	}
}

func (c *Collector) addClasses(t *data.Table) {
	c.class.add(&data.Column{Type: data.Category, Code: t.Class, Levels: t.Classes}, t.Attack, nil)
	for len(c.classes) < len(t.Classes) {
		c.classes = append(c.classes, Class{Name: t.Classes[len(c.classes)]})
	}
	for i, k := range t.Class {
		c.classes[k].Rows++
		c.classes[k].Attack = t.Attack[i]
		if t.Attack[i] {
			c.attacks++
		}
	}
}

// drawRows says which rows of the next block are in the sample. Which rows those are depends on their places alone.
func (c *Collector) drawRows(n int) {
	c.places = c.places[:0]
	for i := range n {
		if h := sketch.Mix(uint64(c.rows+i) + c.opt.Seed<<32); h < c.limit {
			c.places = append(c.places, int32(i))
			c.sampled = append(c.sampled, int64(c.rows+i))
		}
	}
}

// thin halves the sample until it is small enough.
func (c *Collector) thin() {
	for len(c.sampled) > 2*sampleRows {
		c.limit /= 2
		keep := make([]bool, len(c.sampled))
		for i, row := range c.sampled {
			keep[i] = sketch.Mix(uint64(row)+c.opt.Seed<<32) < c.limit
		}
		for _, col := range c.columns {
			if col.streamed != nil {
				col.streamed.sample = data.KeepMarked(col.streamed.sample, keep)
			}
		}
		c.sampled = data.KeepMarked(c.sampled, keep)
	}
}

// addRows counts different rows by a hash of all columns and the class.
func (c *Collector) addRows(t *data.Table) {
	c.hashes = slices.Grow(c.hashes[:0], t.Rows)[:t.Rows]
	clear(c.hashes)
	h := c.hashes
	const factor = 0x9fb21c651e98df25
	for k := range t.Columns {
		col := &t.Columns[k]
		switch {
		case col.Num != nil:
			for i, v := range col.Num {
				x := h[i] ^ math.Float64bits(v+0)
				h[i] = (x<<29 | x>>35) * factor
			}
		case col.Nanos != nil:
			for i, v := range col.Nanos {
				x := h[i] ^ uint64(v)
				h[i] = (x<<29 | x>>35) * factor
			}
		default:
			of := make([]uint64, len(col.Levels))
			for i, text := range col.Levels {
				of[i] = hashText(text)
			}
			for i, code := range col.Code {
				x := h[i]
				if code != data.Missing {
					x ^= of[code]
				}
				h[i] = (x<<29 | x>>35) * factor
			}
		}
	}
	for i, x := range h {
		if t.Class != nil {
			x ^= uint64(t.Class[i]) + 1
		}
		c.distinct.add(sketch.Mix(x))
	}
}

// addMissing counts which columns are missing together.
func (c *Collector) addMissing(t *data.Table) {
	var some []int
	for k := range t.Columns {
		for i := range t.Rows {
			if t.Columns[k].Missing(i) {
				some = append(some, k)
				break
			}
		}
	}
	if some == nil {
		return
	}
	c.absent = slices.Grow(c.absent[:0], t.Rows)[:t.Rows]
	clear(c.absent)
	for _, k := range some {
		own := sketch.Mix(uint64(k) + 1)
		for i := range t.Rows {
			if t.Columns[k].Missing(i) {
				c.absent[i] += own
			}
		}
	}
	for i, h := range c.absent {
		if h == 0 {
			continue
		}
		p, ok := c.patterns[h]
		switch {
		case ok:
		case len(c.patterns) >= maxPatterns:
			c.rest++
			continue
		default:
			p = &Pattern{}
			for _, k := range some {
				if t.Columns[k].Missing(i) {
					p.Columns = append(p.Columns, t.Columns[k].Name)
				}
			}
			c.patterns[h] = p
		}
		p.Rows++
	}
}

// fit gives up the rows of the largest columns until the others fit.
func (c *Collector) fit() {
	c.thin()
	if c.opt.Memory <= 0 {
		return
	}
	for {
		var total, most int64
		var largest *column
		for _, col := range c.columns {
			n := col.size()
			if total += n; n > most && col.exact() {
				largest, most = col, n
			}
		}
		if total <= c.opt.Memory || largest == nil {
			return
		}
		largest.stream(c.opt.Seed, c.sampled)
	}
}

// finish brings the columns into their order.
func (c *Collector) finish(ctx context.Context) error {
	c.thin()
	var wide []*column // one at a time: they need room
	var rest []*column
	for _, col := range c.columns {
		if col.raw != nil {
			wide = append(wide, col)
		} else {
			rest = append(rest, col)
		}
	}
	for _, col := range wide {
		if err := ctx.Err(); err != nil {
			return err
		}
		col.finish()
	}
	if c.class != nil {
		rest = append(rest, c.class)
	}
	return parallel.Blocks(ctx, max(1, c.opt.Workers), len(rest), 1, func(k, _ int) { rest[k].finish() })
}
