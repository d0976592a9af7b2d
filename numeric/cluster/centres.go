package cluster

import (
	"context"
	"math"
	"math/bits"
	"sync"

	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// Centres are points that rows belong to: each row to the nearest, the first of equals. They may be used by any
// number of goroutines.
//
// Rows are compared with centres by products in float32; where those cannot tell which is nearest, distances from
// differences in float64 decide, so that the answer is that of comparing each row with each centre.
type Centres struct {
	N, D int
	X    []float64 // N×D, row-major

	shift   []float64 // taken from centres and rows before products
	flat    []float32 // N×D, shifted
	norms   []float32
	half    []float32 // halves of norms
	longest float64
	panels  func() *kernel.Panels[float32] // the same, packed, once many rows are in doubt
}

// NewCentres prepares the rows of m, at least one, as centres. shift is a point near to the rows that will be
// asked for (kernel.Middles), or nil for one near to the centres.
func NewCentres[T Number](m Matrix[T], shift []float64) *Centres {
	c := &Centres{N: m.N, D: m.D, X: make([]float64, len(m.X)), shift: shift}
	for i, v := range m.X {
		c.X[i] = float64(v)
	}
	if shift == nil {
		c.shift = kernel.Middles(m.X, m.N, m.D)
	}
	c.prepare()
	return c
}

// prepare follows a change of X.
func (c *Centres) prepare() {
	if c.flat == nil {
		c.flat, c.norms, c.half = make([]float32, c.N*c.D), make([]float32, c.N), make([]float32, c.N)
	}
	c.longest = 0
	for i := range c.N {
		to := c.flat[i*c.D : (i+1)*c.D]
		if math.IsInf(c.X[i*c.D], 1) { // given up
			clear(to)
			c.norms[i], c.half[i] = 0, float32(math.Inf(1))
			continue
		}
		shifted(c.X[i*c.D:(i+1)*c.D], c.shift, to)
		norm := kernel.SquaredLength(to)
		c.longest = max(c.longest, norm)
		c.norms[i], c.half[i] = float32(norm), float32(norm/2)
	}
	c.panels = sync.OnceValue(func() *kernel.Panels[float32] {
		p := kernel.NewPanels[float32](c.N, c.D)
		for i := range c.N {
			p.Set(i, c.flat[i*c.D:(i+1)*c.D])
		}
		return p
	})
}

// shifted writes row − shift to dst.
func shifted[A, B Number](row []A, shift []float64, dst []B) {
	for j, v := range row {
		dst[j] = B(float64(v) - shift[j])
	}
}

// Row is centre i.
func (c *Centres) Row(i int) []float64 { return c.X[i*c.D : (i+1)*c.D] }

// nearest is the number of the centre that is nearest to a row.
func nearest[T Number](c *Centres, row []T) int {
	best, least := 0, math.Inf(1)
	for i := range c.N {
		if d := SquaredDistance(row, c.Row(i)); d < least {
			best, least = i, d
		}
	}
	return best
}

// Nearest is the number of the nearest of a few centres, the first of equals.
func Nearest(centres [][]float32, row []float32) int {
	best, least := 0, math.Inf(1)
	for c := range centres {
		if d := SquaredDistance(row, centres[c]); d < least {
			best, least = c, d
		}
	}
	return best
}

// Assign fills labels with the number of the nearest centre of each row of m.
func Assign[T Number](ctx context.Context, c *Centres, m Matrix[T], workers int, labels []int32) error {
	const panels = 8
	width := kernel.PanelRows[float32]()
	return parallel.Workspaces(ctx, workers, m.N, panels*width, func() func(from, to int) {
		packed, row := kernel.NewPanels[float32](panels*width, c.D), make([]float32, c.D)
		search := newAssignment(c, packed)
		return func(from, to int) {
			for i := from; i < to; i++ {
				shifted(m.Row(i), c.shift, row)
				packed.Set(i-from, row)
			}
			search.run(0, (to-from+width-1)/width)
			settle(search, 0, to-from, func(i int) []T { return m.Row(from + i) }, func(i int, c int32) { labels[from+i] = c })
		}
	})
}

// assignment finds the nearest centres of packed rows, from several goroutines if each has panels of its own and
// a tile of its own.
type assignment struct {
	c      *Centres
	packed *kernel.Panels[float32]
	found  *kernel.Nearest
	tile   *kernel.Tile[float32]

	open             []int     // packed rows in doubt
	x, norms, limits []float32 // of those, up to a tile
}

func newAssignment(c *Centres, packed *kernel.Panels[float32]) *assignment {
	return (&assignment{c: c, packed: packed, found: kernel.NewNearest(packed)}).worker()
}

// worker shares what was found, and has scratch memory of its own.
func (a *assignment) worker() *assignment {
	n := kernel.TileRows
	return &assignment{
		c: a.c, packed: a.packed, found: a.found, tile: kernel.NewTile[float32](a.c.D),
		x: make([]float32, n*a.c.D), norms: make([]float32, n), limits: make([]float32, n),
	}
}

// run compares the rows of panels from to to−1 with all centres.
func (a *assignment) run(from, to int) {
	c := a.c
	a.found.Reset(from, to)
	for at := 0; at < c.N; at += kernel.TileRows {
		end := min(at+kernel.TileRows, c.N)
		a.tile.Use(c.flat[at*c.D:end*c.D], c.norms[at:end])
		for k := from; k < to; k++ {
			a.found.Choose(a.tile, a.packed, k, c.half[at:end], at)
		}
	}
}

// doubt bounds, for packed row i, what rounding may do to the difference of two of its squared distances in
// float32; see package neighbour.
func (a *assignment) doubt(i int) float64 {
	return doubt(a.c.D, float64(a.packed.Norm(i))+a.c.longest)
}

// doubt bounds it for rows of d numbers whose squared lengths add up to lengths.
func doubt(d int, lengths float64) float64 {
	const u = 1.0 / (1 << 24)
	return 2 * u * float64(d+14) * lengths
}

// settle calls set with the nearest centre of each of the packed rows from to to−1 that were run; row gives them
// as they were before they were shifted.
func settle[T Number](a *assignment, from, to int, row func(i int) []T, set func(i int, c int32)) {
	a.open = a.open[:0]
	for i := from; i < to; i++ {
		// Best and Second are halves of squared distances, less half the row's squared length.
		gap := 2 * (float64(a.found.Second[i]) - float64(a.found.Best[i]))
		if gap > a.doubt(i) || a.c.N == 1 {
			set(i, a.found.Index[i])
		} else {
			a.open = append(a.open, i)
		}
	}
	const few = 64
	for open := a.open; len(open) > 0; open = open[min(len(open), kernel.TileRows):] {
		rows := open[:min(len(open), kernel.TileRows)]
		if a.c.N > few {
			compareSome(a, rows, row, set)
			continue
		}
		for _, i := range rows {
			set(i, int32(nearest(a.c, row(i))))
		}
	}
}

// compareSome compares rows, at most a tile, with the centres that may be the nearest.
func compareSome[T Number](a *assignment, rows []int, row func(i int) []T, set func(i int, c int32)) {
	d, width := a.c.D, kernel.PanelRows[float32]()
	best, least := make([]int32, len(rows)), make([]float64, len(rows))
	for r, i := range rows {
		a.packed.Row(i, a.x[r*d:(r+1)*d])
		a.norms[r] = a.packed.Norm(i)
		limit := float64(a.norms[r]) + float64(2*float64(a.found.Best[i])) + float64(2*a.doubt(i))
		if a.limits[r], least[r] = float32(limit), math.Inf(1); !(limit < 1e30) { // products may have overflowed
			best[r], a.limits[r] = int32(nearest(a.c, row(i))), -1
		}
	}
	a.tile.Use(a.x[:len(rows)*d], a.norms[:len(rows)])
	panels := a.c.panels()
	for k := range panels.Count() {
		_, masks := a.tile.Below(panels, k, a.limits[:len(rows)])
		for r, mask := range masks {
			for ; mask != 0 && a.limits[r] >= 0; mask &= mask - 1 {
				c := k*width + bits.TrailingZeros32(mask)
				if far := SquaredDistance(row(rows[r]), a.c.Row(c)); far < least[r] {
					best[r], least[r] = int32(c), far
				}
			}
		}
	}
	for r, i := range rows {
		set(i, best[r])
	}
}
