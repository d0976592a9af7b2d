package neighbour

import (
	"context"
	"math"
	"math/bits"

	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// Pairs finds all pairs of rows of the reference that are at most distance apart, a row and itself left out. Each
// goroutine has a visit of its own from newVisit; a pair i < j is visited once.
func (r *Reference) Pairs(ctx context.Context, distance float64, workers int, newVisit func() func(i, j int)) error {
	return parallel.Workspaces(ctx, workers, r.N, kernel.TileRows, func() func(from, to int) {
		visit := newVisit()
		s := newBall(r, distance)
		return func(from, to int) {
			s.load(r.X, from, to)
			for k := from / kernel.PanelRows[float32](); k < r.panels.Count() && ctx.Err() == nil; k++ {
				s.each(k, func(c, j int) {
					if i := from + c; j > i {
						visit(i, j)
					}
				})
			}
		}
	})
}

// Within calls visit(i, j) for each row i of q, rows of D finite numbers, and each row j of the reference at most
// distance away; from several goroutines, but all calls of one i come from one of them, with rising j.
func (r *Reference) Within(ctx context.Context, q []float32, distance float64, workers int,
	visit func(i, j int)) error {
	return parallel.Workspaces(ctx, workers, len(q)/r.D, kernel.TileRows, func() func(from, to int) {
		s := newBall(r, distance)
		return func(from, to int) {
			s.load(q, from, to)
			for k := 0; k < r.panels.Count() && ctx.Err() == nil; k++ {
				s.each(k, func(c, j int) { visit(from+c, j) })
			}
		}
	})
}

// ball is the search of one goroutine for rows within a distance.
type ball struct {
	r        *Reference
	distance float64
	tile     *kernel.Tile[float32]
	rows     []float32 // of the tile, as they were given
	x        []float32 // shifted
	norms    []float32
	certain  []float32 // squared distances up to which there is no doubt
	limits   []float32 // and beyond which there is none
}

func newBall(r *Reference, distance float64) *ball {
	n := kernel.TileRows
	return &ball{
		r: r, distance: distance, tile: kernel.NewTile[float32](r.D), x: make([]float32, n*r.D),
		norms: make([]float32, n), certain: make([]float32, n), limits: make([]float32, n),
	}
}

// load takes the rows from to to−1 of q, at most a tile.
func (b *ball) load(q []float32, from, to int) {
	d := b.r.D
	b.rows = q[from*d : to*d]
	square := float64(b.distance * b.distance)
	for c := range to - from {
		x := b.x[c*d : (c+1)*d]
		shifted(b.rows[c*d:(c+1)*d], b.r.shift, x)
		norm := kernel.SquaredLength(x)
		b.norms[c] = float32(norm)
		off := doubt(d, norm, reach(norm, b.distance))
		if b.r.huge || !(norm < overflowing) || off > math.MaxFloat32 {
			b.certain[c], b.limits[c] = -1, float32(math.Inf(1))
			continue
		}
		b.certain[c], b.limits[c] = float32((square-off)*(1-1e-6)), float32((square+off)*(1+1e-6))
	}
	b.tile.Use(b.x, b.norms[:to-from])
}

// each visits the rows of panel k that are near to row c of the tile.
func (b *ball) each(k int, visit func(c, j int)) {
	squares, masks := b.tile.Below(b.r.panels, k, b.limits)
	w, d := kernel.PanelRows[float32](), b.r.D
	valid := uint32(math.MaxUint32) >> (w - b.r.panels.Size(k))
	for c, mask := range masks {
		if math.IsInf(float64(b.limits[c]), 1) {
			mask = math.MaxUint32 // also what is no number
		}
		for mask &= valid; mask != 0; mask &= mask - 1 {
			t := bits.TrailingZeros32(mask)
			j := k*w + t
			if v := squares[c*w+t]; v < b.certain[c] || Distance(b.rows[c*d:(c+1)*d], b.r.Row(j)) <= b.distance {
				visit(c, j)
			}
		}
	}
}
