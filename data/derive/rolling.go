package derive

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"plumbline/data"
)

// Rolling adds number columns that describe what an entity did in the seconds up to each row, the row
// itself included: KDD99's "count" is of this kind. Only rows that are not later count, whatever part of a
// split they fall into, as a monitor would see them; labels play no part.
type Rolling struct {
	// columns that name the entity, such as the source address
	Key []string `yaml:"key" jsonschema:"minItems=1"`
	// time column; default the first
	Time string `yaml:"time"`
	// length of the window
	Seconds float64 `yaml:"seconds" jsonschema:"exclusiveMinimum=0"`
	// number of rows, as column count_<seconds>s
	Count bool `yaml:"count"`
	// number columns to add up, as sum_<column>_<seconds>s; missing values count 0
	Sum []string `yaml:"sum"`
	// number columns to average, as mean_<column>_<seconds>s; missing values do not count
	Mean []string `yaml:"mean"`
	// columns whose different values are counted, as distinct_<column>_<seconds>s
	Distinct []string `yaml:"distinct"`
}

func (r Rolling) check() error {
	switch {
	case len(r.Key) == 0:
		return errors.New("rolling aggregates need a key")
	case r.Seconds <= 0:
		return errors.New("rolling aggregates need seconds")
	case !r.Count && len(r.Sum)+len(r.Mean)+len(r.Distinct) == 0:
		return errors.New("nothing to aggregate: give count, sum, mean or distinct")
	}
	return nil
}

// add appends the columns to a table.
func (r Rolling) add(t *data.Table) error {
	at, err := t.TimeColumn(r.Time)
	if err != nil {
		return err
	}
	times := at.Nanos
	group, names, err := t.Groups(r.Key)
	if err != nil {
		return err
	}
	rows := make([][]int32, len(names))
	for i, g := range group {
		if times[i] != data.NoTime {
			rows[g] = append(rows[g], int32(i))
		}
	}
	for _, own := range rows {
		slices.SortStableFunc(own, func(a, b int32) int {
			switch {
			case times[a] < times[b]:
				return -1
			case times[a] > times[b]:
				return 1
			}
			return 0
		})
	}
	suffix := "_" + strconv.FormatFloat(r.Seconds, 'g', -1, 64) + "s"
	width := int64(math.Min(r.Seconds*1e9, math.MaxInt64/2))
	var added []data.Column
	add := func(name string, fresh func() window) error {
		if _, err := t.Column(name); err == nil {
			return fmt.Errorf("the table has a column %q already", name)
		}
		c := data.Column{Name: name, Type: data.Number, Num: make([]float64, t.Rows)}
		for i := range c.Num {
			c.Num[i] = math.NaN() // rows without a time
		}
		for _, own := range rows {
			w, from := fresh(), 0
			for _, i := range own {
				w.enter(i)
				for times[i]-times[own[from]] >= width {
					w.leave(own[from])
					from++
				}
				c.Num[i] = w.value()
			}
		}
		added = append(added, c)
		return nil
	}
	if r.Count {
		if err := add("count"+suffix, func() window { return &counter{} }); err != nil {
			return err
		}
	}
	for kind, columns := range [][]string{r.Sum, r.Mean} {
		for _, name := range columns {
			c, err := t.Column(name)
			if err != nil {
				return err
			}
			if c.Type != data.Number {
				return fmt.Errorf("column %s of type %v cannot be added up", name, c.Type)
			}
			prefix := []string{"sum_", "mean_"}[kind]
			if err := add(prefix+name+suffix, func() window { return &total{v: c.Num, mean: kind == 1} }); err != nil {
				return err
			}
		}
	}
	for _, name := range r.Distinct {
		c, err := t.Column(name)
		if err != nil {
			return err
		}
		if err := add("distinct_"+name+suffix, func() window { return &different{c: c, n: map[uint64]int{}} }); err != nil {
			return err
		}
	}
	t.Columns = append(t.Columns, added...)
	return nil
}

// window is an aggregate that rows enter and leave.
type window interface {
	enter(row int32)
	leave(row int32)
	value() float64
}

type counter struct{ n int }

func (c *counter) enter(int32)    { c.n++ }
func (c *counter) leave(int32)    { c.n-- }
func (c *counter) value() float64 { return float64(c.n) }

// total adds values up as a queue of two stacks: what leaves is never subtracted, which would leave
// rounding errors, and each row is added at most twice.
type total struct {
	v     []float64
	mean  bool
	in    []int32 // rows that entered since the older ones were last stacked
	inSum partial
	old   []partial // of the older rows: the sum from each to the youngest of them, the oldest last
}

type partial struct {
	sum float64
	n   int
}

func (p partial) plus(v float64) partial {
	if v != v {
		return p
	}
	return partial{p.sum + v, p.n + 1}
}

func (s *total) enter(row int32) {
	s.in = append(s.in, row)
	s.inSum = s.inSum.plus(s.v[row])
}

func (s *total) leave(int32) {
	if len(s.old) == 0 {
		var p partial
		for i := len(s.in) - 1; i >= 0; i-- {
			p = p.plus(s.v[s.in[i]])
			s.old = append(s.old, p)
		}
		s.in, s.inSum = s.in[:0], partial{}
	}
	s.old = s.old[:len(s.old)-1]
}

func (s *total) value() float64 {
	p := s.inSum
	if k := len(s.old); k > 0 {
		p = partial{s.old[k-1].sum + p.sum, s.old[k-1].n + p.n}
	}
	if s.mean {
		return p.sum / float64(p.n) // NaN, missing, when all are missing
	}
	return p.sum
}

type different struct {
	c *data.Column
	n map[uint64]int
}

func (d *different) key(row int32) uint64 {
	switch {
	case d.c.Num != nil:
		v := d.c.Num[row]
		if v != v {
			return math.MaxUint64
		}
		return math.Float64bits(v + 0)
	case d.c.Nanos != nil:
		return uint64(d.c.Nanos[row])
	}
	return uint64(d.c.Code[row])
}

func (d *different) enter(row int32) { d.n[d.key(row)]++ }

func (d *different) leave(row int32) {
	k := d.key(row)
	if d.n[k]--; d.n[k] == 0 {
		delete(d.n, k)
	}
}

func (d *different) value() float64 { return float64(len(d.n)) }
