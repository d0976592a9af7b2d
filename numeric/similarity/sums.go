package similarity

import (
	"context"

	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// blockPanels is how many panels one goroutine takes at a time: with a tile's rows they fit the second level of
// the cache.
const blockPanels = 8

// Sums fills out[i] = Σ_j w_j K(p_i, y_j) for the points y of q, which has the same function and came from the
// same New or from Pick of its result. The sum runs in the order of y, in float64, whatever workers is.
func (p *Points) Sums(ctx context.Context, q *Points, w []float64, workers int, out []float64) error {
	if p.single != nil {
		return own(ctx, p, p.single, q.single, w, workers, out)
	}
	return own(ctx, p, p.double, q.double, w, workers, out)
}

func own[T kernel.Real](ctx context.Context, p *Points, cols, rows *prepared[T], w []float64,
	workers int, out []float64) error {
	width := kernel.PanelRows[T]()
	return parallel.Workspaces(ctx, workers, p.N, blockPanels*width, func() func(from, to int) {
		s := newSummer(p, rows, w)
		return func(from, to int) { s.run(ctx, cols.panels, from/width, out[from:to]) }
	})
}

// SumsAt fills out[i] = Σ_j w_j K(x_i, p_j) for rows x of D numbers, row-major. A sum depends on its row alone.
func (p *Points) SumsAt(ctx context.Context, x []float32, w []float64,
	workers int, out []float64) error {
	if p.single != nil {
		return others(ctx, p, p.single, x, w, workers, out)
	}
	return others(ctx, p, p.double, x, w, workers, out)
}

func others[T kernel.Real](ctx context.Context, p *Points, rows *prepared[T], x []float32, w []float64,
	workers int, out []float64) error {
	block := blockPanels * kernel.PanelRows[T]()
	return parallel.Workspaces(ctx, workers, len(out), block, func() func(from, to int) {
		s := newSummer(p, rows, w)
		cols, row := kernel.NewPanels[T](block, p.D), make([]T, p.D)
		return func(from, to int) {
			for i := from; i < to; i++ {
				mapped(p, x[i*p.D:(i+1)*p.D], row)
				cols.Set(i-from, row)
			}
			s.run(ctx, cols, 0, out[from:to])
		}
	})
}

// summer adds up the weighted kernel values of rows; the scratch memory of one goroutine.
type summer[T kernel.Real] struct {
	p        *Points
	rows     *prepared[T]
	tile     *kernel.Tile[T]
	x, norms []T
	w        []float64
	acc      []float64
}

func newSummer[T kernel.Real](p *Points, rows *prepared[T], w []float64) *summer[T] {
	s := &summer[T]{p: p, rows: rows, tile: kernel.NewTile[T](p.D), w: w,
		acc: make([]float64, blockPanels*kernel.PanelRows[T]())}
	s.x, s.norms = rows.rows()
	return s
}

// run fills out with the sums of the columns from panel first on, at most blockPanels of them.
func (s *summer[T]) run(ctx context.Context, cols *kernel.Panels[T], first int, out []float64) {
	width, d := kernel.PanelRows[T](), s.p.D
	clear(s.acc)
	for at := 0; at < len(s.norms) && ctx.Err() == nil; at += kernel.TileRows {
		end := min(at+kernel.TileRows, len(s.norms))
		s.tile.Use(s.x[at*d:end*d], s.norms[at:end])
		for k := 0; k*width < len(out); k++ {
			acc := s.acc[k*width : (k+1)*width]
			if s.p.F.Kind == RBF && !s.rows.long {
				s.tile.RBFSum(cols, first+k, s.w[at:end], acc)
				continue
			}
			c := values(s.p.F, s.tile, cols, first+k, s.rows.long)
			for i, weight := range s.w[at:end] {
				for j, v := range c[i*width : (i+1)*width] {
					acc[j] += float64(weight * float64(v))
				}
			}
		}
	}
	copy(out, s.acc)
}

// values are K(x, y) for the tile's rows and a panel.
func values[T kernel.Real](f Function, t *kernel.Tile[T], cols *kernel.Panels[T], k int, long bool) []T {
	switch f.Kind {
	case Linear:
		return t.Products(cols, k)
	case Poly:
		return t.Power(cols, k, T(f.Gamma), T(f.Offset), f.Degree)
	case Sigmoid:
		return t.Sigmoid(cols, k, T(f.Gamma), T(f.Offset))
	}
	if !long {
		return t.RBF(cols, k)
	}
	c := repaired(t, cols, k)
	for i, v := range c {
		if v >= vanishing {
			c[i] = 0
			continue
		}
		c[i] = T(elementary.Exp(-float64(v)))
	}
	return c
}

// vanishing is where exp(−v) has become 0.
const vanishing = 750

// repaired is the squared distances of a tile, those from differences that products have lost: of a square below
// vanishing, beyond which exp is 0, or below 1e-7 of the lengths.
func repaired[T kernel.Real](t *kernel.Tile[T], cols *kernel.Panels[T], k int) []T {
	c, width := t.Squares(cols, k), kernel.PanelRows[T]()
	for i := range len(c) / width {
		nx := float64(t.Norm(i))
		for j := range cols.Size(k) {
			if length := nx + float64(cols.Norm(k*width+j)); length > shortForDouble {
				if v := float64(c[i*width+j]); v < max(vanishing, 1e-7*length) {
					c[i*width+j] = T(t.Apart(i, cols, k*width+j))
				}
			}
		}
	}
	return c
}

// ValuesAt fills out, row-major, with K(x_i, p_j) for n rows x of D numbers, one row of N values each.
func (p *Points) ValuesAt(ctx context.Context, x []float32, n, workers int, out []float64) error {
	if p.single != nil {
		return valuesAt(ctx, p, p.single, x, n, workers, out)
	}
	return valuesAt(ctx, p, p.double, x, n, workers, out)
}

func valuesAt[T kernel.Real](ctx context.Context, p *Points, cols *prepared[T], x []float32, n, workers int,
	out []float64) error {
	d, width := p.D, kernel.PanelRows[T]()
	return parallel.Workspaces(ctx, workers, n, kernel.TileRows, func() func(from, to int) {
		tile := kernel.NewTile[T](d)
		rows, norms := make([]T, kernel.TileRows*d), make([]T, kernel.TileRows)
		return func(from, to int) {
			for i := from; i < to; i++ {
				row := rows[(i-from)*d : (i-from+1)*d]
				mapped(p, x[i*d:(i+1)*d], row)
				norms[i-from] = T(kernel.SquaredLength(row))
			}
			tile.Use(rows[:(to-from)*d], norms[:to-from])
			for k := range cols.panels.Count() {
				c := values(p.F, tile, cols.panels, k, cols.long)
				for i := from; i < to; i++ {
					for j := range cols.panels.Size(k) {
						out[i*p.N+k*width+j] = float64(c[(i-from)*width+j])
					}
				}
			}
		}
	})
}

// Gram is the N×N matrix K(p_i, p_j), row-major. It is in room where that has the capacity, and replaces what is there.
func (p *Points) Gram(ctx context.Context, workers int, room []float64) ([]float64, error) {
	if cap(room) < p.N*p.N {
		room = make([]float64, p.N*p.N)
	}
	q := room[:p.N*p.N]
	if p.single != nil {
		return q, gram(ctx, p, p.single, workers, q)
	}
	return q, gram(ctx, p, p.double, workers, q)
}

func gram[T kernel.Real](ctx context.Context, p *Points, from *prepared[T], workers int, q []float64) error {
	x, norms := from.rows()
	width := kernel.PanelRows[T]()
	return parallel.Workspaces(ctx, workers, p.N, kernel.TileRows, func() func(from, to int) {
		tile := kernel.NewTile[T](p.D)
		return func(lo, hi int) {
			tile.Use(x[lo*p.D:hi*p.D], norms[lo:hi])
			for k := range from.panels.Count() {
				if ctx.Err() != nil {
					return
				}
				c := values(p.F, tile, from.panels, k, from.long)
				for i := lo; i < hi; i++ {
					row := q[i*p.N+k*width : i*p.N+min((k+1)*width, p.N)]
					for j := range row {
						row[j] = float64(c[(i-lo)*width+j])
					}
				}
			}
			for i := lo; i < hi && p.F.Kind == RBF; i++ {
				q[i*p.N+i] = 1
			}
		}
	})
}
