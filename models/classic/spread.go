package classic

import (
	"context"
	"sync"
	"sync/atomic"
)

// spread calls a worker's function on [lo, hi) chunks of [0, n), size long, from up to workers goroutines.
// newWorker gives each goroutine a function with scratch space of its own. Chunk bounds depend on n and
// size alone; a chunk must write only what belongs to it, and then nothing depends on the number of
// workers. A cancelled ctx stops it between chunks.
func spread(ctx context.Context, n, size, workers int, newWorker func() func(lo, hi int)) error {
	chunks := (n + size - 1) / size
	var next atomic.Int64
	work := func() {
		do := newWorker()
		for ctx.Err() == nil {
			c := int(next.Add(1)) - 1
			if c >= chunks {
				return
			}
			do(c*size, min(c*size+size, n))
		}
	}
	if workers = min(workers, chunks); workers <= 1 {
		if chunks > 0 {
			work()
		}
		return ctx.Err()
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(work)
	}
	wg.Wait()
	return ctx.Err()
}

// scoreRows is spread for models that score one row at a time. newRow gives each goroutine a function
// with scratch space of its own.
func scoreRows(ctx context.Context, x []float32, d, workers int, out []float64, newRow func() func(row []float32) float64) error {
	return spread(ctx, len(out), 256, workers, func() func(lo, hi int) {
		score := newRow()
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				out[i] = score(x[i*d : (i+1)*d])
			}
		}
	})
}
