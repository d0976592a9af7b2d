package nn

import (
	"runtime"
	"sync"
	"sync/atomic"

	"plumbline/numeric/kernel"
)

// barrier hands the tasks of successive phases to whoever asks first. A phase ends when its tasks are done, not
// when every worker came: one that the system keeps off its core holds nobody up but in the middle of a task.
type barrier struct {
	state atomic.Uint64 // phase in the upper half, a bit for each claimed task in the lower
	_     [56]byte      // apart from the count, which other cores write
	done  atomic.Int32
}

// maxTasks is how many a phase may have.
const maxTasks = 32

// phase works on tasks 0 to n−1 of a phase until all are done, beginning with the worker's own. Every worker
// calls it for every phase, in order from 0.
func (t *barrier) run(worker int, number uint32, n int, task func(i int)) {
	for {
		s := t.state.Load()
		if uint32(s>>32) != number {
			return
		}
		free := -1
		for j := range n {
			if i := (worker + j) % n; s>>i&1 == 0 {
				free = i
				break
			}
		}
		if free < 0 {
			break
		}
		if t.state.CompareAndSwap(s, s|1<<free) {
			task(free)
			if t.done.Add(1) == int32(n) {
				t.done.Store(0)
				t.state.Store(uint64(number+1) << 32)
				return
			}
		}
	}
	const spins = 20000
	for i := 0; uint32(t.state.Load()>>32) == number; i++ {
		if i > spins {
			runtime.Gosched()
		}
	}
}

// runWorkers runs f on the given number of goroutines, with denormal numbers flushed.
func runWorkers(workers int, f func(worker int)) {
	if workers <= 1 {
		kernel.FlushDenormals(func() { f(0) })
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { kernel.FlushDenormals(func() { f(w) }) })
	}
	wg.Wait()
}
