package stat

import (
	"cmp"
	"slices"
)

// Lowest is the size elements of idx with the lowest keys, by rising key, equal ones as they come in idx, which
// ascends. It reorders idx.
func Lowest(idx []int, size int, key func(i int) float64) []int {
	order := func(a, b int) int { return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a, b)) }
	for lo, hi := 0, len(idx); hi-lo > 1 && size < hi; { // selection by halves (Hoare 1961) until size splits them
		pivot := idx[lo+(hi-lo)/2]
		i, j := lo, hi-1
		for i <= j {
			for order(idx[i], pivot) < 0 {
				i++
			}
			for order(idx[j], pivot) > 0 {
				j--
			}
			if i <= j {
				idx[i], idx[j] = idx[j], idx[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case size <= j+1:
			hi = j + 1
		case size > i:
			lo = i
		default:
			lo, hi = size, size
		}
	}
	idx = idx[:min(size, len(idx))]
	slices.SortFunc(idx, order)
	return idx
}
