package nn

import (
	"testing"
	"time"

	"plumbline/numeric/parallel"
)

// TestPanicOfAWorker: a panic in the middle of a phase, or between two, ends all the workers and comes out where it can
// be caught; none waits for the one that is gone.
func TestPanicOfAWorker(t *testing.T) {
	for _, c := range []struct {
		name            string
		inTask, between int // phase
	}{{"in a task", 3, -1}, {"between phases", -1, 3}} {
		for _, workers := range []int{1, 2, 4} {
			done := make(chan any)
			go func() {
				done <- parallel.Catch(func() {
					runWorkers(workers, func(tm *barrier, w int) {
						for phase := range 6 {
							if w == 0 && phase == c.between {
								panic("a hole between phases")
							}
							tm.run(w, uint32(phase), 4, func(k int) {
								if phase == c.inTask && k == 1 {
									panic("a hole in a task")
								}
							})
						}
					})
				})
			}()
			select {
			case p := <-done:
				caught, _ := p.(*parallel.Panic)
				if caught == nil || caught.Value != "a hole in a task" && caught.Value != "a hole between phases" {
					t.Errorf("%s, %d workers: %v", c.name, workers, p)
				}
			case <-time.After(30 * time.Second):
				t.Fatalf("%s, %d workers: some wait for ever", c.name, workers)
			}
		}
	}
}
