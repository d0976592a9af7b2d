package parallel

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Panic is a panic that was caught, with the stack of the goroutine that it happened on.
type Panic struct {
	Value any
	Stack []byte
}

// Error is the panic as an error.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Catch runs f, and gives its panic; nil if it had none. One that was caught before keeps its stack.
func Catch(f func()) (caught *Panic) {
	defer func() {
		if v := recover(); v != nil {
			var ok bool
			if caught, ok = v.(*Panic); !ok {
				caught = &Panic{v, debug.Stack()}
			}
		}
	}()
	f()
	return nil
}

// Group is goroutines that are waited for together. The zero value is ready.
type Group struct {
	wg     sync.WaitGroup
	caught atomic.Pointer[Panic]
}

// Go runs f on a goroutine of its own.
func (g *Group) Go(f func()) {
	g.wg.Go(func() {
		if p := Catch(f); p != nil {
			g.caught.CompareAndSwap(nil, p)
		}
	})
}

// Wait returns when all are done. The first panic of one is that of Wait, as a *[Panic], so that whoever started the
// work can catch it: on a goroutine of its own it would end the process.
func (g *Group) Wait() {
	g.wg.Wait()
	if p := g.caught.Load(); p != nil {
		panic(p)
	}
}

// Panicked is the first panic so far, nil if there was none.
func (g *Group) Panicked() *Panic { return g.caught.Load() }
