// Package parallel cuts loops over rows into blocks and runs them on several goroutines, so that what is computed
// does not depend on how many there are. It knows nothing of what the rows are.
package parallel

import (
	"context"
	"sync/atomic"
)

// Blocks runs work on [0, n) in blocks, on up to workers goroutines, and returns when all are done. The cut into
// blocks depends on n and block alone: what work writes per index, or per block (from/block), is the same
// whatever the number of workers. A cancelled ctx leaves the remaining blocks out and is the error. A panic of
// work is that of Blocks, as a *[Panic], so that the caller can catch it.
func Blocks(ctx context.Context, workers, n, block int, work func(from, to int)) error {
	return Workspaces(ctx, workers, n, block, func() func(from, to int) { return work })
}

// Workspaces is Blocks for work that needs scratch memory: newWorker is called once by each goroutine that has a block
// to do, and returns the function that does them. Nothing of it is kept.
func Workspaces(ctx context.Context, workers, n, block int, newWorker func() func(from, to int)) error {
	var next atomic.Int64
	var g Group
	for range min(workers, (n+block-1)/block) {
		g.Go(func() {
			var work func(from, to int)
			for ctx.Err() == nil && g.Panicked() == nil {
				from := int(next.Add(int64(block))) - block
				if from >= n {
					return
				}
				if work == nil {
					work = newWorker()
				}
				work(from, min(from+block, n))
			}
		})
	}
	g.Wait()
	return ctx.Err()
}
