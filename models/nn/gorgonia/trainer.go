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

// network is what a trainer has to know of a kind of networks.
type network interface {
	widths() (sample, target int) // how many numbers they have
	check(x, target []float32, rows []int32) error
	loss(e expression, tp *tape) *G.Node
	prepare(tp *tape) error                // is called when a batch's inputs are there
	average(tp *tape, rows int)            // is called when a batch was learnt from
	unpacked(matrices nn.Params) nn.Params // puts numbers of the matrices' layout into the network's arrays
}

// trainer trains a network by graphs. One is made for each batch size that occurs, because Gorgonia fixes shapes: at
// most two in training.
type trainer struct {
	network
	params  nn.Params // matrices of the graphs, in×out, shared by all of them
	grads   nn.Params
	trained []int   // matrices that the optimiser changes
	clip    float64 // bound on the norm of a batch's gradient; 0: none
	step    *nn.Stepper
	steps   int
	graphs  map[int]*tape
}

// tape is the graph for one batch size.
type tape struct {
	inputs []input
	used   []int   // matrices that the loss depends on
	params G.Nodes // of these
	loss   G.Value
	vm     G.VM

	norms []norm // of normalised layers

	// with centres: that of each row, each centre's rows with one over their number, and the bottleneck
	near, members            *G.Node
	nearValues, memberValues *tensor.Dense
	latent                   G.Value
}

// input is a matrix that changes from batch to batch.
type input struct {
	node   *G.Node
	values *tensor.Dense
	// fill writes a sample's row: it has that place in the batch, and that input and target.
	fill func(row []float32, place int, x, target []float32)
}

// newTrainer takes over the matrices, of which the optimiser changes those that are trained.
func newTrainer(n network, o nn.Optimiser, clip float64, matrices nn.Params, trained []int) *trainer {
	t := &trainer{network: n, params: matrices, trained: trained, clip: clip, graphs: map[int]*tape{}}
	for _, m := range matrices {
		t.grads = append(t.grads, make([]float32, len(m)))
	}
	t.step = nn.NewStepper(o, pick(t.params, trained))
	return t
}

// pick is some of the arrays.
func pick(from nn.Params, at []int) nn.Params {
	out := make(nn.Params, len(at))
	for k, i := range at {
		out[k] = from[i]
	}
	return out
}

func (t *trainer) Close() error {
	var errs []error
	for _, g := range t.graphs {
		errs = append(errs, g.vm.Close())
	}
	t.graphs = map[int]*tape{}
	return errors.Join(errs...)
}

func (t *trainer) Params() nn.Params { return t.unpacked(t.params) }

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
	var g *G.ExprGraph
	err = whole(n, func(e expression) error {
		g, tp = e.g, &tape{}
		loss := t.loss(e, tp)
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
func (t *trainer) evaluate(x, target []float32, rows []int32) (*tape, float64, error) {
	if err := t.check(x, target, rows); err != nil {
		return nil, 0, err
	}
	tp, err := t.tape(len(rows))
	if err != nil {
		return nil, 0, err
	}
	wide, per := t.widths()
	for _, in := range tp.inputs {
		values, d := in.values.Data().([]float32), in.values.Shape()[1]
		for i, r := range rows {
			in.fill(values[i*d:(i+1)*d], i, x[int(r)*wide:(int(r)+1)*wide], target[int(r)*per:(int(r)+1)*per])
		}
		if err := G.Let(in.node, in.values); err != nil {
			return nil, 0, fmt.Errorf("gorgonia: %w", err)
		}
	}
	if err := t.prepare(tp); err != nil {
		return nil, 0, fmt.Errorf("gorgonia: %w", err)
	}
	defer tp.vm.Reset()
	if err := tp.vm.RunAll(); err != nil {
		return nil, 0, fmt.Errorf("gorgonia: %w", err)
	}
	loss, ok := tp.loss.Data().(float32)
	if !ok {
		return nil, 0, fmt.Errorf("gorgonia: the loss is a %T", tp.loss.Data())
	}
	return tp, float64(loss), takeGradients(tp.params, pick(t.grads, tp.used))
}

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

func (t *trainer) Epoch(ctx context.Context, x, target []float32, order []int32, batch int,
	rate float64) (float64, error) {
	if batch < 1 {
		return 0, errors.New("gorgonia: batches of no samples")
	}
	if err := t.check(x, target, order); err != nil {
		return 0, err
	}
	sum := 0.0
	for from := 0; from < len(order); from += batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		rows := order[from:min(from+batch, len(order))]
		tp, loss, err := t.evaluate(x, target, rows)
		if err != nil {
			return 0, err
		}
		t.average(tp, len(rows))
		sum += float64(loss * float64(len(rows)))
		if t.clip > 0 {
			clip(t.grads, t.clip)
		}
		t.step.Step(pick(t.params, t.trained), pick(t.grads, t.trained), rate)
		t.steps++
	}
	return sum / float64(len(order)), nil
}

// clip cuts a gradient to a norm.
func clip(g nn.Params, most float64) {
	sum := 0.0
	for _, a := range g {
		for _, v := range a {
			sum += float64(float64(v) * float64(v))
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

func (t *trainer) Gradient(x, target []float32, rows []int32) (float64, nn.Params, error) {
	_, loss, err := t.evaluate(x, target, rows)
	if err != nil {
		return 0, nil, err
	}
	return loss, t.unpacked(t.grads), nil
}
