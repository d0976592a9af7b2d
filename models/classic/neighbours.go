package classic

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// reference is a set of rows that neighbours are looked for in.
type reference struct {
	n, d int
	x    []float32 // n×d, as they were given
	f    affine
	p    *distanceBlocks // x shifted
}

func newReference(x []float32, n, d int, shift []float64) *reference {
	r := &reference{n: n, d: d, x: x, f: affine{shift, 1}}
	r.p = newDistanceBlocks(r.f, x, n, d)
	return r
}

// neighbour is a row of the reference and its distance.
type neighbour struct {
	row  int32
	dist float64
}

// nearest calls visit(i, near) for each of the n rows of q with its k nearest reference rows by rising
// Euclidean distance, equal distances by row; from several goroutines, and near is only lent. With self
// ≥ 0, q is the part of the reference that starts at that row, and a row is not its own neighbour; −1 for
// rows from elsewhere. k is at most the number of rows to choose from.
//
// Every distance is computed: rows are compared by matrix multiplication in float64, 2k+8 candidates are
// kept, and their distances computed again from differences, which decide. Distances that differ by less
// than about 1e-16 of the squared lengths of the rows cannot be told apart by the first step.
func (r *reference) nearest(ctx context.Context, q []float32, k, workers, self int,
	visit func(i int, near []neighbour)) error {
	n := len(q) / r.d
	keep := min(2*k+8, r.n)
	return parallelRows(ctx, n, blockRows, workers, func() func(lo, hi int) {
		b := newBlock(r.d)
		tile := make([]float64, blockRows*panelRows)
		heaps := make([]nearHeap, blockRows)
		for i := range heaps {
			heaps[i] = make(nearHeap, 0, keep)
		}
		return func(lo, hi int) {
			fill(b, r.f, q, r.d, lo, hi)
			for i := range b.m {
				heaps[i] = heaps[i][:0]
			}
			for c := range r.p.count() {
				if ctx.Err() != nil {
					return
				}
				r.p.negSquares(b, c, tile)
				for i := range b.m {
					skip := -1
					if self >= 0 {
						skip = self + lo + i
					}
					heaps[i].offer(tile[i*panelRows:i*panelRows+r.p.size(c)], c*panelRows, skip, keep)
				}
			}
			for i := range b.m {
				visit(lo+i, r.exact(q[(lo+i)*r.d:(lo+i+1)*r.d], heaps[i], k))
			}
		}
	})
}

// exact computes the distances of candidates again and keeps the k smallest, in order.
func (r *reference) exact(row []float32, near []neighbour, k int) []neighbour {
	for c := range near {
		near[c].dist = distance(row, r.x[int(near[c].row)*r.d:])
	}
	slices.SortFunc(near, compareNear)
	return near[:k]
}

// distance is ‖a−b‖ over the length of a.
func distance(a, b []float32) float64 {
	var sum float64
	for j, v := range a {
		diff := float64(v) - float64(b[j])
		sum += float64(diff * diff)
	}
	return math.Sqrt(sum)
}

func compareNear(a, b neighbour) int {
	return cmp.Or(cmp.Compare(a.dist, b.dist), cmp.Compare(a.row, b.row))
}

// worse says whether a is farther, or as far with a later row.
func (a neighbour) worse(b neighbour) bool {
	return a.dist > b.dist || a.dist == b.dist && a.row > b.row
}

// nearHeap holds the candidates so far with the worst on top; dist is the squared distance here.
type nearHeap []neighbour

// offer takes the rows first, first+1, … with their negative squared distances, but not row skip. Rows
// come in rising order, so that a row that is as far as the worst is worse.
func (h *nearHeap) offer(negative []float64, first, skip, keep int) {
	worst := math.Inf(-1)
	if len(*h) == keep {
		worst = -(*h)[0].dist
	}
	for j, v := range negative {
		if v <= worst || first+j == skip {
			continue
		}
		if len(*h) < keep {
			*h = append(*h, neighbour{int32(first + j), -v})
			h.up(len(*h) - 1)
		} else {
			(*h)[0] = neighbour{int32(first + j), -v}
			h.down()
		}
		if len(*h) == keep {
			worst = -(*h)[0].dist
		}
	}
}

func (h nearHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h[i].worse(h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (h nearHeap) down() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1].worse(h[child]) {
			child++
		}
		if !h[child].worse(h[i]) {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
