package neighbour

import (
	"cmp"
	"context"
	"math"
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
func (r *Reference) Nearest(ctx context.Context, q []float32, k, workers, self int,
	visit func(i int, near []Neighbour)) error {
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
	found  []candidates
	near   []Neighbour
}

func newSearch[T kernel.Real](r *Reference, panels *kernel.Panels[T], k int) *search[T] {
	s := &search[T]{
		r: r, panels: panels, tile: kernel.NewTile[T](r.D), keep: min(2*k+8, r.N),
		x: make([]T, kernel.TileRows*r.D), norms: make([]T, kernel.TileRows), limits: make([]T, kernel.TileRows),
		found: make([]candidates, kernel.TileRows),
	}
	for i := range s.found {
		s.found[i] = newCandidates(s.keep, r.N)
	}
	return s
}

// run finds the candidates for rows of q, at most a tile.
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
		s.found[c].reset()
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
			offer(&s.found[c], squares[c*w:(c+1)*w], mask, k*w, skip)
			s.limits[c] = T(s.found[c].limit)
		}
	}
	for c := range rows {
		s.found[c].cut()
	}
}

// best is the k nearest of the candidates of the tile's row c, and whether no other row can be nearer.
func (s *search[T]) best(c int, row []float32, k int) ([]Neighbour, bool) {
	h := &s.found[c]
	s.near = s.near[:0]
	for _, v := range h.all {
		s.near = append(s.near, Neighbour{h.row(v), Distance(row, s.r.Row(int(h.row(v))))})
	}
	slices.SortFunc(s.near, compare)
	switch {
	case len(h.all) >= s.others:
		return s.near[:k], true // every row is a candidate
	case len(h.all) < s.keep:
		return nil, false // float32 overflowed
	}
	last, norm := s.near[k-1].Distance, float64(s.norms[c])
	return s.near[:k], float64(last*last)+doubt(s.r.D, norm, reach(norm, last)) < h.limit
}

func compare(a, b Neighbour) int {
	return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Row, b.Row))
}
