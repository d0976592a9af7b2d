// Command serving measures a service on NSL-KDD, beside Flask with scikit-learn's isolation forest on gunicorn, and
// what plumbline score does. The tables of docs/performance.md:
//
//	go build -o plumbline ./cmd/plumbline
//	go run ./cmd/speed/serving -plumbline ./plumbline -data FOLDER -python /usr/bin/python3
//
// It needs Linux, wrk, and for the peer gunicorn, Flask and scikit-learn. FOLDER holds the data sets, as
// $PLUMBLINE_DATA does. Clients and servers share the processors. Both servers are loaded in turn.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	_ "plumbline/models/all"
	"plumbline/runs/usage"
)

func main() { os.Exit(exit(os.Args[1:])) }

func exit(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, args); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "serving:", err)
		return 1
	}
	return 0
}

// bench is what the command line says, and what is made for all measurements.
type bench struct {
	program, data, python string
	dir                   string
	rounds, seconds       int
	connections           int
	minutes               float64
	repeat                int

	names          []string // of NSL-KDD's 41 columns
	forest, shrink string   // model files
	csv            string   // rows of the test file, many times
	rows           int      // of csv
	parquet        string
	parquetRows    int
}

func run(ctx context.Context, args []string) error {
	b := &bench{}
	f := flag.NewFlagSet("serving", flag.ContinueOnError)
	f.StringVar(&b.program, "plumbline", "plumbline", "the program")
	f.StringVar(&b.data, "data", os.Getenv("PLUMBLINE_DATA"), "folder with nsl-kdd")
	f.StringVar(&b.python, "python", "", "Python with Flask and scikit-learn; empty: without the peer")
	f.StringVar(&b.dir, "dir", "", "folder for models and rows, about 250 MB, which is kept; empty: a temporary one")
	f.IntVar(&b.rounds, "rounds", 3, "times that each is measured")
	f.IntVar(&b.seconds, "seconds", 6, "of load by single requests, after 2 that do not count")
	f.IntVar(&b.connections, "connections", 4, "of that load")
	f.Float64Var(&b.minutes, "minutes", 5, "of load during which memory is looked at; 0: none")
	f.IntVar(&b.repeat, "repeat", 30, "times that the rows of the test file stand in a batch")
	parts := f.String("parts", "start,single,batch,score,memory", "what is measured")
	alone := f.String("alone", "", "read or judge: one part of score on -dir, in this process")
	if err := f.Parse(args); err != nil {
		return err
	}
	if b.dir == "" {
		dir, err := os.MkdirTemp("", "serving")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		b.dir = dir
	}
	var err error
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	if *alone != "" {
		return b.alone(ctx, *alone)
	}
	if b.data, err = filepath.Abs(b.data); err != nil {
		return err
	}
	fmt.Printf("%s, %s/%s, %s, %d processors (%s), %d rounds\n", time.Now().Format(time.DateOnly), runtime.GOOS,
		runtime.GOARCH, runtime.Version(), runtime.NumCPU(), usage.Processor(), b.rounds)
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, part := range strings.Split(*parts, ",") {
		do, ok := map[string]func(context.Context) error{"start": b.start, "single": b.single, "batch": b.batch,
			"score": b.score, "memory": b.memory}[part]
		if !ok {
			return fmt.Errorf("-parts: there is no %q", part)
		}
		if err := do(ctx); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return nil
}
