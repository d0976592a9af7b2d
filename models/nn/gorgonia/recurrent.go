package gorgonia

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"plumbline/models/nn"
	"plumbline/numeric/elementary"
)

// sequenceBuilder makes the expression of a recurrent network's loss.
type sequenceBuilder struct {
	expression
	t     *sequence
	tp    *tape
	nodes G.Nodes // of the leaves; nil: not used yet
}

// param is the i-th leaf as a node.
func (b *sequenceBuilder) param(i int) *G.Node {
	if b.nodes[i] == nil {
		l := b.t.leaves[i]
		b.nodes[i] = b.matrix(fmt.Sprint("p", i), l.in, l.out, b.t.params[i])
		b.tp.used, b.tp.params = append(b.tp.used, i), append(b.tp.params, b.nodes[i])
	}
	return b.nodes[i]
}

// loss is the mean over the rows that the head gives.
func (b *sequenceBuilder) loss() *G.Node {
	s := b.t.seq
	h := b.layers()
	head := len(b.nodes) - 2
	per := s.Targets() / len(h)
	var sum *G.Node
	for t, top := range h {
		y := b.must(G.BroadcastAdd(b.must(G.Mul(top, b.param(head))), b.param(head+1), nil, []byte{0}))
		one := b.lossOf(y, t, per)
		if sum == nil {
			sum = one
		} else {
			sum = b.must(G.Add(sum, one))
		}
	}
	return b.must(G.Mul(sum, b.scalar(1/float64(len(h)))))
}

// samples is what the first layer takes at each step. Symbols are one-hot, which the embedding is multiplied by.
func (b *sequenceBuilder) samples() (x G.Nodes) {
	s := b.t.seq
	for t := range s.Steps {
		if s.Symbols == 0 {
			x = append(x, b.input(b.tp, fmt.Sprint("x", t), s.In,
				func(row []float32, _ int, x, _ []float32) { copy(row, x[t*s.In:]) }))
			continue
		}
		in := b.input(b.tp, fmt.Sprint("x", t), s.Symbols, func(row []float32, _ int, x, _ []float32) {
			clear(row)
			row[int(x[t])] = 1
		})
		if s.Embed > 0 {
			in = b.must(G.Mul(in, b.param(0)))
		}
		x = append(x, in)
	}
	return x
}

// state is what an LSTM carries from step to step.
type state struct{ h, c *G.Node }

// layers is what the last layer gives at every step, or in the end.
func (b *sequenceBuilder) layers() G.Nodes {
	s := b.t.seq
	x := b.samples()
	out, leaf := x, 0
	if s.Embed > 0 {
		leaf = 1
	}
	var before state // the final one of the layer below
	for i, l := range s.Layers {
		in := out
		if l.Repeat {
			in = make(G.Nodes, s.Steps)
			for t := range in {
				in[t] = out[0]
			}
		}
		nothing := b.constant(b.rows, l.Out, fmt.Sprint("zero", i), func(int, int) float32 { return 0 })
		zero := state{nothing, nothing}
		if l.Decoder {
			out = b.decode(x, before, leaf)
		} else {
			out, before = b.run(in, zero, leaf, false)
		}
		leaf += 16
		final := before.h
		if l.Bidirectional {
			back, end := b.run(in, zero, leaf, true)
			leaf += 16
			for t := range out {
				out[t] = b.beside(out[t], back[t], l.Out, fmt.Sprint("both ", i, " ", t))
			}
			final = b.beside(final, end.h, l.Out, fmt.Sprint("both ", i))
		}
		last := i == len(s.Layers)-1
		if last && !s.Each || !last && s.Layers[i+1].Repeat {
			out = G.Nodes{final}
		}
		if l.Dropout > 0 {
			for t := range out {
				mask := b.input(b.tp, fmt.Sprint("mask ", i, " ", t), l.Columns(),
					func(row []float32, place int, _, _ []float32) {
						nn.Mask(row, l.Dropout, s.Seed, b.t.steps, i, place*s.Steps+t)
					})
				out[t] = b.must(G.HadamardProd(out[t], mask))
			}
		}
	}
	return out
}

// run is the outputs of an LSTM in order of time, and its final state. Its parameters begin at a leaf.
func (b *sequenceBuilder) run(x G.Nodes, s state, leaf int, backwards bool) (out G.Nodes, final state) {
	out = make(G.Nodes, len(x))
	for k := range x {
		t := k
		if backwards {
			t = len(x) - 1 - k
		}
		s = b.cell(x[t], s, leaf)
		out[t] = s.h
	}
	return out, s
}

// decode is what a decoder gives, which begins with a state and takes x from the last to the second.
func (b *sequenceBuilder) decode(x G.Nodes, s state, leaf int) G.Nodes {
	out := make(G.Nodes, len(x))
	for t := len(x) - 1; t > 0; t-- {
		out[t] = s.h
		s = b.cell(x[t], s, leaf)
	}
	out[0] = s.h
	return out
}

// cell is a step of an LSTM, whose leaves are W, U, b_ih and b_hh, four gates each.
func (b *sequenceBuilder) cell(x *G.Node, s state, leaf int) state {
	var gates [4]*G.Node
	for k := range gates {
		sum := b.must(G.Add(b.must(G.Mul(x, b.param(leaf+k))), b.must(G.Mul(s.h, b.param(leaf+4+k)))))
		sum = b.must(G.BroadcastAdd(sum, b.must(G.Add(b.param(leaf+8+k), b.param(leaf+12+k))), nil, []byte{0}))
		if k == 2 {
			gates[k] = b.must(G.Tanh(sum))
		} else {
			gates[k] = b.must(G.Sigmoid(sum))
		}
	}
	c := b.must(G.Add(b.must(G.HadamardProd(gates[1], s.c)), b.must(G.HadamardProd(gates[0], gates[2]))))
	return state{b.must(G.HadamardProd(gates[3], b.must(G.Tanh(c)))), c}
}

// lossOf is the mean loss of what the head gives in row t of its output, against per numbers of the target.
func (b *sequenceBuilder) lossOf(y *G.Node, t, per int) *G.Node {
	s := b.t.seq
	if s.Loss == "softmax" {
		return b.crossEntropy(y, s.Out, t, fmt.Sprint("t", t))
	}
	groups := s.Classes
	wide := s.Out // of the head, without groups
	for _, k := range groups {
		wide -= k
	}
	n := per - len(groups)
	var loss *G.Node
	if n > 0 {
		want := b.input(b.tp, fmt.Sprint("t", t), n,
			func(row []float32, _ int, _, target []float32) { copy(row, target[t*per:]) })
		numbers := y
		if len(groups) > 0 {
			numbers = b.columns(y, 0, wide, s.Out, fmt.Sprint("numbers", t))
		}
		loss = b.must(G.Mul(b.numbers(numbers, want, t, n), b.scalar(float64(n)/float64(per))))
	}
	for g, k := range groups {
		name := fmt.Sprint("group ", g, " ", t)
		part := b.crossEntropy(b.columns(y, wide, k, s.Out, name), k, t*per+n+g, name)
		part = b.must(G.Mul(part, b.scalar(1/float64(per))))
		if loss == nil {
			loss = part
		} else {
			loss = b.must(G.Add(loss, part))
		}
		wide += k
	}
	return loss
}

// numbers is the mean loss of n numbers a row.
func (b *sequenceBuilder) numbers(y, want *G.Node, t, n int) *G.Node {
	switch b.t.seq.Loss {
	case "mae":
		return b.must(G.Mean(b.must(G.Abs(b.must(G.Sub(y, want))))))
	case "logistic": // −t·log σ(y) − (1−t)·log(1−σ(y)) = log(1+eʸ) − t·y
		return b.must(G.Mean(b.must(G.Sub(b.must(G.Softplus(y)), b.must(G.HadamardProd(want, y))))))
	case "gaussian":
		mean := b.columns(y, 0, n, 2*n, fmt.Sprint("mean", t))
		floor := b.scalar(elementary.Log(nn.MinVariance))
		log := b.columns(y, n, n, 2*n, fmt.Sprint("variance", t))
		log = b.must(G.Add(b.must(G.Rectify(b.must(G.Sub(log, floor)))), floor))
		apart := b.must(G.Square(b.must(G.Sub(want, mean))))
		sum := b.must(G.Add(b.must(G.HadamardProd(apart, b.must(G.Exp(b.must(G.Neg(log)))))), log))
		return b.must(G.Mul(b.must(G.Mean(sum)), b.scalar(0.5)))
	}
	return b.must(G.Mean(b.must(G.Square(b.must(G.Sub(y, want))))))
}

// crossEntropy is log Σ exp(y−m) + m − y of the class, m being the largest of k columns y, without which exp overflows.
// The class is number at of a target.
func (b *sequenceBuilder) crossEntropy(y *G.Node, k, at int, name string) *G.Node {
	class := b.input(b.tp, name+" class", k, func(row []float32, _ int, _, target []float32) {
		clear(row)
		row[int(target[at])] = 1
	})
	most := b.must(G.Reshape(b.must(G.Max(y, 1)), tensor.Shape{b.rows, 1}))
	apart := b.must(G.Sub(y, b.must(G.Mul(most, b.constant(1, k, name+" columns", one)))))
	down := b.constant(k, 1, name+" down", one)
	sum := b.must(G.Log(b.must(G.Mul(b.must(G.Exp(apart)), down))))
	return b.must(G.Mean(b.must(G.Sub(sum, b.must(G.Mul(b.must(G.HadamardProd(apart, class)), down))))))
}
