package classic

import "context"

// The Gaussian kernel K(x, y) = exp(−‖x−y‖²) of mapped rows: √γ is in the map's scale.

// weightedSums fills out[i] = Σ_j w_j K(x_i, y_j) for n rows x, 64 at a time taken by load, and the rows
// y of p. The order of the sum is that of y, whatever n and workers are.
func weightedSums(ctx context.Context, n int, load func(b *block, lo, hi int), p *distanceBlocks, w []float64,
	workers int, out []float64) error {
	return parallelRows(ctx, n, blockRows, workers, func() func(lo, hi int) {
		b := newBlock(p.d)
		tile := make([]float64, blockRows*panelRows)
		return func(lo, hi int) {
			load(b, lo, hi)
			clear(out[lo:hi])
			for k := range p.count() {
				if ctx.Err() != nil {
					return
				}
				p.negSquares(b, k, tile)
				weights := w[k*panelRows : k*panelRows+p.size(k)]
				for i := range b.m {
					row := tile[i*panelRows : i*panelRows+len(weights)]
					expInPlace(row)
					for j, w := range weights {
						row[j] *= w
					}
					out[lo+i] += total(row)
				}
			}
		}
	})
}

// total is Σ v, in four sums side by side: one would wait for itself.
func total(v []float64) float64 {
	var a, b, c, d float64
	for ; len(v) >= 4; v = v[4:] {
		a, b, c, d = a+v[0], b+v[1], c+v[2], d+v[3]
	}
	for _, x := range v {
		a += x
	}
	return (a + b) + (c + d)
}

// rows is load for rows of the row-major matrix x.
func rows[T float32 | float64](f affine, x []T, d int) func(b *block, lo, hi int) {
	return func(b *block, lo, hi int) { fill(b, f, x, d, lo, hi) }
}

// own is load for the rows of p itself.
func (p *distanceBlocks) own() func(b *block, lo, hi int) {
	return func(b *block, lo, hi int) {
		b.m = hi - lo
		for r := range b.m {
			p.at(lo+r, b.x[r*p.d:(r+1)*p.d])
			b.norms[r] = p.norms[lo+r]
		}
	}
}

// gram is the n×n matrix K(p_i, p_j), row-major, with an exact diagonal.
func gram(ctx context.Context, p *distanceBlocks, workers int) ([]float64, error) {
	q := make([]float64, p.n*p.n)
	load := p.own()
	err := parallelRows(ctx, p.n, blockRows, workers, func() func(lo, hi int) {
		b := newBlock(p.d)
		tile := make([]float64, blockRows*panelRows)
		return func(lo, hi int) {
			load(b, lo, hi)
			for k := range p.count() {
				if ctx.Err() != nil {
					return
				}
				p.negSquares(b, k, tile)
				w := p.size(k)
				for i := range b.m {
					row := tile[i*panelRows : i*panelRows+w]
					expInPlace(row)
					copy(q[(lo+i)*p.n+k*panelRows:], row)
				}
			}
			for i := lo; i < hi; i++ {
				q[i*p.n+i] = 1
			}
		}
	})
	return q, err
}
