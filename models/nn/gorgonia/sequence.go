package gorgonia

import (
	"context"
	"errors"
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

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
	t := &sequenceTrainer{seq: s, leaves: leaves(s), arrays: len(p), graphs: map[int]*sequenceTape{}}
	for _, l := range t.leaves {
		w := make([]float32, l.out*l.in)
		l.flip(w, p[l.array], true)
		t.params, t.grads = append(t.params, w), append(t.grads, make([]float32, len(w)))
	}
	t.step = nn.NewStepper(s.Optimiser, t.params)
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

type sequenceTrainer struct {
	seq    nn.Sequence
	leaves []leaf
	arrays int       // of the network's parameters
	params nn.Params // in×out matrices and biases, one a leaf, shared by all graphs
	grads  nn.Params
	step   *nn.Stepper
	steps  int
	graphs map[int]*sequenceTape
}

// sequenceTape is the graph for one batch size.
type sequenceTape struct {
	inputs []input
	used   []int   // leaves that the loss depends on: with one step, a decoder's LSTM is idle
	params G.Nodes // of these
	loss   G.Value
	vm     G.VM
}

// input is a matrix that changes from batch to batch.
type input struct {
	node   *G.Node
	values *tensor.Dense
	// fill writes a sample's row: it has that place in the batch, and that input and target.
	fill func(row []float32, place int, x, target []float32)
}

func (t *sequenceTrainer) Close() error {
	var errs []error
	for _, g := range t.graphs {
		errs = append(errs, g.vm.Close())
	}
	t.graphs = nil
	return errors.Join(errs...)
}

func (t *sequenceTrainer) Params() nn.Params { return t.plain(t.params) }

// plain puts numbers of the leaves' layout into the network's arrays.
func (t *sequenceTrainer) plain(leaves nn.Params) nn.Params {
	out := make(nn.Params, t.arrays)
	for i, l := range t.leaves {
		out[l.array] = append(out[l.array], leaves[i]...) // in its length; the gates come in order
	}
	for i, l := range t.leaves {
		l.flip(leaves[i], out[l.array], false)
	}
	return out
}

// tape is the graph for batches of n samples, made on first use.
func (t *sequenceTrainer) tape(n int) (tp *sequenceTape, err error) {
	if tp, ok := t.graphs[n]; ok {
		return tp, nil
	}
	defer func() { // Gorgonia panics on shapes that it cannot work with
		if r := recover(); r != nil {
			err = fmt.Errorf("gorgonia: %v", r)
		}
	}()
	var g *G.ExprGraph
	err = whole(n, func(e expression) error {
		g, tp = e.g, &sequenceTape{}
		b := sequenceBuilder{expression: e, t: t, tp: tp, nodes: make(G.Nodes, len(t.leaves))}
		loss := b.loss()
		G.Read(loss, &tp.loss)
		if _, err := G.Grad(loss, tp.params...); err != nil {
			return fmt.Errorf("gorgonia: gradient: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	tp.vm = G.NewTapeMachine(g, G.BindDualValues(tp.params...))
	t.graphs[n] = tp
	return tp, nil
}

// evaluate computes the loss of some rows and leaves its gradient in t.grads.
func (t *sequenceTrainer) evaluate(x, target []float32, rows []int32) (float64, error) {
	if err := t.seq.CheckSamples(x, target, rows); err != nil {
		return 0, err
	}
	tp, err := t.tape(len(rows))
	if err != nil {
		return 0, err
	}
	wide, per := t.seq.Steps*t.seq.In, t.seq.Targets()
	for _, in := range tp.inputs {
		values, d := in.values.Data().([]float32), in.values.Shape()[1]
		for i, r := range rows {
			in.fill(values[i*d:(i+1)*d], i, x[int(r)*wide:(int(r)+1)*wide], target[int(r)*per:(int(r)+1)*per])
		}
		if err := G.Let(in.node, in.values); err != nil {
			return 0, fmt.Errorf("gorgonia: %w", err)
		}
	}
	defer tp.vm.Reset()
	if err := tp.vm.RunAll(); err != nil {
		return 0, fmt.Errorf("gorgonia: %w", err)
	}
	loss, ok := tp.loss.Data().(float32)
	if !ok {
		return 0, fmt.Errorf("gorgonia: the loss is a %T", tp.loss.Data())
	}
	to := make(nn.Params, len(tp.used))
	for k, i := range tp.used {
		to[k] = t.grads[i]
	}
	return float64(loss), takeGradients(tp.params, to)
}

func (t *sequenceTrainer) Epoch(ctx context.Context, x, target []float32, order []int32, batch int,
	rate float64) (float64, error) {
	if batch < 1 {
		return 0, errors.New("gorgonia: batches of no samples")
	}
	if err := t.seq.CheckSamples(x, target, order); err != nil {
		return 0, err
	}
	sum := 0.0
	for from := 0; from < len(order); from += batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		rows := order[from:min(from+batch, len(order))]
		loss, err := t.evaluate(x, target, rows)
		if err != nil {
			return 0, err
		}
		sum += loss * float64(len(rows))
		if t.seq.Clip > 0 {
			clip(t.grads, t.seq.Clip)
		}
		t.step.Step(t.params, t.grads, rate)
		t.steps++
	}
	return sum / float64(len(order)), nil
}

// clip cuts a gradient to a norm.
func clip(g nn.Params, most float64) {
	sum := 0.0
	for _, a := range g {
		for _, v := range a {
			sum += float64(v) * float64(v)
		}
	}
	norm := math.Sqrt(sum)
	if norm <= most {
		return
	}
	for _, a := range g {
		for i := range a {
			a[i] *= float32(most / norm)
		}
	}
}

func (t *sequenceTrainer) Gradient(x, target []float32, rows []int32) (float64, nn.Params, error) {
	loss, err := t.evaluate(x, target, rows)
	if err != nil {
		return 0, nil, err
	}
	return loss, t.plain(t.grads), nil
}
