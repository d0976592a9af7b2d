package source

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"plumbline/data"
)

// RowFilter leaves rows out whose number or time lies outside a range. Rows without a value stay.
type RowFilter struct {
	// a number or time column
	Column string `yaml:"column"`
	// smallest value that stays: a number, or a time as 2018-01-31 or 2018-01-31T12:00:00Z (UTC)
	From string `yaml:"from"`
	// largest value that stays
	To string `yaml:"to"`
}

// check says what is wrong before the column's type is known.
func (f RowFilter) check() error {
	switch {
	case f.Column == "":
		return fmt.Errorf("names no column")
	case f.From == "" && f.To == "":
		return fmt.Errorf("needs from or to")
	}
	for _, v := range []string{f.From, f.To} {
		_, numberErr := strconv.ParseFloat(v, 64)
		_, timeErr := filterTime(v)
		if v != "" && numberErr != nil && timeErr != nil {
			return fmt.Errorf("%q is neither a number nor a time", v)
		}
	}
	return nil
}

func filterTime(v string) (int64, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			if y := t.Year(); y < 1678 || y > 2261 {
				return 0, fmt.Errorf("%q is out of range: want 1678 to 2261", v)
			}
			return t.UnixNano(), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time", v)
}

// filter leaves the rows out that the config's filters name, and notes how many they are.
func (b *intake) filter(t *data.Table) error {
	if len(b.config.Filter) == 0 {
		return nil
	}
	keep, err := b.inside(t)
	if err != nil {
		return err
	}
	out := 0
	for _, k := range keep {
		if !k {
			out++
		}
	}
	if out == t.Rows {
		return fmt.Errorf("data: %s: the filters leave no rows", t.Name)
	}
	if out > 0 {
		b.notes = append(b.notes, fmt.Sprintf("%d of %d rows are left out by the filters", out, t.Rows))
		t.Keep(keep)
	}
	return nil
}

// inside says of each row whether it stays.
func (b *intake) inside(t *data.Table) ([]bool, error) {
	keep := make([]bool, t.Rows)
	for i := range keep {
		keep[i] = true
	}
	for _, f := range b.config.Filter {
		c, err := t.Column(f.Column)
		if err != nil {
			return nil, fmt.Errorf("data: %s: filter: %w", t.Name, err)
		}
		inside, err := f.inside(c)
		if err != nil {
			return nil, fmt.Errorf("data: %s: filter: column %s: %w", t.Name, c.Name, err)
		}
		for i := range keep {
			keep[i] = keep[i] && inside(i)
		}
	}
	return keep, nil
}

// inside says whether a row stays.
func (f RowFilter) inside(c *data.Column) (func(i int) bool, error) {
	switch c.Type {
	case data.Number:
		low, high := math.Inf(-1), math.Inf(1)
		for _, b := range []struct {
			text string
			to   *float64
		}{{f.From, &low}, {f.To, &high}} {
			if b.text != "" {
				v, err := strconv.ParseFloat(b.text, 64)
				if err != nil || v != v {
					return nil, fmt.Errorf("%q is not a number", b.text)
				}
				*b.to = v
			}
		}
		return func(i int) bool { v := c.Num[i]; return !(v < low || v > high) }, nil
	case data.Time:
		low, high := int64(math.MinInt64), int64(math.MaxInt64)
		for _, b := range []struct {
			text string
			to   *int64
		}{{f.From, &low}, {f.To, &high}} {
			if b.text != "" {
				v, err := filterTime(b.text)
				if err != nil {
					return nil, err
				}
				*b.to = v
			}
		}
		return func(i int) bool { v := c.Nanos[i]; return v == data.NoTime || v >= low && v <= high }, nil
	}
	return nil, fmt.Errorf("of type %v; want a number or a time", c.Type)
}
