package gorgonia

import (
	G "gorgonia.org/gorgonia"

	"plumbline/models/nn"
)

// NewSequence builds a trainer. The steps are unrolled: the graph grows with their number.
func (engine) NewSequence(s nn.Sequence, p nn.Params, _ int) (nn.Trainer, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := s.Shape(p); err != nil {
		return nil, err
	}
	t := &sequence{seq: s, leaves: leaves(s), arrays: len(p)}
	var matrices nn.Params
	var all []int
	for i, l := range t.leaves {
		w := make([]float32, l.out*l.in)
		l.flip(w, p[l.array], true)
		matrices, all = append(matrices, w), append(all, i)
	}
	t.trainer = newTrainer(t, s.Optimiser, s.Clip, matrices, all)
	return t, nil
}

// leaf is a matrix of the graph: the share of one gate, or all, in one of the network's arrays.
type leaf struct {
	array, at int
	out, in   int
	table     bool // the array is in×out, as in the graph
}

// leaves are the matrices of a network: the embedding, for each LSTM W, U, b_ih and b_hh of four gates each, and
// the head's weights and biases.
func leaves(s nn.Sequence) (out []leaf) {
	array := 0
	add := func(rows, in int, gates int, table bool) {
		for g := range gates {
			out = append(out, leaf{array, g * rows * in, rows, in, table})
		}
		array++
	}
	if s.Embed > 0 {
		add(s.Embed, s.Symbols, 1, true)
	}
	for _, l := range s.Layers {
		for range l.Columns() / l.Out {
			for _, in := range []int{l.In, l.Out, 1, 1} {
				add(l.Out, in, 4, false)
			}
		}
	}
	add(s.Out, s.Layers[len(s.Layers)-1].Columns(), 1, false)
	add(s.Out, 1, 1, false)
	return out
}

// flip copies the leaf's weights from the array to the in×out of the graph, or back.
func (l leaf) flip(w, array []float32, in bool) {
	for o := range l.out {
		for i := range l.in {
			at := l.at + o*l.in + i
			if l.table {
				at = l.at + i*l.out + o
			}
			if in {
				w[i*l.out+o] = array[at]
			} else {
				array[at] = w[i*l.out+o]
			}
		}
	}
}

// sequence is a recurrent network in training. Its matrices are the leaves. Where there is one step, a decoder's LSTM
// is idle, and the loss does not depend on all of them.
type sequence struct {
	*trainer
	seq    nn.Sequence
	leaves []leaf
	arrays int // of the network's parameters
}

func (t *sequence) widths() (sample, target int) { return t.seq.Steps * t.seq.In, t.seq.Targets() }

func (t *sequence) check(x, target []float32, rows []int32) error {
	return t.seq.CheckSamples(x, target, rows)
}

func (t *sequence) loss(e expression, tp *tape) *G.Node {
	b := sequenceBuilder{expression: e, t: t, tp: tp, nodes: make(G.Nodes, len(t.leaves))}
	return b.loss()
}

func (*sequence) prepare(*tape) error { return nil }
func (*sequence) average(*tape, int)  {}

// unpacked puts numbers of the leaves' layout into the network's arrays.
func (t *sequence) unpacked(leaves nn.Params) nn.Params {
	out := make(nn.Params, t.arrays)
	for i, l := range t.leaves {
		out[l.array] = append(out[l.array], leaves[i]...) // in its length; the gates come in order
	}
	for i, l := range t.leaves {
		l.flip(leaves[i], out[l.array], false)
	}
	return out
}
