package classic

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
)

// tailTable is the shares of n training rows on either side of every value, column by column.
type tailTable struct {
	n       int
	columns []tailColumn
}

// tailColumn is the distinct values of a column, rising, and how many rows have each or less.
type tailColumn struct {
	values []float32
	upTo   []int32
	tails  []tails
	// The values' mean, the largest difference from it (1 where all are equal), and the sums of the squares and
	// cubes of their differences from the mean on that scale.
	mean, scale, second, third float64
}

// tails is log 1/L and log 1/R. A column of k values has 2k+1 of them: 2i+1 is that of value i, 2i that
// of what lies below value i and above the one before.
type tails struct{ left, right float64 }

func tabulateTails(ctx context.Context, env models.Env, s *data.Set) (tailTable, error) {
	m := tailTable{n: s.N, columns: make([]tailColumn, s.D)}
	err := models.ParallelRows(ctx, s.D, 1, env.Parallel(), func() func(lo, hi int) {
		v := make([]float32, s.N)
		return func(j, _ int) {
			for i := range v {
				v[i] = s.X[i*s.D+j]
			}
			slices.Sort(v)
			c := &m.columns[j]
			for i, x := range v {
				if i+1 == len(v) || v[i+1] != x {
					c.values, c.upTo = append(c.values, x), append(c.upTo, int32(i+1))
				}
			}
			c.tabulate(s.N)
		}
	})
	return m, err
}

// tabulate works out what follows from the values and their counts: the moments, and the logarithms, so that scoring
// looks them up.
func (c *tailColumn) tabulate(n int) {
	c.sumUp(n)
	c.tails = make([]tails, 2*len(c.values)+1)
	at := func(below, upTo int32) tails {
		return tails{
			left:  -elementary.Log(float64(1+upTo) / float64(n+1)),
			right: -elementary.Log(float64(1+int32(n)-below) / float64(n+1)),
		}
	}
	var below int32
	for i, upTo := range c.upTo {
		c.tails[2*i], c.tails[2*i+1] = at(below, below), at(below, upTo)
		below = upTo
	}
	c.tails[2*len(c.upTo)] = at(below, below)
}

// sumUp works out the moments.
func (c *tailColumn) sumUp(n int) {
	each := func(visit func(v, count float64)) {
		var below int32
		for i, v := range c.values {
			visit(float64(v), float64(c.upTo[i]-below))
			below = c.upTo[i]
		}
	}
	c.mean, c.second, c.third = 0, 0, 0
	each(func(v, count float64) { c.mean += v * count / float64(n) })
	c.scale = max(c.mean-float64(c.values[0]), float64(c.values[len(c.values)-1])-c.mean)
	if c.scale <= 0 {
		c.scale = 1
	}
	each(func(v, count float64) {
		t := (v - c.mean) / c.scale
		c.second += float64(count * t * t)
		c.third += float64(count * t * t * t)
	})
}

// place is where the tails of a value stand.
func (c *tailColumn) place(v float32) int {
	lo, hi := 0, len(c.values)
	for lo < hi { // the first value that is not below v
		if mid := int(uint(lo+hi) >> 1); c.values[mid] < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(c.values) && c.values[lo] == v {
		return 2*lo + 1
	}
	return 2 * lo
}

// tailMeta is the JSON part of the saved state.
type tailMeta struct {
	Rows int `json:"rows"`
}

func (m *tailTable) RowState() (any, models.Arrays) {
	var sizes, upTo []int32
	var values []float32
	for _, c := range m.columns {
		sizes = append(sizes, int32(len(c.values)))
		values, upTo = append(values, c.values...), append(upTo, c.upTo...)
	}
	return tailMeta{m.n}, models.Arrays{"sizes": sizes, "values": values, "up_to": upTo}
}

func loadTails(st models.State) (tailTable, error) {
	var meta tailMeta
	var m tailTable
	err := st.Meta(&meta)
	if err != nil {
		return m, err
	}
	sizes, err := models.Array[int32](st.Arrays, "sizes", st.Columns)
	if err != nil {
		return m, err
	}
	if meta.Rows < 1 || meta.Rows > math.MaxInt32-1 {
		return m, fmt.Errorf("%d rows", meta.Rows)
	}
	values, err := models.FiniteArray[float32](st.Arrays, "values", -1)
	if err != nil {
		return m, err
	}
	upTo, err := models.Array[int32](st.Arrays, "up_to", len(values))
	if err != nil {
		return m, err
	}
	m = tailTable{n: meta.Rows, columns: make([]tailColumn, len(sizes))}
	for j, size := range sizes {
		if size < 1 || int(size) > len(values) {
			return m, fmt.Errorf("column %d of %d values, %d left", j, size, len(values))
		}
		c := tailColumn{values: values[:size:size], upTo: upTo[:size:size]}
		if !rises(c.values) || !rises(c.upTo) || c.upTo[0] < 1 || int(c.upTo[size-1]) != m.n {
			return m, fmt.Errorf("column %d is out of order", j)
		}
		c.tabulate(m.n)
		m.columns[j] = c
		values, upTo = values[size:], upTo[size:]
	}
	if len(values) > 0 {
		return m, fmt.Errorf("%d values too many", len(values))
	}
	return m, nil
}

// rises says whether each number is larger than the one before.
func rises[T int32 | float32](v []T) bool {
	for i := 1; i < len(v); i++ {
		if v[i] <= v[i-1] {
			return false
		}
	}
	return true
}
