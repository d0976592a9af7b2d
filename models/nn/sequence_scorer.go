package nn

import (
	"errors"
	"fmt"

	"plumbline/numeric/kernel"
)

// SequenceScorer runs samples through a trained recurrent network, block by block. It is not safe for
// concurrent use; Clone makes another one on the same weights.
type SequenceScorer struct {
	s    *recurrent
	ws   *sequenceWorkspace
	rows []int32
}

// NewScorer lays weights out for scoring.
func (s Sequence) NewScorer(p Params) (*SequenceScorer, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := s.Shape(p); err != nil {
		return nil, err
	}
	r := newRecurrent(s)
	flat := kernel.Alloc(r.size)
	r.lay(flat)
	r.load(p, flat)
	return (&SequenceScorer{s: r}).Clone(), nil
}

// Clone shares the weights and nothing else.
func (s *SequenceScorer) Clone() *SequenceScorer {
	return &SequenceScorer{s.s, s.s.workspace(false), make([]int32, 0, s.s.block)}
}

// Each calls f with what the head gives for samples from to to−1 of x, each Steps·In numbers: Out numbers for
// every step or for the last one, as they leave the linear layer, so that softmax's and logistic's have yet to
// become probabilities. A decoder is fed its own outputs. What f gets is valid until it returns, and does not
// depend on which samples are asked for together. A symbol that the network does not know is an error, before
// the first call for its block.
func (s *SequenceScorer) Each(x []float32, from, to int, f func(sample int, out []float32)) error {
	outs := s.s.outputs()
	for ; from < to; from += s.s.block {
		s.rows = s.rows[:0]
		for i := from; i < min(from+s.s.block, to); i++ {
			s.rows = append(s.rows, int32(i))
		}
		if err := s.run(x, s.rows); err != nil {
			return err
		}
		n := len(s.rows)
		for i := range n {
			for t := range outs {
				copy(s.ws.row[t*s.s.Out:(t+1)*s.s.Out], s.ws.y[(t*n+i)*s.s.wide:])
			}
			f(from+i, s.ws.row)
		}
	}
	return nil
}

// run makes the head's output for a block of samples.
func (s *SequenceScorer) run(x []float32, rows []int32) error {
	if err := s.s.checkInput(x, rows); err != nil {
		return err
	}
	n := len(rows)
	s.s.fill(s.ws, x, rows)
	if len(s.s.layers) == 2 && s.s.layers[1].Decoder {
		s.s.unroll(s.ws, n)
		return nil
	}
	s.s.forward(s.ws, n, s.s.Steps, nil, false)
	s.s.output(s.ws, n*s.s.outputs())
	return nil
}

// Loss is the mean loss of some samples, rows of x and of target, by the outputs that Each gives: without
// dropout, and of a decoder that is fed its own.
func (s *SequenceScorer) Loss(x, target []float32, rows []int32) (float64, error) {
	if len(rows) == 0 {
		return 0, errors.New("neural: no samples")
	}
	if err := s.s.checkTargets(target, rows); err != nil {
		return 0, err
	}
	sum, total := 0.0, float64(len(rows))*float64(s.s.Targets())
	for ; len(rows) > 0; rows = rows[min(s.s.block, len(rows)):] {
		block := rows[:min(s.s.block, len(rows))]
		if err := s.run(x, block); err != nil {
			return 0, err
		}
		sum += s.s.loss(s.ws, target, block, 0)
	}
	return sum / total, nil
}

// unroll runs an encoder and its decoder, which takes what the head made of its last step.
func (s *recurrent) unroll(r *sequenceWorkspace, n int) {
	enc, dec := &s.layers[0], &s.layers[1]
	s.begin(r, 0, n, s.Steps, nil)
	s.project(r, 0, 0, n, s.Steps)
	enc.run(&r.layers[0], 0, n, s.Steps, false)
	s.begin(r, 1, n, s.Steps, nil)
	lr := &r.layers[1]
	c, cr := &dec.cells[0], &lr.cells[0]
	for j := range cr.bias {
		cr.bias[j] = c.bx.rows[j] + c.bh.rows[j]
	}
	ldg := dec.gates()
	for t := s.Steps - 1; t >= 0; t-- {
		y := r.y[t*n*s.wide:]
		kernel.Mul(n, s.head.k(), lr.h[(t+2)*n*dec.wide:], dec.wide, 1, s.head.w, y, s.wide, s.bias.rows, false)
		if t > 0 {
			kernel.Mul(n, s.In, y, s.wide, 1, c.wx.w, cr.g[t*n*ldg:], ldg, cr.bias, false)
			dec.one(lr, 0, n, s.Steps, s.Steps-1-t, true)
		}
	}
}

// State is what a network remembers of a stream: h and c of every layer, Out numbers each. A new one is all
// zeros. It may be saved and given to another scorer of the same weights.
type State struct {
	H, C [][]float32
}

// NewState is the state before the first row of a stream. Streams are for stacks that run forwards only.
func (s *SequenceScorer) NewState() (*State, error) {
	st := &State{}
	for i, l := range s.s.layers {
		if l.Bidirectional || l.Repeat || l.Decoder {
			return nil, fmt.Errorf("neural: layer %d needs a whole sequence: it cannot follow a stream", i)
		}
		st.H = append(st.H, make([]float32, l.Out))
		st.C = append(st.C, make([]float32, l.Out))
	}
	return st, nil
}

// check says whether the state belongs to the network.
func (s *SequenceScorer) check(st *State) error {
	if st == nil || len(st.H) != len(s.s.layers) || len(st.C) != len(st.H) {
		return fmt.Errorf("neural: the state of a stream is not of this network")
	}
	for i, l := range s.s.layers {
		if l.Bidirectional || l.Repeat || l.Decoder || len(st.H[i]) != l.Out || len(st.C[i]) != l.Out {
			return fmt.Errorf("neural: the state of a stream is not of this network, in layer %d", i)
		}
	}
	return nil
}

// Continue goes on with a stream: x is rows of In columns, any number of them, which the network meets in the
// state st and leaves in the state that st becomes. f is called with what the head gives at every step, Each or
// not, counted from 0. After an error st is as it was. How a stream is cut changes no bit.
func (s *SequenceScorer) Continue(st *State, x []float32, f func(step int, out []float32)) error {
	if err := s.check(st); err != nil {
		return err
	}
	if len(x)%s.s.In != 0 {
		return fmt.Errorf("neural: %d numbers are no rows of %d columns", len(x), s.s.In)
	}
	if s.s.Symbols > 0 {
		if err := s.s.checkSymbols(x); err != nil {
			return err
		}
	}
	r, last := s.ws, len(s.s.layers)-1
	rows := len(x) / s.s.In
	for at := 0; at < rows; at += s.s.block { // space for n samples of one step is space for n steps of one sample
		steps := min(s.s.block, rows-at)
		s.s.fillSample(r, x[at*s.s.In:], 0, 1, steps)
		s.s.forward(r, 1, steps, st, false)
		top := &s.s.layers[last]
		kernel.Mul(steps, s.s.head.k(), r.layers[last].h[top.wide:], top.wide, 1, s.s.head.w, r.y, s.s.wide,
			s.s.bias.rows, false)
		for i := range s.s.layers {
			l, lr := &s.s.layers[i], &r.layers[i]
			copy(st.H[i], lr.h[steps*l.wide:(steps+1)*l.wide])
			copy(st.C[i], lr.cells[0].c[steps*l.hid:(steps+1)*l.hid])
		}
		for t := range steps {
			f(at+t, r.y[t*s.s.wide:t*s.s.wide+s.s.Out])
		}
	}
	return nil
}
