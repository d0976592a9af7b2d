// Command speed times networks beside PyTorch and detectors beside scikit-learn, on the workloads that they are held
// to, and prints the tables of docs/performance.md: go run ./cmd/speed -python /usr/bin/python3
//
// Both programs work on the same rows, initial weights and orders, which it draws first. Each round runs every program
// once, in turn; what counts is the fastest epoch, and for detectors the least time. Losses that differ by more than a
// ten-thousandth, and areas under the curve that differ by more than chance makes, are an error.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/models/nn"
	"plumbline/numeric/kernel"
	"plumbline/runs/usage"
)

var (
	//go:embed peer.py
	torchScript []byte
	//go:embed detectors.py
	scikitScript []byte
)

func main() { os.Exit(exit(os.Args[1:])) }

func exit(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, args); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		return 1
	}
	return 0
}

// options is what the command line says.
type options struct {
	dir, python    string
	rounds, epochs int
	threads        []int
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("speed", flag.ContinueOnError)
	s := options{}
	f.StringVar(&s.dir, "dir", "", "folder for the data, about 1.5 GB, which is kept; empty: a temporary one")
	f.StringVar(&s.python, "python", "",
		"Python with PyTorch and scikit-learn, such as /usr/bin/python3; empty: only this program is timed")
	f.IntVar(&s.rounds, "rounds", 3, "times that each program is run, in turn")
	f.IntVar(&s.epochs, "epochs", 4, "epochs a run")
	rooms := f.String("rooms", "networks,detectors", "what is timed")
	names := f.String("workloads", "A64,A512,B100,C64,C2,D", "which networks")
	models := f.String("detectors", allDetectors(), "which detectors")
	only := f.String("only", "", "run one detector once on rows that are there, and print its times")
	draw := f.String("draw", "", "make the rows of one detector, and nothing else")
	threads := f.String("threads", "1,2", "threads that are tried, of both")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	for _, t := range strings.Split(*threads, ",") {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 {
			return fmt.Errorf("-threads: %q is no number of threads", t)
		}
		s.threads = append(s.threads, n)
	}
	if s.rounds < 1 || s.epochs < 1 || f.NArg() > 0 {
		return errors.New("want at least one round and one epoch, and no arguments beside the flags")
	}
	nets, err := choose("workloads", *names, workloads, func(w network) string { return w.name })
	if err != nil {
		return err
	}
	dets, err := choose("detectors", *models, detectors, func(d detector) string { return d.name })
	if err != nil {
		return err
	}
	if *draw != "" {
		one, err := choose("draw", *draw, detectors, func(d detector) string { return d.name })
		if err != nil {
			return err
		}
		return one[0].write(s.dir)
	}
	if *only != "" {
		one, err := choose("only", *only, detectors, func(d detector) string { return d.name })
		if err != nil {
			return err
		}
		c, err := one[0].alone(ctx, s.dir)
		fmt.Println(c.Fit, c.Score, c.FitCPU, c.ScoreCPU, c.Memory, c.AUROC)
		return err
	}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "speed")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s.dir = dir
	}
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return err
	}
	for name, script := range map[string][]byte{"peer.py": torchScript, "detectors.py": scikitScript} {
		if err := os.WriteFile(filepath.Join(s.dir, name), script, 0o666); err != nil {
			return err
		}
	}
	fmt.Printf("%s, %s/%s, %s, %d processors (%s), least of %d runs, in turn\n", time.Now().Format(time.DateOnly),
		runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.NumCPU(), usage.Processor(), s.rounds)
	for _, room := range strings.Split(*rooms, ",") {
		switch room {
		case "networks":
			err = s.timeNetworks(ctx, nets)
		case "detectors":
			err = s.timeDetectors(ctx, dets)
		default:
			err = fmt.Errorf("-rooms: unknown room %q", room)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// choose is the elements with the names of a list.
func choose[T any](flag, list string, from []T, name func(T) string) (chosen []T, err error) {
	for _, word := range strings.Split(list, ",") {
		i := slices.IndexFunc(from, func(w T) bool { return name(w) == word })
		if i < 0 {
			return nil, fmt.Errorf("-%s: there is no %q", flag, word)
		}
		chosen = append(chosen, from[i])
	}
	return chosen, nil
}

func (s options) timeNetworks(ctx context.Context, chosen []network) error {
	fmt.Printf("\nnetworks, fastest of %d epochs of each run\n\n", s.epochs)
	fmt.Println("| workload | threads | plumbline s | GFLOP/s | of the peak | PyTorch eager s | its best s | which | " +
		"eager / plumbline | best / plumbline |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, w := range chosen {
		if err := s.measure(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

func (s options) timeDetectors(ctx context.Context, chosen []detector) error {
	fmt.Printf("\ndetectors\n\n%s\n", detectorHead)
	for _, d := range chosen {
		if err := d.measure(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return nil
}

// timing is the fastest epoch of a program, in seconds, and its losses.
type timing struct {
	seconds float64
	losses  []float64
}

func (t *timing) take(o timing) {
	if t.losses == nil || o.seconds < t.seconds {
		*t = o
	}
}

// measure times one workload and prints a line for each number of threads.
func (s options) measure(ctx context.Context, w network) error {
	if err := w.write(s.dir); err != nil {
		return err
	}
	own := map[int]*timing{}
	peers := map[int]map[string]*timing{}
	for _, t := range s.threads {
		own[t], peers[t] = &timing{}, map[string]*timing{}
	}
	top := 0.0
	for range s.rounds {
		top = max(top, peak())
		for _, t := range s.threads {
			got, err := w.own(ctx, s.dir, t, s.epochs)
			if err != nil {
				return err
			}
			own[t].take(got)
			if s.python == "" {
				continue
			}
			for _, variant := range w.variants {
				got, err := s.torch(ctx, w.name, variant, t)
				if err != nil {
					return err
				}
				if err := agree(own[t].losses, got.losses); err != nil {
					return fmt.Errorf("PyTorch %s: %w", variant, err)
				}
				if peers[t][variant] == nil {
					peers[t][variant] = &timing{}
				}
				peers[t][variant].take(got)
			}
		}
	}
	for _, t := range s.threads {
		rate := w.flops / own[t].seconds
		line := fmt.Sprintf("| %s | %d | %.4f | %.1f | %.0f %% |", w.name, t, own[t].seconds, rate/1e9,
			100*rate/(top*float64(t)))
		eager, best, which := math.Inf(1), math.Inf(1), ""
		for _, variant := range w.variants {
			p := peers[t][variant]
			if p == nil {
				continue
			}
			if variant == "eager" {
				eager = p.seconds
			}
			if p.seconds < best {
				best, which = p.seconds, variant
			}
		}
		if which == "" {
			line += " – | – | – | – | – |"
		} else {
			line += fmt.Sprintf(" %.4f | %.4f | %s | %.2f | %.2f |", eager, best, which, eager/own[t].seconds,
				best/own[t].seconds)
		}
		fmt.Println(line)
	}
	return nil
}

// peak is the floating-point operations that one core makes in a second when nothing waits: the fastest of ten tries.
func peak() (most float64) {
	const rounds = 1 << 20
	for range 10 {
		begin := time.Now()
		n := kernel.MulAdds(rounds)
		most = max(most, n/time.Since(begin).Seconds())
	}
	return most
}

// agree compares two courses of the loss.
func agree(a, b []float64) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d losses, want %d", len(b), len(a))
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-4*math.Abs(a[i]) {
			return fmt.Errorf("loss %v after epoch %d, this program has %v: they do not do the same work", b[i], i+1, a[i])
		}
	}
	return nil
}

func (s options) torch(ctx context.Context, workload, variant string, threads int) (timing, error) {
	cmd := exec.CommandContext(ctx, s.python, filepath.Join(s.dir, "peer.py"), "--workload", workload, "--variant",
		variant,
		"--threads", strconv.Itoa(threads), "--epochs", strconv.Itoa(s.epochs), "--data", s.dir)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return timing{}, fmt.Errorf("%s: %w: %s", s.python, err, strings.TrimSpace(complaint.String()))
	}
	var t timing
	for i, word := range strings.Fields(out.String()) {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return t, fmt.Errorf("%s gave %q", s.python, out.String())
		}
		if i == 0 {
			t.seconds = v
		} else {
			t.losses = append(t.losses, v)
		}
	}
	return t, nil
}

// own times this program.
func (w network) own(ctx context.Context, dir string, workers, epochs int) (timing, error) {
	in, err := w.read(dir)
	if err != nil {
		return timing{}, err
	}
	if w.score {
		return in.scoring(ctx, workers, epochs)
	}
	engine, err := nn.LookupEngine("fused")
	if err != nil {
		return timing{}, err
	}
	var tr nn.Trainer
	if w.sequence != nil {
		tr, err = engine.NewSequence(*w.sequence, in.weights, workers)
	} else {
		tr, err = engine.New(w.net, in.weights, workers)
	}
	if err != nil {
		return timing{}, err
	}
	defer tr.Close()
	var losses []float64
	least := math.Inf(1)
	for e := range epochs {
		begin := time.Now()
		loss, err := tr.Epoch(ctx, in.x, in.target, in.orders[e%len(in.orders)], w.batch, adam.Rate)
		if err != nil {
			return timing{}, err
		}
		least = min(least, time.Since(begin).Seconds())
		losses = append(losses, loss)
	}
	return timing{least, losses}, nil
}
