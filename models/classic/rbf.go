package classic

import "context"

// The Gaussian kernel K(x, y) = exp(−‖x−y‖²) of mapped rows: √γ is in the map's scale.

// weightedSums fills out[i] = Σ_j w_j K(x_i, y_j) for n rows x, 64 at a time taken by load, and the rows
// y of p. The order of the sum is that of y, whatever n and workers are.
func weightedSums(ctx context.Context, n int, load func(b *block, lo, hi int), p *points, w []float64, workers int, out []float64) error {
	return spread(ctx, n, blockRows, workers, func() func(lo, hi int) {
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
					var sum float64
					for j, v := range row {
						sum += float64(weights[j] * v)
					}
					out[lo+i] += sum
				}
			}
		}
	})
}

// rows is load for rows of the row-major matrix x.
func rows[T float32 | float64](f frame, x []T, d int) func(b *block, lo, hi int) {
	return func(b *block, lo, hi int) { fill(b, f, x, d, lo, hi) }
}

// own is load for the rows of p itself.
func (p *points) own() func(b *block, lo, hi int) {
	return func(b *block, lo, hi int) {
		b.m = hi - lo
		for r := range b.m {
			p.at(lo+r, b.x[r*p.d:(r+1)*p.d])
			b.norms[r] = p.norms[lo+r]
		}
	}
}

// kernelRows fills rows[r][j] = K(p_idx[r], p_j) for every j, rounded to T.
func kernelRows[T float32 | float64](ctx context.Context, p *points, idx []int, workers int, rows [][]T) error {
	var blocks []*block
	for lo := 0; lo < len(idx); lo += blockRows {
		b := newBlock(p.d)
		p.gather(b, idx[lo:min(lo+blockRows, len(idx))])
		blocks = append(blocks, b)
	}
	return spread(ctx, p.count(), 1, workers, func() func(lo, hi int) {
		tile := make([]float64, blockRows*panelRows)
		return func(k, _ int) {
			w := p.size(k)
			for n, b := range blocks {
				if ctx.Err() != nil {
					return
				}
				p.negSquares(b, k, tile)
				for i := range b.m {
					row := tile[i*panelRows : i*panelRows+w]
					expInPlace(row)
					to := rows[n*blockRows+i][k*panelRows : k*panelRows+w]
					for j, v := range row {
						to[j] = T(v)
					}
				}
			}
		}
	})
}
