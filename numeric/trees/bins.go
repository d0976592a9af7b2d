package trees

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/parallel"
)

// missingBin is the bin of rows without a value, in every column.
const missingBin = 255

// MaxBins is the most bins of a column, besides that of missing values.
const MaxBins = missingBin

// Bins is a training matrix cut into bins, by columns. Bin b of a column of numbers holds values up to edges[b] (the
// last bin all above), bin k of a column of categories those that are k. Missing values (NaN) have a bin of their own.
type Bins struct {
	n, d    int
	of      [][]uint8
	edges   [][]float64
	known   []*Set // of a column of categories: those seen in training; nil: numbers
	size    []int  // bins in use, but for that of missing values
	missing []bool // whether training has missing values
}

// maxQuantileRows bounds the rows that quantiles are taken over.
const maxQuantileRows = 200_000

// NewBins cuts the columns of a row-major n×d matrix: between distinct values where a column has at most that many,
// else at quantiles. categories marks columns of categories, whole numbers from 0 to 254; nil: there are none.
func NewBins(ctx context.Context, x []float32, n, d, most int, categories []bool, workers int) (*Bins, error) {
	b := &Bins{n: n, d: d, of: make([][]uint8, d), edges: make([][]float64, d), known: make([]*Set, d),
		size: make([]int, d), missing: make([]bool, d)}
	errs := make([]error, d)
	err := parallel.Blocks(ctx, workers, d, 16, func(from, to int) {
		columns := make([]float32, (to-from)*n) // one after the other
		for i := range n {
			for c, v := range x[i*d+from : i*d+to] {
				columns[c*n+i] = v
			}
		}
		for j := from; j < to; j++ {
			own := columns[(j-from)*n : (j-from+1)*n]
			if categories != nil && categories[j] {
				errs[j] = b.categories(own, j)
			} else {
				b.numbers(own, j, most)
			}
		}
	})
	for j, e := range errs {
		if e != nil {
			return nil, fmt.Errorf("column %d: %w", j, e)
		}
	}
	return b, err
}

// numbers cuts column j, of which x are the values.
func (b *Bins) numbers(x []float32, j, most int) {
	step := (b.n + maxQuantileRows - 1) / maxQuantileRows
	var values []float32
	for i := 0; i < b.n; i += step {
		if v := x[i]; v == v {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	b.edges[j] = cuts(values, most)
	b.size[j] = len(b.edges[j]) + 1
	own := make([]uint8, b.n)
	for i, v := range x {
		if v == v {
			own[i] = uint8(binOf(b.edges[j], float64(v)))
		} else {
			own[i], b.missing[j] = missingBin, true
		}
	}
	b.of[j] = own
}

// categories takes column j of categories, of which x are the values.
func (b *Bins) categories(x []float32, j int) error {
	own := make([]uint8, b.n)
	b.known[j] = &Set{}
	for i, v := range x {
		switch {
		case v != v:
			own[i], b.missing[j] = missingBin, true
		case !(v >= 0 && v < MaxBins) || v != float32(uint8(v)):
			return fmt.Errorf("row %d: category %v is no whole number from 0 to %d", i, v, MaxBins-1)
		default:
			own[i] = uint8(v)
			b.known[j].Add(own[i])
			b.size[j] = max(b.size[j], int(own[i])+1)
		}
	}
	b.of[j] = own
	return nil
}

// cuts is the edges of at most n bins for rising values: midpoints of neighbours, or n−1 quantiles, each a value or
// halfway between two, those that are equal once.
func cuts(values []float32, most int) []float64 {
	distinct := slices.Compact(slices.Clone(values))
	var edges []float64
	if len(distinct) <= most {
		for i := 1; i < len(distinct); i++ {
			edges = append(edges, Middle(distinct[i-1], distinct[i]))
		}
		return edges
	}
	step := 100 / float64(most)
	for q := 1; q < most; q++ {
		at := float64(q) * step / 100 * float64(len(values)-1)
		low := int(at)
		if e := float64(values[low]); at == math.Trunc(at) {
			edges = append(edges, e)
		} else {
			edges = append(edges, e/2+float64(values[low+1])/2)
		}
	}
	return slices.Compact(edges)
}

// Middle is a number from a on and below b, halfway where float64 has one.
func Middle(a, b float32) float64 {
	m := float64(a)/2 + float64(b)/2
	if !(m < float64(b)) || m < float64(a) {
		return float64(a)
	}
	return m
}

// binOf is the first bin whose edge is not below the value.
func binOf(edges []float64, v float64) int {
	low := 0
	for n := len(edges); n > 0; {
		half := (n + 1) / 2
		if edges[low+half-1] < v {
			low += half
		}
		n -= half
	}
	return low
}
