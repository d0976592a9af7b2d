package nn

import (
	"runtime"
	"sync/atomic"

	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// barrier hands the tasks of successive phases to whoever asks first. A phase ends when its tasks are done, not
// when every worker came: one that the system keeps off its core holds nobody up but in the middle of a task.
type barrier struct {
	state atomic.Uint64 // phase in the upper half, a bit for each claimed task in the lower
	_     [56]byte      // apart from the count, which other cores write
	done  atomic.Int32
	// broken is the panic of a worker: the others, who would wait for it, panic with it too.
	broken atomic.Pointer[parallel.Panic]
}

// phase works on tasks 0 to n−1 of a phase until all are done, beginning with the worker's own. Every worker
// calls it for every phase, in order from 0.
func (t *barrier) run(worker int, number uint32, n int, task func(i int)) {
	for {
		t.hold()
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
			t.hold()
			runtime.Gosched()
		}
	}
}

// hold panics when a worker has.
func (t *barrier) hold() {
	if p := t.broken.Load(); p != nil {
		panic(p)
	}
}

// runWorkers runs f on the given number of goroutines, with denormal numbers flushed. They meet at the barrier. A
// panic of one ends them all and is that of runWorkers.
func runWorkers(workers int, f func(tm *barrier, worker int)) {
	tm := &barrier{}
	if workers <= 1 {
		kernel.FlushDenormals(func() { f(tm, 0) })
		return
	}
	var g parallel.Group
	for w := range workers {
		g.Go(func() {
			kernel.FlushDenormals(func() {
				if p := parallel.Catch(func() { f(tm, w) }); p != nil {
					tm.broken.CompareAndSwap(nil, p)
					panic(p)
				}
			})
		})
	}
	g.Wait()
}
