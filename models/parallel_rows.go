package models

import (
	"context"

	"plumbline/numeric/parallel"
)

// parallelRows is models.Env.Blocks for work that needs scratch space: newWorker gives each goroutine a function
// of its own. A chunk must write only what belongs to it; then nothing depends on the number of workers.
func ParallelRows(ctx context.Context, n, size, workers int, newWorker func() func(lo, hi int)) error {
	return parallel.Workspaces(ctx, workers, n, size, newWorker)
}

// scoreRows is parallelRows for models that score one row at a time. newRow gives each goroutine a function
// with scratch space of its own.
func EachRow(ctx context.Context, x []float32, d, workers int, out []float64,
	newRow func() func(row []float32) float64) error {
	return ParallelRows(ctx, len(out), 256, workers, func() func(lo, hi int) {
		score := newRow()
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				out[i] = score(x[i*d : (i+1)*d])
			}
		}
	})
}
