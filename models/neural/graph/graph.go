// Package graph runs networks on Gorgonia: the description becomes an expression graph, its gradient is
// derived symbolically, and a tape machine evaluates both. It registers the engine "gorgonia" and is the
// only package that imports Gorgonia.
package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"plumbline/models/neural"
)

func init() { neural.RegisterEngine("gorgonia", engine{}) }

type engine struct{}

// New builds a trainer with its own copy of the weights. A graph is made for each batch size that occurs,
// because Gorgonia fixes shapes: at most two in training.
func (engine) New(n neural.Network, p neural.Params, _ int) (neural.Trainer, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	if err := n.Shape(p); err != nil {
		return nil, err
	}
	if n.Centres != nil {
		return nil, errors.New("gorgonia: centres of the bottleneck are for the fused engine")
	}
	t := &trainer{net: n, graphs: map[int]*tape{}}
	for i := range p {
		t.params = append(t.params, flip(n, i, p[i], false))
		t.grads = append(t.grads, make([]float32, len(p[i])))
	}
	t.step = neural.NewStepper(n.Optimiser, t.params)
	return t, nil
}

// flip turns layer weights from Out×In to the In×Out that the graph multiplies by, or back; biases are copied.
func flip(n neural.Network, i int, w []float32, back bool) []float32 {
	out := slices.Clone(w)
	if i%2 == 1 {
		return out
	}
	rows, cols := n.Layers[i/2].Out, n.Layers[i/2].In
	if back {
		rows, cols = cols, rows
	}
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = w[r*cols+c]
		}
	}
	return out
}

type trainer struct {
	net    neural.Network
	params neural.Params // In×Out weights and biases, shared by all graphs
	grads  neural.Params
	step   *neural.Stepper
	graphs map[int]*tape
}

// tape is the graph for one batch size.
type tape struct {
	x, t   *G.Node
	inputs [2]*tensor.Dense
	params G.Nodes
	loss   G.Value
	vm     G.VM
}

func (t *trainer) Close() error {
	var errs []error
	for _, g := range t.graphs {
		errs = append(errs, g.vm.Close())
	}
	t.graphs = nil
	return errors.Join(errs...)
}

func (t *trainer) Params() neural.Params {
	out := make(neural.Params, len(t.params))
	for i := range out {
		out[i] = flip(t.net, i, t.params[i], true)
	}
	return out
}

// tape is the graph for batches of n rows, made on first use.
func (t *trainer) tape(n int) (tp *tape, err error) {
	if tp, ok := t.graphs[n]; ok {
		return tp, nil
	}
	defer func() { // Gorgonia panics on shapes that it cannot work with
		if r := recover(); r != nil {
			err = fmt.Errorf("gorgonia: %v", r)
		}
	}()
	in, out := t.net.Layers[0].In, t.net.Layers[len(t.net.Layers)-1].Out
	g := G.NewGraph()
	tp = &tape{
		x: G.NewMatrix(g, tensor.Float32, G.WithShape(n, in), G.WithName("x")),
		t: G.NewMatrix(g, tensor.Float32, G.WithShape(n, out), G.WithName("t")),
	}
	tp.inputs[0] = tensor.New(tensor.WithShape(n, in), tensor.Of(tensor.Float32))
	tp.inputs[1] = tensor.New(tensor.WithShape(n, out), tensor.Of(tensor.Float32))
	h, latent := tp.x, (*G.Node)(nil)
	for i, l := range t.net.Layers {
		w := G.NewMatrix(g, tensor.Float32, G.WithName(fmt.Sprintf("w%d", i)), G.WithShape(l.In, l.Out),
			G.WithValue(tensor.New(tensor.WithShape(l.In, l.Out), tensor.WithBacking(t.params[2*i]))))
		b := G.NewMatrix(g, tensor.Float32, G.WithName(fmt.Sprintf("b%d", i)), G.WithShape(1, l.Out),
			G.WithValue(tensor.New(tensor.WithShape(1, l.Out), tensor.WithBacking(t.params[2*i+1]))))
		tp.params = append(tp.params, w, b)
		if h, err = layer(h, w, b, l.Activation); err != nil {
			return nil, fmt.Errorf("gorgonia: layer %d: %w", i, err)
		}
		if i+1 == t.net.Latent {
			latent = h
		}
	}
	diff, err := G.Sub(h, tp.t)
	if err != nil {
		return nil, fmt.Errorf("gorgonia: loss: %w", err)
	}
	loss := G.Must(G.Mean(G.Must(G.Square(diff))))
	if t.net.Shrink > 0 {
		squares := G.Must(G.Mean(G.Must(G.Square(latent))))
		loss = G.Must(G.Add(loss, G.Must(G.Mul(G.NewConstant(float32(t.net.Shrink)), squares))))
	}
	G.Read(loss, &tp.loss)
	if _, err := G.Grad(loss, tp.params...); err != nil {
		return nil, fmt.Errorf("gorgonia: gradient: %w", err)
	}
	tp.vm = G.NewTapeMachine(g, G.BindDualValues(tp.params...))
	t.graphs[n] = tp
	return tp, nil
}

func layer(h, w, b *G.Node, a neural.Activation) (*G.Node, error) {
	xw, err := G.Mul(h, w)
	if err != nil {
		return nil, err
	}
	sum, err := G.BroadcastAdd(xw, b, nil, []byte{0})
	if err != nil {
		return nil, err
	}
	switch a {
	case neural.Tanh:
		return G.Tanh(sum)
	case neural.ReLU:
		return G.Rectify(sum)
	case neural.Sigmoid:
		return G.Sigmoid(sum)
	}
	return sum, nil
}

// evaluate computes the loss of some rows and leaves its gradient in t.grads.
func (t *trainer) evaluate(x, target []float32, rows []int32) (float64, error) {
	tp, err := t.tape(len(rows))
	if err != nil {
		return 0, err
	}
	gather(tp.inputs[0].Data().([]float32), x, rows, t.net.Layers[0].In)
	gather(tp.inputs[1].Data().([]float32), target, rows, t.net.Layers[len(t.net.Layers)-1].Out)
	if err := errors.Join(G.Let(tp.x, tp.inputs[0]), G.Let(tp.t, tp.inputs[1])); err != nil {
		return 0, fmt.Errorf("gorgonia: %w", err)
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

// takeGradients copies the gradients of nodes.
func takeGradients(nodes G.Nodes, to neural.Params) error {
	for i, node := range nodes {
		g, err := node.Grad()
		if err != nil {
			return fmt.Errorf("gorgonia: gradient of %s: %w", node.Name(), err)
		}
		values, ok := g.Data().([]float32)
		if !ok || len(values) != len(to[i]) {
			return fmt.Errorf("gorgonia: gradient of %s has another shape", node.Name())
		}
		copy(to[i], values)
		clear(values) // the machine adds to what is there
	}
	return nil
}

func gather(to, from []float32, rows []int32, d int) {
	for i, r := range rows {
		copy(to[i*d:(i+1)*d], from[int(r)*d:(int(r)+1)*d])
	}
}

func (t *trainer) Epoch(ctx context.Context, x, target []float32, order []int32, batch int, rate float64) (float64, error) {
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

func (t *trainer) Gradient(x, target []float32, rows []int32) (float64, neural.Params, error) {
	loss, err := t.evaluate(x, target, rows)
	if err != nil {
		return 0, nil, err
	}
	g := make(neural.Params, len(t.grads))
	for i := range g {
		g[i] = flip(t.net, i, t.grads[i], true)
	}
	return loss, g, nil
}
