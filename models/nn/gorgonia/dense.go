// Package gorgonia runs networks on Gorgonia: the description becomes an expression graph, its gradient is
// derived symbolically, and a tape machine evaluates both. It registers the engine "gorgonia" and is the
// only package that imports Gorgonia.
package gorgonia

import (
	"context"
	"errors"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"plumbline/models/nn"
	"plumbline/numeric/cluster"
)

func init() { nn.RegisterEngine("gorgonia", engine{}) }

type engine struct{}

// New builds a trainer with its own copy of the weights. A graph is made for each batch size that occurs,
// because Gorgonia fixes shapes: at most two in training.
func (engine) New(n nn.Network, p nn.Params, _ int) (nn.Trainer, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	if err := n.Shape(p); err != nil {
		return nil, err
	}
	t := &trainer{net: n, arrays: n.Arrays(), graphs: map[int]*tape{}}
	var trained nn.Params
	for i, a := range t.arrays {
		t.params = append(t.params, flip(n, a, p[i], false))
		t.grads = append(t.grads, make([]float32, a.Len))
		if a.Trained {
			trained = append(trained, t.params[i])
		}
	}
	t.step = nn.NewStepper(n.Optimiser, trained)
	return t, nil
}

// flip turns layer weights from Out×In to the In×Out that the graph multiplies by, or back; others are copied.
func flip(n nn.Network, a nn.Array, w []float32, back bool) []float32 {
	out := slices.Clone(w)
	if a.Part != nn.Weight {
		return out
	}
	rows, cols := n.Layers[a.Layer].Out, n.Layers[a.Layer].In
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
	net    nn.Network
	arrays []nn.Array
	params nn.Params // weights In×Out, shared by all graphs
	grads  nn.Params
	step   *nn.Stepper
	steps  int
	graphs map[int]*tape
}

// tape is the graph for one batch size.
type tape struct {
	x, t   *G.Node
	inputs [2]*tensor.Dense
	params G.Nodes // of the trained arrays
	random []randomInput
	norms  []norm
	loss   G.Value
	vm     G.VM

	// with centres: that of each row, each centre's rows with one over their number, and the bottleneck
	near, members            *G.Node
	nearValues, memberValues *tensor.Dense
	latent                   G.Value
}

// randomInput is an input that is sampled for each step: what a layer's values are multiplied by, or what the
// bottleneck's deviations are.
type randomInput struct {
	node   *G.Node
	values *tensor.Dense
	sample func(row []float32, step, place int)
}

// norm is the moments of a normalised layer's sums.
type norm struct {
	layer          int
	mean, variance G.Value
}

func (t *trainer) Close() error {
	var errs []error
	for _, g := range t.graphs {
		errs = append(errs, g.vm.Close())
	}
	t.graphs = nil
	return errors.Join(errs...)
}

func (t *trainer) Params() nn.Params {
	out := make(nn.Params, len(t.params))
	for i := range out {
		out[i] = flip(t.net, t.arrays[i], t.params[i], true)
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
	var g *G.ExprGraph
	err = whole(n, func(e expression) error {
		g = e.g
		tp = &tape{x: e.matrix("x", n, in, nil), t: e.matrix("t", n, out, nil)}
		b := builder{e, t, tp}
		loss, err := b.network()
		if err != nil {
			return err
		}
		G.Read(loss, &tp.loss)
		if _, err := G.Grad(loss, tp.params...); err != nil {
			return fmt.Errorf("gorgonia: gradient: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	tp.inputs[0] = tensor.New(tensor.WithShape(n, in), tensor.Of(tensor.Float32))
	tp.inputs[1] = tensor.New(tensor.WithShape(n, out), tensor.Of(tensor.Float32))
	tp.vm = G.NewTapeMachine(g, G.BindDualValues(tp.params...))
	t.graphs[n] = tp
	return tp, nil
}

// average brings the running averages of normalised layers up to date.
func (t *trainer) average(tp *tape, rows int) {
	if rows < 2 {
		return
	}
	for _, m := range tp.norms {
		mean, variance := m.mean.Data().([]float32), m.variance.Data().([]float32)
		to, wide := t.net.Array(t.params, m.layer, nn.Mean), t.net.Array(t.params, m.layer, nn.Variance)
		for j := range to {
			to[j] += 0.1 * (mean[j] - to[j])
			wide[j] += 0.1 * (variance[j]*float32(rows)/float32(rows-1) - wide[j])
		}
	}
}

// evaluate computes the loss of some rows and leaves its gradient in t.grads.
func (t *trainer) evaluate(x, target []float32, rows []int32, learn bool) (float64, error) {
	tp, err := t.tape(len(rows))
	if err != nil {
		return 0, err
	}
	gather(tp.inputs[0].Data().([]float32), x, rows, t.net.Layers[0].In)
	gather(tp.inputs[1].Data().([]float32), target, rows, t.net.Layers[len(t.net.Layers)-1].Out)
	if err := errors.Join(G.Let(tp.x, tp.inputs[0]), G.Let(tp.t, tp.inputs[1])); err != nil {
		return 0, fmt.Errorf("gorgonia: %w", err)
	}
	for _, c := range tp.random {
		width := c.values.Shape()[1]
		for i := range rows {
			c.sample(c.values.Data().([]float32)[i*width:(i+1)*width], t.steps, i)
		}
		if err := G.Let(c.node, c.values); err != nil {
			return 0, fmt.Errorf("gorgonia: %w", err)
		}
	}
	if tp.near != nil {
		if err := t.assign(tp); err != nil {
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
	var grads nn.Params
	for i, a := range t.arrays {
		if a.Trained {
			grads = append(grads, t.grads[i])
		}
	}
	if learn {
		t.average(tp, len(rows))
	}
	return float64(loss), takeGradients(tp.params, grads)
}

// assign finds the nearest centre of each row of the bottleneck, by running the graph once.
func (t *trainer) assign(tp *tape) error {
	near, members := tp.nearValues.Data().([]float32), tp.memberValues.Data().([]float32)
	clear(near)
	clear(members)
	if err := t.let(tp); err != nil {
		return err
	}
	if err := tp.vm.RunAll(); err != nil {
		return err
	}
	z := slices.Clone(tp.latent.Data().([]float32))
	for _, node := range tp.params { // the first run's gradients are of other centres
		if g, err := node.Grad(); err == nil {
			clear(g.Data().([]float32))
		}
	}
	tp.vm.Reset()
	wide := t.net.Bottleneck()
	rows := len(z) / wide
	count := make([]float32, len(t.net.Centres))
	of := make([]int, rows)
	for i := range rows {
		of[i] = cluster.Nearest(t.net.Centres, z[i*wide:(i+1)*wide])
		count[of[i]]++
	}
	for i, c := range of {
		copy(near[i*wide:(i+1)*wide], t.net.Centres[c])
		members[c*rows+i] = 1 / count[c]
	}
	return t.let(tp)
}

func (t *trainer) let(tp *tape) error {
	return errors.Join(G.Let(tp.near, tp.nearValues), G.Let(tp.members, tp.memberValues))
}

// SetCentres changes the centres of the loss.
func (t *trainer) SetCentres(centres [][]float32) error {
	n := t.net
	n.Centres = centres
	if err := n.Check(); err != nil {
		return err
	}
	if len(centres) != len(t.net.Centres) { // graphs are made for a number of centres
		if err := t.Close(); err != nil {
			return err
		}
		t.graphs = map[int]*tape{}
	}
	t.net = n
	return nil
}

// Centres is the centres of the loss.
func (t *trainer) Centres() [][]float32 { return t.net.Centres }

// takeGradients copies the gradients of nodes.
func takeGradients(nodes G.Nodes, to nn.Params) error {
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

func (t *trainer) Epoch(ctx context.Context, x, target []float32, order []int32, batch int, rate float64) (float64,
	error) {
	sum := 0.0
	for from := 0; from < len(order); from += batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		rows := order[from:min(from+batch, len(order))]
		loss, err := t.evaluate(x, target, rows, true)
		if err != nil {
			return 0, err
		}
		sum += loss * float64(len(rows))
		var params, grads nn.Params
		for i, a := range t.arrays {
			if a.Trained {
				params, grads = append(params, t.params[i]), append(grads, t.grads[i])
			}
		}
		t.step.Step(params, grads, rate)
		t.steps++
	}
	return sum / float64(len(order)), nil
}

func (t *trainer) Gradient(x, target []float32, rows []int32) (float64, nn.Params, error) {
	loss, err := t.evaluate(x, target, rows, false)
	if err != nil {
		return 0, nil, err
	}
	g := make(nn.Params, len(t.grads))
	for i := range g {
		g[i] = flip(t.net, t.arrays[i], t.grads[i], true)
	}
	return loss, g, nil
}
