package stat

import (
	"cmp"
	"math"
	"slices"
)

const (
	radixBits  = 11
	radixSize  = 1 << radixBits
	radixAbove = 4096 // shorter slices are sorted by comparison
)

// keyed is a sample and an integer that orders as its score does, reversed.
type keyed struct {
	key uint64
	at  int32
}

// Descending returns the indices of x from the largest value to the smallest, equal values in index order.
// Values are finite; -0 equals 0.
func Descending(x []float64) []int32 {
	a := make([]keyed, len(x))
	for i, v := range x {
		a[i] = keyed{^ascendingKey(v), int32(i)}
	}
	if len(a) <= radixAbove {
		slices.SortStableFunc(a, func(p, q keyed) int { return cmp.Compare(p.key, q.key) })
	} else {
		a = radixSort(a)
	}
	out := make([]int32, len(a))
	for i := range a {
		out[i] = a[i].at
	}
	return out
}

// ascendingKey maps finite floats to integers of the same order: negative ones have all bits flipped,
// the others the sign bit.
func ascendingKey(v float64) uint64 {
	b := math.Float64bits(v + 0) // -0 + 0 is 0
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// radixSort sorts by key, least significant digit first; digits that are the same everywhere cost no pass.
func radixSort(a []keyed) []keyed {
	const digits = (64 + radixBits - 1) / radixBits
	var count [digits][radixSize]int32
	for i := range a {
		k := a[i].key
		for d := range digits {
			count[d][k>>(d*radixBits)&(radixSize-1)]++
		}
	}
	b := make([]keyed, len(a))
	for d := range digits {
		c := &count[d]
		if c[a[0].key>>(d*radixBits)&(radixSize-1)] == int32(len(a)) {
			continue
		}
		var sum int32
		for i, n := range c {
			c[i] = sum
			sum += n
		}
		for i := range a {
			at := &c[a[i].key>>(d*radixBits)&(radixSize-1)]
			b[*at] = a[i]
			*at++
		}
		a, b = b, a
	}
	return a
}
