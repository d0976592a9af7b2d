package trees

import (
	"context"
	"math"
	"slices"

	"plumbline/numeric/parallel"
)

// Grid is a training matrix by columns, each value as its place among the column's distinct values. Splits can then be
// found by counting where a column has few values, and by sorting small integers where it has many.
type Grid struct {
	n, d   int
	Values [][]float32      // by column: distinct values, rising
	Code   [][]uint32       // by column: place of each row's value
	bin    [][]uint8        // by column: bin of each row's value
	wide   []*[maxBins]bool // by column: whether a bin has more than one value
}

// NewGrid codes the columns of an n×d matrix.
func NewGrid(ctx context.Context, x []float32, n, d, workers int) (*Grid, error) {
	g := &Grid{n: n, d: d, Values: make([][]float32, d), Code: make([][]uint32, d), bin: make([][]uint8, d),
		wide: make([]*[maxBins]bool, d)}
	err := parallel.Blocks(ctx, workers, d, 1, func(j, _ int) {
		g.Values[j], g.Code[j], g.bin[j], g.wide[j] = codes(x, n, d, j)
	})
	return g, err
}

// codes is the distinct values of column j of an n×d matrix, rising, and the place and the bin of each row's.
func codes(x []float32, n, d, j int) (values []float32, code []uint32, bin []uint8,
	wide *[maxBins]bool) {
	keys, spare := make([]uint64, n), make([]uint64, n)
	for i := range keys {
		v := math.Float32bits(x[i*d+j] + 0) // one zero
		if v>>31 == 1 {
			v = ^v
		} else {
			v |= 1 << 31
		}
		keys[i] = uint64(v)<<32 | uint64(uint32(i))
	}
	code, bin = make([]uint32, n), make([]uint8, n)
	var rows []int32 // by value
	for k, key := range bySize(keys, spare, 32) {
		v := x[int(uint32(key))*d+j]
		if k == 0 || v != values[len(values)-1] {
			values, rows = append(values, v), append(rows, 0)
		}
		code[uint32(key)] = uint32(len(values) - 1)
		rows[len(values)-1]++
	}
	of, wide := cutCodes(values, rows, n)
	for i, c := range code {
		bin[i] = of[c]
	}
	return slices.Clip(values), code, bin, wide
}

// maxBins is the most bins that a column of a grid is cut into.
const maxBins = 256

// apartValues is how far values have to differ to be told apart, as in scikit-learn.
const apartValues = 1e-7

// cutCodes cuts the places of rising distinct values, which rows have as given, into at most maxBins bins of about as
// many rows each. Values in different bins are further than apartValues from each other. It returns the bin of each
// place, and which bins have more than one.
func cutCodes(values []float32, rows []int32, n int) (of []uint8, wide *[maxBins]bool) {
	of, wide = make([]uint8, len(values)), new([maxBins]bool)
	bin, own, seen := 0, 0, 0
	for v, count := range rows {
		full := own > 0 && (len(values) <= maxBins || seen*maxBins >= (bin+1)*n)
		if full && bin < maxBins-1 && float64(values[v]) > float64(values[v-1])+apartValues {
			bin, own = bin+1, 0
		}
		of[v] = uint8(bin)
		wide[bin] = own > 0
		own++
		seen += int(count)
	}
	return of, wide
}

// bySize sorts keys by the number in their upper half, which has width bits, and leaves equal ones as they come: by
// digits of eight bits from the lowest on. It returns keys or spare, of the same length, and changes both.
func bySize(keys, spare []uint64, width int) []uint64 {
	from, to := keys, spare
	for shift := 32; shift < 32+width; shift += 8 {
		var at [256]int32
		for _, key := range from {
			at[uint8(key>>shift)]++
		}
		sum := int32(0)
		for d, n := range at {
			at[d] = sum
			sum += n
		}
		for _, key := range from {
			d := uint8(key >> shift)
			to[at[d]] = key
			at[d]++
		}
		from, to = to, from
	}
	return from
}
