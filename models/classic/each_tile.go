package classic

import (
	"context"

	"plumbline/data"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// eachTile calls visit with up to kernel.TileRows rows at a time, less mean, row-major; from several goroutines,
// each with a visit of its own from newVisit.
func eachTile(ctx context.Context, s *data.Set, mean []float64, workers int,
	newVisit func() func(lo, hi int, z []float64)) error {
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
