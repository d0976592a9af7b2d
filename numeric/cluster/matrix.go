package cluster

import (
	"fmt"
	"math"
	"slices"
)

// Number is what a matrix may hold. All sums run in float64.
type Number interface{ float32 | float64 }

// Matrix is n rows of d finite numbers, row-major. A Matrix does not own its numbers, and nothing here changes them.
type Matrix[T Number] struct {
	N, D int
	X    []T // N·D
}

// Rows is the matrix of rows of one length, at least one, which are copied.
func Rows[T Number](rows [][]T) Matrix[T] {
	return Matrix[T]{len(rows), len(rows[0]), slices.Concat(rows...)}
}

// Row is row i.
func (m Matrix[T]) Row(i int) []T { return m.X[i*m.D : (i+1)*m.D] }

// check is an error where the numbers do not have the shape, or are fewer than least rows.
func (m Matrix[T]) check(least int) error {
	if m.N < least || m.D < 1 || len(m.X) != m.N*m.D {
		return fmt.Errorf("cluster: %d numbers for %d rows of %d, needs at least %d rows", len(m.X), m.N, m.D, least)
	}
	return nil
}

// SquaredDistance is ‖a−b‖² over the length of a.
func SquaredDistance[A, B Number](a []A, b []B) float64 {
	sum := 0.0
	for j, v := range a {
		d := float64(v) - float64(b[j])
		sum += float64(d * d)
	}
	return sum
}

// means are the means of the rows of each of k groups, row-major k×d, and how many rows each has. Rows in no
// group are left out; the mean of an empty group is 0.
func means[T Number](m Matrix[T], labels []int32, k int) (centres []float64, sizes []int) {
	sums := NewSums(k, m.D)
	for i, c := range labels {
		if c >= 0 {
			AddRow(sums, int(c), m.Row(i))
		}
	}
	for c, n := range sums.Sizes {
		if n > 0 {
			for j := range sums.Of(c) {
				sums.Of(c)[j] /= float64(n)
			}
		}
	}
	return sums.X, sums.Sizes
}

// renumber gives groups the numbers 0, 1, … in the order of their first rows; negative labels stay Noise.
func renumber(labels []int32) (groups int) {
	number := map[int32]int32{}
	for i, c := range labels {
		if c < 0 {
			labels[i] = Noise
			continue
		}
		to, ok := number[c]
		if !ok {
			to = int32(len(number))
			number[c] = to
		}
		labels[i] = to
	}
	return len(number)
}

// finite says whether v is neither infinite nor NaN.
func finite(v float64) bool { return math.Abs(v) <= math.MaxFloat64 }
