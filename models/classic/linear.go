package classic

import (
	"context"

	"plumbline/data"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// covariance is the d×d row-major matrix 1/n Σ (x−mean)(x−mean)ᵀ, by products of matrices in float64. Partial sums
// are added in order: the number of workers changes nothing.
func covariance(ctx context.Context, s *data.Set, mean []float64, workers int) ([]float64, error) {
	d, ld := s.D, (s.D+15)/16*16
	size := max(momentRows, (s.N+15)/16) // at most 16 partial sums
	parts := make([][]float64, (s.N+size-1)/size)
	err := parallel.Workspaces(ctx, workers, s.N, size, func() func(lo, hi int) {
		const rows = 256
		x := make([]float64, rows*ld)
		return func(lo, hi int) {
			sum := make([]float64, d*ld)
			for at := lo; at < hi && ctx.Err() == nil; at += rows {
				n := min(rows, hi-at)
				for i := range n {
					for j, v := range s.Row(at + i) {
						x[i*ld+j] = float64(v) - mean[j]
					}
				}
				kernel.AddGram(n, d, x, ld, sum)
			}
			parts[lo/size] = sum
		}
	})
	if err != nil {
		return nil, err
	}
	cov := make([]float64, d*d)
	for a := range d {
		for b := a; b < d; b++ {
			sum := 0.0
			for _, p := range parts {
				sum += p[a*ld+b]
			}
			cov[a*d+b] = sum / float64(s.N)
			cov[b*d+a] = cov[a*d+b]
		}
	}
	return cov, nil
}

// panelsOf packs the rows of a row-major n×d matrix.
func panelsOf(x []float64, n, d int) *kernel.Panels[float64] {
	p := kernel.NewPanels[float64](n, d)
	for i := range n {
		p.Set(i, x[i*d:(i+1)*d])
	}
	return p
}

// eachTile calls visit with up to kernel.TileRows rows at a time, less mean, row-major; from several goroutines,
// each with a visit of its own from newVisit.
func eachTile(ctx context.Context, s *data.Set, mean []float64, workers int, newVisit func() func(lo, hi int, z []float64)) error {
	d := s.D
	return parallel.Workspaces(ctx, workers, s.N, 4*kernel.TileRows, func() func(lo, hi int) {
		visit, z := newVisit(), make([]float64, kernel.TileRows*d)
		return func(lo, hi int) {
			for at := lo; at < hi && ctx.Err() == nil; at += kernel.TileRows {
				end := min(at+kernel.TileRows, hi)
				for i := at; i < end; i++ {
					to := z[(i-at)*d : (i-at+1)*d]
					for j, v := range s.Row(i) {
						to[j] = float64(v) - mean[j]
					}
				}
				visit(at, end, z[:(end-at)*d])
			}
		}
	})
}

// noNorms stand in for the squared lengths of rows that only products are made of.
var noNorms [kernel.TileRows]float64
