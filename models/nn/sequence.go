package nn

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Sequence describes a recurrent network and how it is trained: a stack of LSTM layers under a dense linear
// head. A sample is Steps rows of In columns, laid out step by step in one row of Steps·In numbers.
//
// With Symbols, a step is one symbol, a number from 0 to Symbols−1 stored as float32, and In is 1. The first
// layer then takes rows of a table of Embed columns, which is learnt, or with Embed 0 the symbol as a one-hot
// row of Symbols columns.
//
// With Each, the head sees what the last layer gives at every step, and a sample's output is Steps rows of
// Out columns. Otherwise it sees the final output, and gives one row.
//
// Targets are laid out like the output, with as many columns as Loss wants:
//
//	mse       Out values; the mean over samples, steps and columns of (y−t)²
//	mae       Out values; the mean of |y−t|
//	softmax   one class from 0 to Out−1; the mean of −log softmax(y)ₜ
//	logistic  Out values from 0 to 1; the mean of −t·log σ(y) − (1−t)·log(1−σ(y))
//	gaussian  Out/2 values; the head gives their means μ and then the logarithms s of their variances, and the
//	          loss is the mean of ½·((t−μ)²·exp(−s)+s), with s at least the logarithm of 0.01
//
// With Classes, for gaussian alone, the last columns of the head are as many groups, of the given numbers of columns,
// and
// the last values of a target their classes: a group adds −log of its softmax at the class to what is averaged.
type Sequence struct {
	Steps, In      int
	Symbols, Embed int
	Layers         []Recurrent
	Each           bool
	Out            int
	Loss           string
	Classes        []int
	Optimiser      Optimiser
	Clip           float64 // bound on the Euclidean norm of a batch's whole gradient; 0: none
	Seed           uint64  // of the dropout
}

// Recurrent is a layer of LSTM units (Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000):
// i, f, o = σ(W·x + b_ih + U·h + b_hh), g = tanh(likewise), c ← f·c + i·g, h ← o·tanh(c), from h = c = 0.
type Recurrent struct {
	In, Out int

	// Bidirectional: a second LSTM runs over the steps backwards, and the layer gives 2·Out columns, the
	// first LSTM's before the second's. Its final output is what each of the two gave last.
	Bidirectional bool

	// Repeat: the layer takes the final output of the one before at every step.
	Repeat bool

	// Decoder: the layer begins with the final h and c of the one before, from which the head makes the last
	// row; then it takes the sample's own rows from the last to the second, each to give the one before it
	// (EncDec-AD; Malhotra and others 2016). In scoring it takes its own outputs in their place. The output
	// stands in order of time, as the input does. It is for the second of two layers of one size.
	Decoder bool

	// Dropout is the share of the layer's outputs that are set to 0 in training, others in each step of the
	// optimiser, the rest being divided by 1−Dropout. What the layer itself carries on is left alone.
	Dropout float64
}

// Columns is how many columns the layer gives.
func (l Recurrent) Columns() int {
	if l.Bidirectional {
		return 2 * l.Out
	}
	return l.Out
}

// maxSide bounds the sizes of a description, so that products of two do not overflow.
const maxSide = 1 << 24

// MinVariance is the floor of the variances of the loss "gaussian".
const MinVariance = 0.01

// Check says what is wrong with the description, if anything.
func (s Sequence) Check() error {
	switch {
	case s.Steps < 1 || s.In < 1 || s.Steps > maxSide || s.In > maxSide:
		return fmt.Errorf("neural: samples of %d steps and %d columns", s.Steps, s.In)
	case s.Symbols < 0 || s.Symbols > maxSide || s.Embed < 0 || s.Embed > maxSide:
		return fmt.Errorf("neural: %d symbols, embedded in %d columns", s.Symbols, s.Embed)
	case s.Symbols > 0 && s.In != 1:
		return fmt.Errorf("neural: a step is one symbol, not %d", s.In)
	case s.Symbols == 0 && s.Embed > 0:
		return fmt.Errorf("neural: an embedding in %d columns needs a number of symbols", s.Embed)
	case len(s.Layers) == 0:
		return fmt.Errorf("neural: a recurrent network needs layers")
	case s.Out < 1 || s.Out > maxSide:
		return fmt.Errorf("neural: a head of %d columns", s.Out)
	case !(s.Clip >= 0) || math.IsInf(s.Clip, 0):
		return fmt.Errorf("neural: gradients clipped at %v", s.Clip)
	}
	switch s.Loss {
	case "mse", "mae", "logistic":
	case "softmax":
		if s.Out < 2 {
			return fmt.Errorf("neural: softmax over one class")
		}
	case "gaussian":
		for _, k := range s.Classes {
			if k < 2 || k > s.Out {
				return fmt.Errorf("neural: a softmax over %d of a head of %d columns", k, s.Out)
			}
		}
		if n := s.Out - s.grouped(); n < 0 || n%2 != 0 {
			return fmt.Errorf("neural: means and variances need an even head, not %d columns", n)
		}
	default:
		return fmt.Errorf("neural: unknown loss %q of a recurrent network (mse, mae, softmax, logistic, gaussian)",
			s.Loss)
	}
	if len(s.Classes) > 0 && s.Loss != "gaussian" {
		return fmt.Errorf("neural: classes beside the loss %s", s.Loss)
	}
	for i, l := range s.Layers {
		if err := s.checkLayer(i); err != nil {
			return fmt.Errorf("neural: layer %d: %w", i, err)
		}
		if want := s.Takes(i); l.In != want {
			return fmt.Errorf("neural: layer %d takes %d values, what it is given has %d", i, l.In, want)
		}
	}
	if n := s.states(); n > maxStates {
		return fmt.Errorf("neural: the states of a sample of %d steps are %g numbers: too many", s.Steps, n)
	}
	if s.Optimiser.Clip > 0 {
		return fmt.Errorf("neural: gradients of sequences are clipped by Clip, not by the optimiser")
	}
	return s.Optimiser.check()
}

// maxStates bounds the memory of a sample in training.
const maxStates = 1 << 26

// states is about how many numbers are kept of a sample in training.
func (s Sequence) states() float64 {
	n := float64(s.Takes(0) + 2*s.Out)
	if s.Symbols > 0 && s.Embed == 0 {
		n = float64(2 * s.Out)
	}
	for _, l := range s.Layers {
		n += float64(10 * float64(l.Columns()))
	}
	return n * float64(s.Steps)
}

func (s Sequence) checkLayer(i int) error {
	l := s.Layers[i]
	switch {
	case l.In < 1 || l.Out < 1 || l.In > maxSide || l.Out > maxSide:
		return fmt.Errorf("%d values to %d units", l.In, l.Out)
	case !(l.Dropout >= 0 && l.Dropout < 1):
		return fmt.Errorf("a dropout of %v is not in [0, 1)", l.Dropout)
	case l.Repeat && i == 0:
		return fmt.Errorf("nothing to repeat before the first layer")
	}
	if !l.Decoder {
		return nil
	}
	before := s.Layers[max(i-1, 0)]
	switch {
	case i != 1 || len(s.Layers) != 2:
		return fmt.Errorf("a decoder is the second of two layers")
	case l.Repeat || l.Bidirectional || before.Bidirectional:
		return fmt.Errorf("a decoder and its encoder run in one direction, and repeat nothing")
	case l.Out != before.Out:
		return fmt.Errorf("a decoder of %d units cannot take the state of %d", l.Out, before.Out)
	case before.Dropout > 0:
		return fmt.Errorf("the encoder gives its state, which has no dropout")
	case !s.Each || s.Symbols > 0 || s.Out != s.In:
		return fmt.Errorf("a decoder gives the rows of its input, each of %d columns", s.In)
	case s.Loss != "mse" && s.Loss != "mae":
		return fmt.Errorf("a decoder is trained with mse or mae, not %s", s.Loss)
	}
	return nil
}

// Takes is how many values layer i is given.
func (s Sequence) Takes(i int) int {
	switch {
	case i > 0 && !s.Layers[i].Decoder:
		return s.Layers[i-1].Columns()
	case s.Embed > 0:
		return s.Embed
	case s.Symbols > 0:
		return s.Symbols
	}
	return s.In
}

// outputs is how many rows the head gives for a sample.
func (s Sequence) outputs() int {
	if s.Each {
		return s.Steps
	}
	return 1
}

// targets is how many numbers a row of the head has for a target.
func (s Sequence) targets() int {
	switch s.Loss {
	case "softmax":
		return 1
	case "gaussian":
		return (s.Out-s.grouped())/2 + len(s.Classes)
	}
	return s.Out
}

// grouped is how many columns of the head are of Classes.
func (s Sequence) grouped() (n int) {
	for _, k := range s.Classes {
		n += k
	}
	return n
}

// Targets is how many numbers a sample's target has.
func (s Sequence) Targets() int { return s.outputs() * s.targets() }

// Shapes are the rows and columns of the parameter arrays that Arrays describes.
func (s Sequence) Shapes() [][2]int {
	var out [][2]int
	if s.Embed > 0 {
		out = append(out, [2]int{s.Symbols, s.Embed})
	}
	for _, l := range s.Layers {
		for range l.Columns() / l.Out {
			out = append(out, [2]int{4 * l.Out, l.In}, [2]int{4 * l.Out, l.Out}, [2]int{4 * l.Out, 1},
				[2]int{4 * l.Out, 1})
		}
	}
	top := s.Layers[len(s.Layers)-1].Columns()
	return append(out, [2]int{s.Out, top}, [2]int{s.Out, 1})
}

// Arrays lists what the network's Params hold, row-major: the table of the embedding if there is
// one (Symbols×Embed); for each LSTM W (4·Out×In) and U (4·Out×Out), gates in the order i, f, g, o, and the
// biases b_ih and b_hh (4·Out each), the one that runs forwards before the other; the head's weights
// (Out×columns of the last layer) and biases. That is the order of PyTorch.
func (s Sequence) Arrays() []Array {
	var out []Array
	for i, sh := range s.Shapes() {
		out = append(out, Array{Name: fmt.Sprintf("parameters %02d", i), Len: sh[0] * sh[1], Trained: true})
	}
	return out
}

// Shape checks that params belong to the network.
func (s Sequence) Shape(p Params) error { return p.check(s.Arrays()) }

// NewParams draws the weights and biases of the LSTMs from U(±1/√Out), those of the head from Glorot's uniform
// distribution with biases of 0, and an embedding from N(0, 1).
func (s Sequence) NewParams(r *rand.Rand) Params {
	var p Params
	draw := func(n int, f func() float64) {
		a := make([]float32, n)
		for i := range a {
			a[i] = float32(f())
		}
		p = append(p, a)
	}
	uniform := func(limit float64) func() float64 {
		return func() float64 { return (float64(2*r.Float64()) - 1) * limit }
	}
	if s.Embed > 0 {
		draw(s.Symbols*s.Embed, r.NormFloat64)
	}
	for _, l := range s.Layers {
		u := uniform(1 / math.Sqrt(float64(l.Out)))
		for range l.Columns() / l.Out {
			draw(4*l.Out*l.In, u)
			draw(4*l.Out*l.Out, u)
			draw(4*l.Out, u)
			draw(4*l.Out, u)
		}
	}
	top := s.Layers[len(s.Layers)-1].Columns()
	draw(s.Out*top, uniform(math.Sqrt(6/float64(top+s.Out))))
	return append(p, make([]float32, s.Out))
}

// CheckSamples says what is wrong with rows of x and of the targets, if anything: there are none, one of them is
// not there, or it has a value that is no symbol, class or probability.
func (s Sequence) CheckSamples(x, target []float32, rows []int32) error {
	if len(rows) == 0 {
		return errors.New("neural: no samples")
	}
	if err := s.checkInput(x, rows); err != nil {
		return err
	}
	return s.checkTargets(target, rows)
}

// checkInput says what is wrong with rows of x, if anything.
func (s Sequence) checkInput(x []float32, rows []int32) error {
	wide := s.Steps * s.In
	for _, r := range rows {
		if r < 0 || (int(r)+1)*wide > len(x) {
			return fmt.Errorf("neural: no sample %d of %d steps and %d columns among %d numbers", r, s.Steps, s.In,
				len(x))
		}
		if s.Symbols > 0 {
			if err := s.checkSymbols(x[int(r)*wide : (int(r)+1)*wide]); err != nil {
				return fmt.Errorf("%w, in sample %d", err, r)
			}
		}
	}
	return nil
}

func (s Sequence) checkSymbols(x []float32) error {
	for _, v := range x {
		if !whole(v, s.Symbols) {
			return fmt.Errorf("neural: %v is no symbol from 0 to %d", v, s.Symbols-1)
		}
	}
	return nil
}

// whole says whether v is one of 0 to n−1.
func whole(v float32, n int) bool { return v >= 0 && v < float32(n) && v == float32(int(v)) }

// checkTargets says what is wrong with the targets of rows, if anything.
func (s Sequence) checkTargets(t []float32, rows []int32) error {
	wide, per := s.Targets(), s.targets()
	for _, r := range rows {
		if r < 0 || (int(r)+1)*wide > len(t) {
			return fmt.Errorf("neural: no target %d of %d numbers among %d", r, wide, len(t))
		}
		row := t[int(r)*wide : (int(r)+1)*wide]
		switch {
		case s.Loss == "logistic":
			for _, v := range row {
				if !(v >= 0 && v <= 1) {
					return fmt.Errorf("neural: target %v of sample %d is not from 0 to 1", v, r)
				}
			}
		case s.Loss == "softmax":
			for _, v := range row {
				if !whole(v, s.Out) {
					return fmt.Errorf("neural: target %v of sample %d is no class from 0 to %d", v, r, s.Out-1)
				}
			}
		case len(s.Classes) > 0:
			for at := per; at <= wide; at += per {
				for g, k := range s.Classes {
					if v := row[at-len(s.Classes)+g]; !whole(v, k) {
						return fmt.Errorf("neural: target %v of sample %d is no class from 0 to %d", v, r, k-1)
					}
				}
			}
		}
	}
	return nil
}
