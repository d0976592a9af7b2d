package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// memory looks at the resident memory of a server every second for some minutes, while single requests come from 16
// connections and a batch of CSV after the other.
func (b *bench) memory(ctx context.Context) error {
	if b.minutes <= 0 {
		return nil
	}
	if err := b.script(); err != nil {
		return err
	}
	p, _, err := b.serve(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	of := *b
	of.connections = 16
	seconds := int(60 * b.minutes)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	var single loaded
	var failed error
	wg.Go(func() {
		defer stop()
		single, failed = of.load(ctx, p, "/v1/models/forest/predict", seconds)
	})
	var batches atomic.Int64
	wg.Go(func() {
		t := &table{path: "/v1/models/forest/predict/batch", kind: "text/csv", accept: "text/csv", rows: b.rows,
			body: func() (io.ReadCloser, int64, error) {
				f, err := os.Open(b.csv)
				return f, -1, err
			}}
		for ctx.Err() == nil && t.send(ctx, p) == nil {
			batches.Add(1)
		}
	})
	var at, held []float64
	begun := time.Now()
	for tick := time.NewTicker(time.Second); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-tick.C:
			at, held = append(at, time.Since(begun).Minutes()), append(held, p.resident("VmRSS"))
		}
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	if len(held) < 10 {
		return fmt.Errorf("memory was looked at %d times", len(held))
	}
	warm := len(held) / 5 // models, buffers and the first batch have come by then
	at, rest := at[warm:], held[warm:]
	fmt.Printf("\nresident memory over %.1f minutes of %.0f single requests a second on 16 connections and %d batches of "+
		"%d rows of CSV:\nthe first fifth %.0f to %.0f MB, from then on %.0f to %.0f MB, %+.2f MB a minute (least squares)\n",
		b.minutes, single.rate, batches.Load(), b.rows, slices.Min(held[:warm]), slices.Max(held[:warm]), slices.Min(rest),
		slices.Max(rest), slope(at, rest))
	return nil
}

// slope is that of the line of least squares.
func slope(x, y []float64) float64 {
	var mx, my float64
	for i := range x {
		mx, my = mx+x[i]/float64(len(x)), my+y[i]/float64(len(x))
	}
	var sxy, sxx float64
	for i := range x {
		sxy += (x[i] - mx) * (y[i] - my)
		sxx += (x[i] - mx) * (x[i] - mx)
	}
	return sxy / sxx
}
