package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"plumbline/models/nn"
)

var adam = nn.Optimiser{Kind: "adam", Rate: 0.001}

// network is one line of the table. Networks A and B are auto-encoders; C predicts the next of 20 steps, C2 is a
// recurrent auto-encoder that repeats its code, D scores a million rows by A.
type network struct {
	name     string
	letter   string // of the weights' file
	d        int    // columns
	rows     int
	batch    int
	net      nn.Network
	sequence *nn.Sequence
	score    bool
	flops    float64 // floating-point operations of the products of an epoch
	variants []string
}

const (
	steps, columns, units = 20, 32, 64
	orders                = 10
)

var workloads = []network{
	dense("A64", "a", []int{122, 80, 40, 12}, 67343, 64),
	dense("A512", "a", []int{122, 80, 40, 12}, 67343, 512),
	dense("B100", "b", []int{76, 49, 25, 9}, 67343, 100),
	recurrent("C64", "c", nn.Recurrent{In: columns, Out: units}),
	recurrent("C2", "c2", nn.Recurrent{In: columns, Out: units}, nn.Recurrent{In: units, Out: units, Repeat: true}),
	scoring(),
}

func dense(name, letter string, sizes []int, rows, batch int) network {
	w := network{name: name, letter: letter, d: sizes[0], rows: rows, batch: batch, variants: []string{"eager", "foreach",
		"flat", "jit", "manual"}}
	w.net = nn.Network{Layers: nn.Autoencoder(sizes[0], sizes[1:], nn.Tanh), Optimiser: adam}
	for i, l := range w.net.Layers {
		if i < len(w.net.Layers)-1 {
			w.net.Layers[i].Activation = nn.Tanh
		}
		products := 3.0 // forward, weights' gradient, input's gradient
		if i == 0 {
			products = 2
		}
		w.flops += products * 2 * float64(rows) * float64(l.In*l.Out)
	}
	return w
}

func recurrent(name, letter string, layers ...nn.Recurrent) network {
	w := network{name: name, letter: letter, d: columns, rows: 20000, batch: 64, variants: []string{"eager", "foreach",
		"flat", "jit"}}
	w.sequence = &nn.Sequence{Steps: steps, In: columns, Layers: layers, Each: true, Out: columns, Loss: "mse",
		Optimiser: adam}
	for i, l := range layers {
		n, products := float64(w.rows*steps), 3.0
		if i == 0 {
			products = 2
		}
		in := n
		if l.Repeat { // one input for all steps
			in = float64(w.rows)
		}
		w.flops += products*2*in*float64(4*l.Out*l.In) + 3*2*n*float64(4*l.Out*l.Out)
	}
	w.flops += 3 * 2 * float64(w.rows*steps) * float64(units*columns)
	return w
}

func scoring() network {
	w := dense("D", "a", []int{122, 80, 40, 12}, 1000000, 0)
	w.score, w.variants, w.flops = true, []string{"eager", "jit", "dnn", "manual"}, 0
	for _, l := range w.net.Layers {
		w.flops += 2 * float64(w.rows) * float64(l.In*l.Out)
	}
	return w
}

// input is what a workload begins with.
type input struct {
	w         network
	x, target []float32
	weights   nn.Params
	orders    [][]int32
}

// rowsFile is the file of the rows.
func (w network) rowsFile() string {
	switch {
	case w.score:
		return "d_x.f32"
	case w.sequence != nil:
		return "c_x.f32"
	}
	return w.letter + "_x.f32"
}

func (w network) ordersFile() string { return w.letter[:1] + "_perm.i32" }

func (w network) arrays() (n []int) {
	if w.sequence != nil {
		for _, l := range w.sequence.Layers {
			n = append(n, 4*l.Out*l.In, 4*l.Out*l.Out, 4*l.Out, 4*l.Out)
		}
		return append(n, columns*units, columns)
	}
	for _, l := range w.net.Layers {
		n = append(n, l.In*l.Out, l.Out)
	}
	return n
}

// write draws what is not there yet: rows with the look of prepared flows, weights from U(±1/√in), orders.
func (w network) write(dir string) error {
	ensure := func(name string, draw func(r *rand.Rand) any) error {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		f, err := os.Create(path + ".part")
		if err != nil {
			return err
		}
		r := rand.New(rand.NewPCG(7, uint64(name[0])<<8+uint64(len(name))))
		if err := binary.Write(f, binary.LittleEndian, draw(r)); err != nil {
			f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		return os.Rename(path+".part", path)
	}
	if err := ensure(w.rowsFile(), func(r *rand.Rand) any { return w.draw(r) }); err != nil {
		return err
	}
	if !w.score {
		err := ensure(w.ordersFile(), func(r *rand.Rand) any {
			var out []int32
			for range orders {
				for _, i := range r.Perm(w.rows) {
					out = append(out, int32(i))
				}
			}
			return out
		})
		if err != nil {
			return err
		}
	}
	return ensure(w.letter+"_w.f32", func(r *rand.Rand) any {
		var out []float32
		limit := 1 / math.Sqrt(units)
		for i, n := range w.arrays() {
			if w.sequence == nil {
				limit = 1 / math.Sqrt(float64(w.net.Layers[i/2].In))
			}
			for range n {
				out = append(out, float32((2*r.Float64()-1)*limit))
			}
		}
		return out
	})
}

// draw makes the rows: of A and D 38 numbers in [0, 1] and three one-hot groups, of B skewed numbers that go
// together, of C noisy waves of 21 steps.
func (w network) draw(r *rand.Rand) []float32 {
	if w.sequence != nil {
		return waves(r, w.rows)
	}
	factors := 6
	mix := make([]float64, factors*w.d)
	for i := range mix {
		mix[i] = r.NormFloat64()
	}
	out := make([]float32, w.rows*w.d)
	z := make([]float64, factors)
	for i := range w.rows {
		for k := range z {
			z[k] = r.NormFloat64()
		}
		row := out[i*w.d : (i+1)*w.d]
		sum := func(j int) float64 {
			s := 0.3 * r.NormFloat64()
			for k, v := range z {
				s += v * mix[k*w.d+j]
			}
			return s
		}
		if w.letter == "b" {
			for j := range row {
				row[j] = float32(math.Log1p(math.Exp(0.5*sum(j))) / 5)
			}
			continue
		}
		for j := range 38 {
			row[j] = float32(1 / (1 + math.Exp(1-sum(j))))
		}
		for at := 38; at < w.d; {
			size := map[int]int{38: 3, 41: 70, 111: 11}[at]
			best, top := 0, math.Inf(-1)
			for j := range size {
				if v := 1.5*sum(at+j) - 4*float64(j)/float64(size); v > top {
					best, top = j, v
				}
			}
			row[at+best] = 1
			at += size
		}
	}
	return out
}

func waves(r *rand.Rand, rows int) []float32 {
	mix := make([]float64, 4*columns)
	for i := range mix {
		mix[i] = 0.3 * r.NormFloat64()
	}
	out := make([]float32, 0, rows*(steps+1)*columns)
	for range rows {
		var phase, pace [4]float64
		for k := range 4 {
			phase[k], pace[k] = 2*math.Pi*r.Float64(), 0.1+0.8*r.Float64()
		}
		for t := range steps + 1 {
			for j := range columns {
				s := 0.05 * r.NormFloat64()
				for k := range 4 {
					s += math.Sin(float64(t)*pace[k]+phase[k]) * mix[k*columns+j]
				}
				out = append(out, float32(1/(1+math.Exp(-s))))
			}
		}
	}
	return out
}

func numbers[T float32 | int32](path string, n int) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := make([]T, n)
	if err := binary.Read(f, binary.LittleEndian, out); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// read takes what write wrote.
func (w network) read(dir string) (*input, error) {
	in := &input{w: w}
	long := w.d
	if w.sequence != nil {
		long = (steps + 1) * columns
	}
	x, err := numbers[float32](filepath.Join(dir, w.rowsFile()), w.rows*long)
	if err != nil {
		return nil, err
	}
	in.x, in.target = x, x
	if w.sequence != nil {
		in.x, in.target = make([]float32, 0, w.rows*steps*columns), make([]float32, 0, w.rows*steps*columns)
		for i := range w.rows {
			row := x[i*long : (i+1)*long]
			in.x = append(in.x, row[:steps*columns]...)
			in.target = append(in.target, row[columns:]...)
		}
		if w.name == "C2" {
			in.target = in.x
		}
	}
	sizes := w.arrays()
	total := 0
	for _, n := range sizes {
		total += n
	}
	flat, err := numbers[float32](filepath.Join(dir, w.letter+"_w.f32"), total)
	if err != nil {
		return nil, err
	}
	for _, n := range sizes {
		in.weights = append(in.weights, flat[:n])
		flat = flat[n:]
	}
	if w.score {
		return in, nil
	}
	order, err := numbers[int32](filepath.Join(dir, w.ordersFile()), orders*w.rows)
	if err != nil {
		return nil, err
	}
	for e := range orders {
		in.orders = append(in.orders, order[e*w.rows:(e+1)*w.rows])
	}
	return in, nil
}

// scoring times the reconstruction errors; the loss is their mean.
func (in *input) scoring(ctx context.Context, workers, epochs int) (timing, error) {
	s := in.w.net.NewScorer(in.weights)
	out := make([]float64, in.w.rows)
	var t timing
	t.seconds = math.Inf(1)
	for range epochs {
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		begin := time.Now()
		var wg sync.WaitGroup
		for k := range workers {
			wg.Go(func() { s.Clone().Errors(in.x, k*in.w.rows/workers, (k+1)*in.w.rows/workers, out) })
		}
		wg.Wait()
		t.seconds = min(t.seconds, time.Since(begin).Seconds())
		sum := 0.0
		for _, v := range out {
			sum += v
		}
		t.losses = append(t.losses, sum/float64(len(out)))
	}
	return t, nil
}
