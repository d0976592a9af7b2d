package neighbour

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"

	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// chunk is how many rows one goroutine looks after at a time.
const chunk = 4 * kernel.TileRows

// Nearest calls visit(i, near) for each row i of q, which are rows of D finite numbers, with its k nearest rows of
// the reference by rising distance, equal distances by row; from several goroutines, and near is only lent. With
// self ≥ 0, q is the part of the reference that begins at that row, and a row is not its own neighbour; −1 for
// rows from elsewhere. k is at least 1 and at most the number of rows to choose from.
//
// The distances of 2k+8 candidates are computed from differences in float64 and decide; where rounding could have
// kept a nearer row from being a candidate, the search is made again with products in float64. Those tell apart
// what differs by more than about 1e-15 of the squared distance from the columns' medians.
func (r *Reference) Nearest(ctx context.Context, q []float32, k, workers, self int, visit func(i int, near []Neighbour)) error {
	n := len(q) / r.D
	return parallel.Workspaces(ctx, workers, n, chunk, func() func(from, to int) {
		first := newSearch(r, r.panels, k)
		var second *search[float64]
		return func(from, to int) {
			var open []int
			for at := from; at < to && ctx.Err() == nil; at += kernel.TileRows {
				rows := make([]int, 0, kernel.TileRows)
				for i := at; i < min(at+kernel.TileRows, to); i++ {
					rows = append(rows, i)
				}
				first.run(ctx, q, rows, self)
				for c, i := range rows {
					near, certain := first.best(c, q[i*r.D:(i+1)*r.D], k)
					if certain {
						visit(i, near)
					} else {
						open = append(open, i)
					}
				}
			}
			if len(open) > 0 && second == nil {
				second = newSearch(r, r.doubles(), k)
			}
			for ; len(open) > 0 && ctx.Err() == nil; open = open[min(len(open), kernel.TileRows):] {
				rows := open[:min(len(open), kernel.TileRows)]
				second.run(ctx, q, rows, self)
				for c, i := range rows {
					near, _ := second.best(c, q[i*r.D:(i+1)*r.D], k)
					visit(i, near)
				}
			}
		}
	})
}

// search is the scratch memory of one goroutine: candidates for the neighbours of a tile's rows.
type search[T kernel.Real] struct {
	r      *Reference
	panels *kernel.Panels[T]
	tile   *kernel.Tile[T]
	keep   int // candidates
	others int // rows to choose from
	x      []T // of the tile
	norms  []T
	limits []T
	heaps  []heap
	near   []Neighbour
}

func newSearch[T kernel.Real](r *Reference, panels *kernel.Panels[T], k int) *search[T] {
	s := &search[T]{
		r: r, panels: panels, tile: kernel.NewTile[T](r.D), keep: min(2*k+8, r.N),
		x: make([]T, kernel.TileRows*r.D), norms: make([]T, kernel.TileRows), limits: make([]T, kernel.TileRows),
		heaps: make([]heap, kernel.TileRows),
	}
	for i := range s.heaps {
		s.heaps[i] = make(heap, 0, s.keep)
	}
	return s
}

// run fills the heaps for rows of q, at most a tile.
func (s *search[T]) run(ctx context.Context, q []float32, rows []int, self int) {
	d := s.r.D
	if s.others = s.r.N; self >= 0 {
		s.others--
	}
	for c, i := range rows {
		x := s.x[c*d : (c+1)*d]
		shifted(q[i*d:(i+1)*d], s.r.shift, x)
		s.norms[c] = T(kernel.SquaredLength(x))
		s.limits[c] = T(math.Inf(1))
		s.heaps[c] = s.heaps[c][:0]
	}
	s.tile.Use(s.x, s.norms[:len(rows)])
	w := kernel.PanelRows[T]()
	for k := range s.panels.Count() {
		if ctx.Err() != nil {
			return
		}
		squares, masks := s.tile.Below(s.panels, k, s.limits)
		valid := uint32(math.MaxUint32) >> (32 - s.panels.Size(k)) // the distance of filling is infinite, and limits may be
		for c, mask := range masks {
			if mask &= valid; mask == 0 {
				continue
			}
			skip := -1
			if self >= 0 {
				skip = self + rows[c]
			}
			h := &s.heaps[c]
			offer(h, squares[c*w:(c+1)*w], mask, k*w, skip, s.keep)
			if len(*h) == s.keep {
				s.limits[c] = T((*h)[0].Distance)
			}
		}
	}
}

// best is the k nearest of the candidates of the tile's row c, and whether no other row can be nearer.
func (s *search[T]) best(c int, row []float32, k int) ([]Neighbour, bool) {
	h := s.heaps[c]
	s.near = append(s.near[:0], h...)
	for i := range s.near {
		s.near[i].Distance = Distance(row, s.r.Row(int(s.near[i].Row)))
	}
	slices.SortFunc(s.near, compare)
	switch {
	case len(h) >= s.others:
		return s.near[:k], true // every row is a candidate
	case len(h) < k:
		return nil, false // float32 overflowed
	}
	last, norm := s.near[k-1].Distance, float64(s.norms[c])
	return s.near[:k], float64(last*last)+doubt(s.r.D, norm, reach(norm, last)) < h[0].Distance
}

func compare(a, b Neighbour) int {
	return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Row, b.Row))
}

// worse says whether a is farther, or as far with a later row.
func (a Neighbour) worse(b Neighbour) bool {
	return a.Distance > b.Distance || a.Distance == b.Distance && a.Row > b.Row
}

// heap holds the candidates so far with the worst on top; distances are squared here.
type heap []Neighbour

// offer takes the rows first+j of the mask's bits j with their squared distances, but not row skip. Rows come in
// rising order, so that a row that is as far as the worst is worse.
func offer[T kernel.Real](h *heap, squares []T, mask uint32, first, skip, keep int) {
	worst := math.Inf(1)
	if len(*h) == keep {
		worst = (*h)[0].Distance
	}
	for ; mask != 0; mask &= mask - 1 {
		j := bits.TrailingZeros32(mask)
		v := float64(squares[j])
		if v >= worst || first+j == skip {
			continue
		}
		if len(*h) < keep {
			*h = append(*h, Neighbour{int32(first + j), v})
			h.up(len(*h) - 1)
		} else {
			(*h)[0] = Neighbour{int32(first + j), v}
			h.down()
		}
		if len(*h) == keep {
			worst = (*h)[0].Distance
		}
	}
}

func (h heap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h[i].worse(h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (h heap) down() {
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
