package graph

import (
	"context"
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"plumbline/models/neural"
)

// NewSequence builds a trainer for stacks of LSTM layers that run forwards, with a head at every step or at the
// last and the loss "mse". The steps are unrolled: the graph grows with their number.
func (engine) NewSequence(s neural.Sequence, p neural.Params, _ int) (neural.Trainer, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := s.Shape(p); err != nil {
		return nil, err
	}
	if err := supported(s); err != nil {
		return nil, err
	}
	t := &sequenceTrainer{seq: s, graphs: map[int]*sequenceTape{}}
	for i, l := range s.Layers {
		for k, in := range []int{l.In, l.Out, 1, 1} {
			for gate := range 4 {
				t.leaves = append(t.leaves, leaf{4*i + k, gate * l.Out * in, l.Out, in})
			}
		}
	}
	top := s.Layers[len(s.Layers)-1].Out
	t.leaves = append(t.leaves, leaf{len(p) - 2, 0, s.Out, top}, leaf{len(p) - 1, 0, s.Out, 1})
	for _, l := range t.leaves {
		w := make([]float32, l.out*l.in)
		l.flip(w, p[l.array], true)
		t.params, t.grads = append(t.params, w), append(t.grads, make([]float32, len(w)))
	}
	t.step = neural.NewStepper(s.Optimiser, t.params)
	return t, nil
}

// supported says what this engine leaves to the other.
func supported(s neural.Sequence) error {
	const format = "gorgonia: %s in a recurrent network: train it with the engine fused"
	switch {
	case s.Loss != "mse":
		return fmt.Errorf(format, "no loss "+s.Loss)
	case s.Symbols > 0:
		return fmt.Errorf(format, "no symbols")
	case s.Clip > 0:
		return fmt.Errorf(format, "no clipping of gradients")
	}
	for _, l := range s.Layers {
		switch {
		case l.Bidirectional:
			return fmt.Errorf(format, "no bidirectional layers")
		case l.Decoder:
			return fmt.Errorf(format, "no decoders")
		case l.Dropout > 0:
			return fmt.Errorf(format, "no dropout")
		}
	}
	return nil
}

// leaf is a matrix of the graph: the share of one gate, or all, in one of the network's arrays.
type leaf struct {
	array, at int
	out, in   int
}

// flip copies the leaf's weights from the out×in of an array to the in×out of the graph, or back.
func (l leaf) flip(w, array []float32, in bool) {
	for o := range l.out {
		for i := range l.in {
			if in {
				w[i*l.out+o] = array[l.at+o*l.in+i]
			} else {
				array[l.at+o*l.in+i] = w[i*l.out+o]
			}
		}
	}
}

type sequenceTrainer struct {
	seq    neural.Sequence
	leaves []leaf
	params neural.Params // in×out matrices and biases, one a leaf, shared by all graphs
	grads  neural.Params
	step   *neural.Stepper
	graphs map[int]*sequenceTape
}

// sequenceTape is the graph for one batch size.
type sequenceTape struct {
	x, t   G.Nodes // a matrix for each step, and for each output
	inputs []*tensor.Dense
	params G.Nodes
	loss   G.Value
	vm     G.VM
}

func (t *sequenceTrainer) Close() error {
	var errs []error
	for _, g := range t.graphs {
		errs = append(errs, g.vm.Close())
	}
	t.graphs = nil
	return errors.Join(errs...)
}

func (t *sequenceTrainer) Params() neural.Params { return t.plain(t.params) }

// plain puts numbers of the leaves' layout into the network's arrays.
func (t *sequenceTrainer) plain(leaves neural.Params) neural.Params {
	out := make(neural.Params, t.leaves[len(t.leaves)-1].array+1)
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
	g := G.NewGraph()
	tp = &sequenceTape{}
	outputs := t.seq.Targets() / t.seq.Out
	for i := range t.seq.Steps {
		tp.x = append(tp.x, G.NewMatrix(g, tensor.Float32, G.WithShape(n, t.seq.In), G.WithName(fmt.Sprintf("x%d", i))))
		tp.inputs = append(tp.inputs, tensor.New(tensor.WithShape(n, t.seq.In), tensor.Of(tensor.Float32)))
	}
	for i := range outputs {
		tp.t = append(tp.t, G.NewMatrix(g, tensor.Float32, G.WithShape(n, t.seq.Out), G.WithName(fmt.Sprintf("t%d", i))))
		tp.inputs = append(tp.inputs, tensor.New(tensor.WithShape(n, t.seq.Out), tensor.Of(tensor.Float32)))
	}
	for i, l := range t.leaves {
		tp.params = append(tp.params, G.NewMatrix(g, tensor.Float32, G.WithName(fmt.Sprintf("p%d", i)), G.WithShape(l.in, l.out),
			G.WithValue(tensor.New(tensor.WithShape(l.in, l.out), tensor.WithBacking(t.params[i])))))
	}
	h := tp.x
	for i, l := range t.seq.Layers {
		if l.Repeat {
			final := h[len(h)-1]
			h = nil
			for range t.seq.Steps {
				h = append(h, final)
			}
		}
		zero := G.NewMatrix(g, tensor.Float32, G.WithName(fmt.Sprintf("zero%d", i)), G.WithShape(n, l.Out),
			G.WithValue(tensor.New(tensor.WithShape(n, l.Out), tensor.Of(tensor.Float32))))
		h = unroll(h, zero, tp.params[16*i:16*i+16])
	}
	if !t.seq.Each {
		h = h[len(h)-1:]
	}
	w, b := tp.params[len(tp.params)-2], tp.params[len(tp.params)-1]
	var loss *G.Node
	for i, want := range tp.t {
		y := G.Must(G.BroadcastAdd(G.Must(G.Mul(h[i], w)), b, nil, []byte{0}))
		mean := G.Must(G.Mean(G.Must(G.Square(G.Must(G.Sub(y, want))))))
		if loss == nil {
			loss = mean
		} else {
			loss = G.Must(G.Add(loss, mean))
		}
	}
	loss = G.Must(G.Mul(loss, G.NewConstant(float32(1/float64(outputs)))))
	G.Read(loss, &tp.loss)
	if _, err := G.Grad(loss, tp.params...); err != nil {
		return nil, fmt.Errorf("gorgonia: gradient: %w", err)
	}
	tp.vm = G.NewTapeMachine(g, G.BindDualValues(tp.params...))
	t.graphs[n] = tp
	return tp, nil
}

// unroll is the outputs of a layer at every step. Its parameters are W, U, b_ih and b_hh, four gates each.
func unroll(x G.Nodes, zero *G.Node, p G.Nodes) G.Nodes {
	var out G.Nodes
	h, c := zero, zero
	for _, in := range x {
		var gates [4]*G.Node
		for k := range gates {
			sum := G.Must(G.Add(G.Must(G.Mul(in, p[k])), G.Must(G.Mul(h, p[4+k]))))
			sum = G.Must(G.BroadcastAdd(sum, G.Must(G.Add(p[8+k], p[12+k])), nil, []byte{0}))
			if k == 2 {
				gates[k] = G.Must(G.Tanh(sum))
			} else {
				gates[k] = G.Must(G.Sigmoid(sum))
			}
		}
		c = G.Must(G.Add(G.Must(G.HadamardProd(gates[1], c)), G.Must(G.HadamardProd(gates[0], gates[2]))))
		h = G.Must(G.HadamardProd(gates[3], G.Must(G.Tanh(c))))
		out = append(out, h)
	}
	return out
}

// evaluate computes the loss of some rows and leaves its gradient in t.grads.
func (t *sequenceTrainer) evaluate(x, target []float32, rows []int32) (float64, error) {
	s := t.seq
	for _, r := range rows {
		if r < 0 || (int(r)+1)*s.Steps*s.In > len(x) || (int(r)+1)*s.Targets() > len(target) {
			return 0, fmt.Errorf("gorgonia: no sample %d among %d numbers and %d targets", r, len(x), len(target))
		}
	}
	if len(rows) == 0 {
		return 0, errors.New("gorgonia: no samples")
	}
	tp, err := t.tape(len(rows))
	if err != nil {
		return 0, err
	}
	fill := func(nodes G.Nodes, inputs []*tensor.Dense, from []float32, d int) error {
		for k, node := range nodes {
			to := inputs[k].Data().([]float32)
			for i, r := range rows {
				at := (int(r)*len(nodes) + k) * d
				copy(to[i*d:(i+1)*d], from[at:at+d])
			}
			if err := G.Let(node, inputs[k]); err != nil {
				return fmt.Errorf("gorgonia: %w", err)
			}
		}
		return nil
	}
	if err := errors.Join(fill(tp.x, tp.inputs, x, s.In), fill(tp.t, tp.inputs[s.Steps:], target, s.Out)); err != nil {
		return 0, err
	}
	defer tp.vm.Reset()
	if err := tp.vm.RunAll(); err != nil {
		return 0, fmt.Errorf("gorgonia: %w", err)
	}
	loss, ok := tp.loss.Data().(float32)
	if !ok {
		return 0, fmt.Errorf("gorgonia: the loss is a %T", tp.loss.Data())
	}
	return float64(loss), takeGradients(tp.params, t.grads)
}

func (t *sequenceTrainer) Epoch(ctx context.Context, x, target []float32, order []int32, batch int, rate float64) (float64, error) {
	if batch < 1 {
		return 0, errors.New("gorgonia: batches of no samples")
	}
	if len(order) == 0 {
		return 0, errors.New("gorgonia: no samples")
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
		t.step.Step(t.params, t.grads, rate)
	}
	return sum / float64(len(order)), nil
}

func (t *sequenceTrainer) Gradient(x, target []float32, rows []int32) (float64, neural.Params, error) {
	loss, err := t.evaluate(x, target, rows)
	if err != nil {
		return 0, nil, err
	}
	return loss, t.plain(t.grads), nil
}
