package similarity

import (
	"context"

	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// Rows computes rows of the matrix K(p_i, p_j), some at a time. It is scratch memory of one goroutine, which may share
// the work with others.
type Rows struct {
	fill func(ctx context.Context, idx []int, out [][]float32) error
}

// Rows is room for the rows of p.
func (p *Points) Rows(workers int) *Rows {
	if p.single != nil {
		return &Rows{rowsOf(p, p.single, workers)}
	}
	return &Rows{rowsOf(p, p.double, workers)}
}

// Fill makes out[r][j] = K(p_i, p_j) with i = idx[r], for all N points j, rounded to float32. More than
// kernel.TileRows rows at a time cost no less each.
func (r *Rows) Fill(ctx context.Context, idx []int, out [][]float32) error {
	return r.fill(ctx, idx, out)
}

// rowsPanels is how many panels one goroutine takes at a time.
const rowsPanels = 64

func rowsOf[T kernel.Real](p *Points, from *prepared[T], workers int) func(context.Context, []int, [][]float32) error {
	x, norms, width := make([]T, kernel.TileRows*p.D), make([]T, kernel.TileRows), kernel.PanelRows[T]()
	tiles := make(chan *kernel.Tile[T], workers)
	for range workers {
		tiles <- kernel.NewTile[T](p.D)
	}
	return func(ctx context.Context, idx []int, out [][]float32) error {
		for len(idx) > 0 {
			n := min(len(idx), kernel.TileRows)
			for r, i := range idx[:n] {
				from.panels.Row(i, x[r*p.D:(r+1)*p.D])
				norms[r] = from.panels.Norm(i)
			}
			err := parallel.Blocks(ctx, workers, p.N, rowsPanels*width, func(lo, hi int) {
				tile := <-tiles
				defer func() { tiles <- tile }()
				tile.Use(x[:n*p.D], norms[:n])
				for k := lo / width; k*width < hi; k++ {
					c, size := values(p.F, tile, from.panels, k, from.long), from.panels.Size(k)
					for r := range n {
						row := out[r][k*width : k*width+size]
						for j, v := range c[r*width : r*width+size] {
							row[j] = float32(v)
						}
					}
				}
			})
			if err != nil {
				return err
			}
			idx, out = idx[n:], out[n:]
		}
		return nil
	}
}
