package parallel

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestBlocks: every index is visited once, in blocks that do not depend on the number of workers.
func TestBlocks(t *testing.T) {
	for _, workers := range []int{1, 2, 7, 100} {
		for _, n := range []int{0, 1, 9, 10, 11, 1000} {
			seen := make([]atomic.Int32, n)
			err := Workspaces(context.Background(), workers, n, 10, func() func(from, to int) {
				return func(from, to int) {
					if from%10 != 0 || to != min(from+10, n) {
						t.Errorf("%d workers, %d rows: block %d to %d", workers, n, from, to)
					}
					for i := from; i < to; i++ {
						seen[i].Add(1)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range seen {
				if v := seen[i].Load(); v != 1 {
					t.Fatalf("%d workers: row %d of %d was visited %d times", workers, i, n, v)
				}
			}
		}
	}
}

// TestNothingIsKept: what workers hold is let go of with the call. A pool of the call's own would keep it over two
// collections; where they grow rarer with what is held, memory then grows without end.
func TestNothingIsKept(t *testing.T) {
	var made, freed atomic.Int32
	for range 10 {
		rows := make([]float32, 1<<16)
		err := Workspaces(context.Background(), 2, len(rows), 1<<12, func() func(from, to int) {
			scratch := make([]float32, 1<<12)
			made.Add(1)
			runtime.AddCleanup(&scratch[0], func(n *atomic.Int32) { n.Add(1) }, &freed)
			return func(from, to int) { copy(scratch, rows[from:to]) }
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	for deadline := time.Now().Add(10 * time.Second); freed.Load() < made.Load(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) { // cleanups run some time after the one collection
			t.Fatalf("%d of %d workspaces are still held after a collection", made.Load()-freed.Load(), made.Load())
		}
	}
}

// TestBlocksEnd: a cancelled context ends the loop and is its error; a panic comes out where it can be caught.
func TestBlocksEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var done atomic.Int32
	err := Blocks(ctx, 2, 1000, 1, func(int, int) {
		if done.Add(1) == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || done.Load() > 10 {
		t.Errorf("error %v after %d blocks", err, done.Load())
	}
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Value != "broken" || !strings.Contains(string(p.Stack), "TestBlocksEnd") {
			t.Errorf("recovered %v", p)
		}
	}()
	_ = Blocks(context.Background(), 3, 100, 1, func(from, _ int) {
		if from == 5 {
			panic("broken")
		}
	})
	t.Error("no panic")
}
