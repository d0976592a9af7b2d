package neighbour

import (
	"math"
	"math/bits"
	"slices"

	"plumbline/numeric/kernel"
)

// candidates are the nearest rows so far by their squared distances: at least the keep nearest of those that were
// offered, in no order. Each is one number: the bits of its square as a float64, the last of them given up for its
// row, so that comparing numbers compares squares, which are not negative, and then rows. Squares that are float32
// lose nothing, as long as there are no more than 2²⁹ rows.
type candidates struct {
	keep  int
	rows  uint64 // mask of the bits for rows
	all   []uint64
	limit float64 // no square above it is among the keep nearest
}

func newCandidates(keep, n int) candidates {
	return candidates{keep: keep, rows: 1<<bits.Len(uint(n)) - 1, all: make([]uint64, 0, 2*keep+32)}
}

func (c *candidates) reset() {
	c.all, c.limit = c.all[:0], math.Inf(1)
}

// offer takes the rows first+j of the mask's bits j with their squares, but not row skip.
func offer[T kernel.Real](c *candidates, squares []T, mask uint32, first, skip int) {
	for ; mask != 0; mask &= mask - 1 {
		j := bits.TrailingZeros32(mask)
		if first+j != skip {
			square := float64(squares[j]) + 0 // 0 for −0
			c.all = append(c.all, math.Float64bits(square)&^c.rows|uint64(first+j))
		}
	}
	if len(c.all) >= 2*c.keep {
		c.cut()
	}
}

// cut leaves the keep nearest.
func (c *candidates) cut() {
	if len(c.all) > c.keep {
		split(c.all, c.keep)
		c.all = c.all[:c.keep]
	}
	if len(c.all) == c.keep {
		c.limit = c.square(slices.Max(c.all))
	}
}

// row and square are the two halves of a candidate.
func (c *candidates) row(v uint64) int32      { return int32(v & c.rows) }
func (c *candidates) square(v uint64) float64 { return math.Float64frombits(v &^ c.rows) }

// split moves the n smallest numbers to the front (Hoare, Algorithm 65: find, 1961).
func split(v []uint64, n int) {
	lo, hi := 0, len(v)
	for hi-lo > 1 {
		pivot := v[lo+(hi-lo)/2]
		i, j := lo, hi-1
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j+1:
			hi = j + 1
		case n > i:
			lo = i
		default:
			return
		}
	}
}
