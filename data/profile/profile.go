package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"plumbline/data"
	"plumbline/numeric/stat"
)

const (
	sampledRows = 50_000 // that a profile is made of, evenly over the rows
	bins        = 10     // of a number; a value that is an edge has a bin of its own: many rows are 0
	levels      = 100    // of a category that are counted one by one; the rest together
	mostColumns = 4096   // of a saved profile
)

// Profile is what some rows look like.
type Profile struct {
	Rows    int      `json:"rows"` // counted
	Of      int      `json:"of"`   // there were
	Columns []Column `json:"columns"`
}

// Column is a number or category of a profile.
type Column struct {
	Name string          `json:"name"`
	Type data.ColumnType `json:"type"`
	// Edges are ascending deciles of a number: bin 2k is the values below Edges[k], bin 2k+1 those equal to it.
	Edges []float64 `json:"edges,omitempty"`
	// Levels are the commonest values of a category: bin k is Levels[k], the last bin all others.
	Levels []string `json:"levels,omitempty"`
	// Counts are rows by bin; after those above, the last is of the rows without a value.
	Counts []float64 `json:"counts"`
	// Usual is the median of a number, or the commonest value of a category, as a person reads it; "-": there is none.
	Usual string `json:"usual"`
}

// Of is the profile of some rows of a table in the named columns; those of other types than number and category are
// left out, and names that the table does not have.
func Of(t *data.Table, rows []int32, names []string) *Profile {
	p := &Profile{Of: len(rows)}
	step := max(1, len(rows)/sampledRows)
	var some []int32
	for i := 0; i < len(rows); i += step {
		some = append(some, rows[i])
	}
	p.Rows = len(some)
	find := t.Lookup()
	for _, name := range names {
		c, err := find(name)
		if err != nil || c.Type != data.Number && c.Type != data.Category {
			continue
		}
		col := Column{Name: name, Type: c.Type, Usual: "-"}
		if c.Type == data.Number {
			col.deciles(c, some)
		} else {
			col.commonest(c, some)
		}
		col.Counts = make([]float64, col.width())
		col.add(c, func(yield func(int32) bool) {
			for _, r := range some {
				if !yield(r) {
					return
				}
			}
		}, 1, col.Counts)
		p.Columns = append(p.Columns, col)
	}
	return p
}

// width is how many bins there are, with the one for no value.
func (c *Column) width() int {
	if c.Type == data.Number {
		return 2*len(c.Edges) + 2
	}
	return len(c.Levels) + 2
}

func (c *Column) deciles(from *data.Column, rows []int32) {
	var v []float64
	for _, r := range rows {
		if x := from.Num[r]; !math.IsNaN(x) && !math.IsInf(x, 0) {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return
	}
	slices.Sort(v)
	for k := 1; k < bins; k++ {
		c.Edges = append(c.Edges, v[k*len(v)/bins])
	}
	c.Edges = slices.Compact(c.Edges)
	one := data.Column{Type: data.Number, Num: []float64{stat.Quantile(v, 0.5)}}
	c.Usual = string(one.AppendText(nil, 0))
}

func (c *Column) commonest(from *data.Column, rows []int32) {
	n := make([]int, len(from.Levels))
	for _, r := range rows {
		if code := from.Code[r]; code != data.Missing {
			n[code]++
		}
	}
	var there []int
	for code, k := range n {
		if k > 0 {
			there = append(there, code)
		}
	}
	slices.SortFunc(there, func(a, b int) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(from.Levels[a], from.Levels[b])
	})
	for _, code := range there[:min(levels, len(there))] {
		c.Levels = append(c.Levels, from.Levels[code])
	}
	if len(c.Levels) > 0 {
		c.Usual = c.Levels[0]
	}
}

// add counts rows of a column of the profile's type by its bins, each for n.
func (c *Column) add(from *data.Column, rows func(func(int32) bool), n float64, to []float64) {
	missing := len(to) - 1
	if c.Type == data.Number {
		for r := range rows {
			v := from.Num[r]
			if v != v {
				to[missing] += n
				continue
			}
			k, is := slices.BinarySearch(c.Edges, v)
			if k *= 2; is {
				k++
			}
			to[k] += n
		}
		return
	}
	at := make([]int, len(from.Levels))
	known := make(map[string]int, len(c.Levels))
	for k, l := range c.Levels {
		known[l] = k
	}
	for code, l := range from.Levels {
		k, ok := known[l]
		if !ok {
			k = len(c.Levels)
		}
		at[code] = k
	}
	for r := range rows {
		if code := from.Code[r]; code == data.Missing {
			to[missing] += n
		} else {
			to[at[code]] += n
		}
	}
}

// UnmarshalJSON reads and checks a saved profile.
func (p *Profile) UnmarshalJSON(raw []byte) error {
	type plain Profile
	var q plain
	if err := json.Unmarshal(raw, &q); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if len(q.Columns) > mostColumns {
		return errors.New("profile: too many columns")
	}
	for i := range q.Columns {
		c := &q.Columns[i]
		switch {
		case c.Type != data.Number && c.Type != data.Category:
			return fmt.Errorf("profile: column %q is of type %v", c.Name, c.Type)
		case len(c.Counts) != c.width():
			return fmt.Errorf("profile: column %q has %d counts, want %d", c.Name, len(c.Counts), c.width())
		case !slices.IsSorted(c.Edges):
			return fmt.Errorf("profile: column %q: its edges are not in order", c.Name)
		}
		for _, n := range c.Counts {
			if !(n >= 0) {
				return fmt.Errorf("profile: column %q has a negative count", c.Name)
			}
		}
	}
	*p = Profile(q)
	return nil
}

// Column is the column of that name; nil: the profile has none.
func (p *Profile) Column(name string) *Column {
	if p == nil {
		return nil
	}
	for i := range p.Columns {
		if p.Columns[i].Name == name {
			return &p.Columns[i]
		}
	}
	return nil
}
