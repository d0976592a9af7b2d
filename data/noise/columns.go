// Package noise adds columns to a table that say nothing, to see what models make of them. Which rows train and which
// truth they are shown is data/split's.
package noise

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
)

// ErrNoNumbers says that a table has no number whose range a column could take.
var ErrNoNumbers = errors.New("no column of numbers to take a range from")

// Columns is a copy of the table whose added columns irrelevant_1, irrelevant_2, … are that share of its numbers and
// categories, at least one, and at most a hundred for each that there is. Their values are drawn alike over the range
// that a number, drawn for each, has in the given rows: those of training. Other columns are shared with t.
func Columns(t *data.Table, rows []int32, share float64, seed uint64) (*data.Table, error) {
	features := 0
	var ranges [][2]float64
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type == data.Number || c.Type == data.Category {
			features++
		}
		if c.Type != data.Number {
			continue
		}
		low, high := math.Inf(1), math.Inf(-1)
		for _, r := range rows {
			if v := c.Num[r]; v == v {
				low, high = min(low, v), max(high, v)
			}
		}
		if low <= high && !math.IsInf(high-low, 0) {
			ranges = append(ranges, [2]float64{low, high})
		}
	}
	if len(ranges) == 0 {
		return nil, fmt.Errorf("data: %s: %w", t.Name, ErrNoNumbers)
	}
	n := max(1, int(math.Round(share/(1-share)*float64(features))))
	n = min(n, 100*features)
	out := *t
	out.Columns = slices.Clone(t.Columns)
	for k := range n {
		// a stream for each column: the first ones are the same whatever the share is
		rng := rand.New(rand.NewPCG(seed, 0x1221<<32|uint64(k)))
		of := ranges[rng.IntN(len(ranges))]
		c := data.Column{Name: fmt.Sprintf("irrelevant_%d", k+1), Type: data.Number, Num: make([]float64, t.Rows)}
		for i := range c.Num {
			c.Num[i] = of[0] + float64(rng.Float64()*(of[1]-of[0]))
		}
		out.Columns = append(out.Columns, c)
	}
	return &out, nil
}
