package gorgonia

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"plumbline/models/nn"
	"plumbline/numeric/elementary"
)

// expression is a graph for batches of a fixed number of rows, in the making. Rows and columns are spread, joined,
// picked
// and summed up by products with constant matrices, whose gradients Gorgonia knows for every shape.
type expression struct {
	g     *G.ExprGraph
	rows  int
	names string // what the names of all matrices begin with
}

// whole makes a graph in which Gorgonia takes no two nodes for one. It knows nodes by 32 bits of their names and
// operations, and where these are equal by chance it merges the nodes, or later computes but one of them: so a
// graph is made again under other names until no two nodes have the same bits, and as many are there as in
// another one before.
func whole(rows int, build func(e expression) error) error {
	most := 0
	for try := range 10 {
		e := expression{G.NewGraph(), rows, fmt.Sprint(try, " ")}
		if err := build(e); err != nil {
			return err
		}
		nodes := e.g.AllNodes()
		bits := make(map[uint32]bool, len(nodes))
		for _, n := range nodes {
			bits[n.Hashcode()] = true
		}
		if len(bits) == len(nodes) && len(nodes) == most {
			return nil
		}
		most = max(most, len(nodes))
	}
	return fmt.Errorf("gorgonia: a graph of %d nodes is too large for its hashes", most)
}

// must ends the building with an error.
func (e *expression) must(n *G.Node, err error) *G.Node {
	if err != nil {
		panic(err) // the trainer turns it into an error
	}
	return n
}

// matrix is a leaf of the graph over values, or with nil an input that values are let into.
func (e *expression) matrix(name string, rows, cols int, values []float32) *G.Node {
	opts := []G.NodeConsOpt{G.WithName(e.names + name), G.WithShape(rows, cols)}
	if values != nil {
		opts = append(opts, G.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(values))))
	}
	return G.NewMatrix(e.g, tensor.Float32, opts...)
}

// input is a matrix that each batch fills anew.
func (e *expression) input(tp *tape, name string, cols int,
	fill func(row []float32, place int, x, target []float32)) *G.Node {
	n := e.matrix(name, e.rows, cols, nil)
	tp.inputs = append(tp.inputs, input{n, tensor.New(tensor.WithShape(e.rows, cols), tensor.Of(tensor.Float32)), fill})
	return n
}

func (e *expression) constant(rows, cols int, name string, at func(i, j int) float32) *G.Node {
	values := make([]float32, rows*cols)
	for i := range values {
		values[i] = at(i/cols, i%cols)
	}
	return e.matrix(name, rows, cols, values)
}

func (e *expression) scalar(v float64) *G.Node { return G.NewConstant(float32(v)) }

func one(int, int) float32 { return 1 }

// spread is a row of numbers under each other, once for each row of the batch.
func (e *expression) spread(row *G.Node, name string) *G.Node {
	return e.must(G.Mul(e.constant(e.rows, 1, "ones"+name, one), row))
}

// mean is the means of the columns.
func (e *expression) mean(x *G.Node, name string) *G.Node {
	return e.must(G.Mul(e.constant(1, e.rows, "share"+name, func(int, int) float32 { return 1 / float32(e.rows) }), x))
}

// columns is a run of columns of x, which has wide of them.
func (e *expression) columns(x *G.Node, from, n, wide int, name string) *G.Node {
	return e.must(G.Mul(x, e.constant(wide, n, name, func(i, j int) float32 {
		if i == from+j {
			return 1
		}
		return 0
	})))
}

// beside is two matrices of n columns side by side.
func (e *expression) beside(a, b *G.Node, n int, name string) *G.Node {
	at := func(from int) func(i, j int) float32 {
		return func(i, j int) float32 {
			if from+i == j {
				return 1
			}
			return 0
		}
	}
	left := e.must(G.Mul(a, e.constant(n, 2*n, name+" left", at(0))))
	return e.must(G.Add(left, e.must(G.Mul(b, e.constant(n, 2*n, name+" right", at(n))))))
}

// builder makes the expression of a network's loss.
type builder struct {
	expression
	t  *dense
	tp *tape
}

// param is an array of a layer as a node.
func (b *builder) param(layer int, part nn.Part, rows, cols int) *G.Node {
	for i, a := range b.t.arrays {
		if a.Layer == layer && a.Part == part {
			n := b.matrix(a.Name, rows, cols, b.t.params[i])
			b.tp.used, b.tp.params = append(b.tp.used, i), append(b.tp.params, n)
			return n
		}
	}
	return nil
}

// random is an input that is sampled for each step.
func (b *builder) random(name string, cols int, sample func(row []float32, step, place int)) *G.Node {
	return b.input(b.tp, name, cols, func(row []float32, place int, _, _ []float32) { sample(row, b.t.steps, place) })
}

// network is the loss.
func (b *builder) network() *G.Node {
	net := b.t.net
	in, out := b.t.widths()
	h := b.input(b.tp, "x", in, func(row []float32, _ int, x, _ []float32) { copy(row, x) })
	want := b.input(b.tp, "t", out, func(row []float32, _ int, _, target []float32) { copy(row, target) })
	weights := make([]*G.Node, len(net.Layers))
	penalty := (*G.Node)(nil)
	b.tp.norms = make([]norm, 0, len(net.Layers)) // what is in it is pointed to
	for i, l := range net.Layers {
		if l.Tied > 0 {
			weights[i] = b.must(G.Transpose(weights[l.Tied-1], 1, 0))
		} else {
			weights[i] = b.param(i, nn.Weight, l.In, l.Out)
		}
		bias := b.param(i, nn.Bias, 1, l.Out)
		h = b.must(G.BroadcastAdd(b.must(G.Mul(h, weights[i])), bias, nil, []byte{0}))
		if l.Norm {
			h = b.normalise(h, i)
		}
		switch l.Activation {
		case nn.Tanh:
			h = b.must(G.Tanh(h))
		case nn.ReLU:
			h = b.must(G.Rectify(h))
		case nn.Sigmoid:
			h = b.must(G.Sigmoid(h))
		}
		if l.Dropout > 0 {
			mask := b.random(fmt.Sprint("mask", i), l.Out, func(row []float32, step, place int) {
				nn.Mask(row, l.Dropout, net.Seed, step, i, place)
			})
			h = b.must(G.HadamardProd(h, mask))
		}
		if i+1 != net.Latent {
			continue
		}
		switch {
		case net.Centres != nil:
			penalty = b.centres(h)
		case net.Shrink > 0:
			penalty = b.must(G.Mul(b.scalar(net.Shrink), b.must(G.Mean(b.must(G.Square(h))))))
		}
		if net.Variational != nil {
			h, penalty = b.draw(h)
		}
	}
	diff := b.must(G.Sub(h, want))
	var loss *G.Node
	if net.Loss == nn.AbsoluteLoss {
		loss = b.must(G.Mean(b.must(G.Abs(diff))))
	} else {
		loss = b.must(G.Mean(b.must(G.Square(diff))))
	}
	if penalty != nil {
		loss = b.must(G.Add(loss, penalty))
	}
	return loss
}

// centres is what the distances of the bottleneck's rows from their nearest centres add to the loss, and what the
// means of the rows of each centre do. Which centre is nearest has no gradient: it is an input, which a first run
// of the graph gives.
func (b *builder) centres(h *G.Node) *G.Node {
	net, k := b.t.net, len(b.t.net.Centres)
	wide := net.Bottleneck()
	b.tp.near = b.matrix("nearest", b.rows, wide, nil)
	b.tp.members = b.matrix("members", k, b.rows, nil)
	b.tp.nearValues = tensor.New(tensor.WithShape(b.rows, wide), tensor.Of(tensor.Float32))
	b.tp.memberValues = tensor.New(tensor.WithShape(k, b.rows), tensor.Of(tensor.Float32))
	G.Read(h, &b.tp.latent)
	apart := b.must(G.Mean(b.must(G.Square(b.must(G.Sub(h, b.tp.near))))))
	means := b.must(G.Mean(b.must(G.Square(b.must(G.Mul(b.tp.members, h))))))
	return b.must(G.Add(b.must(G.Mul(b.scalar(net.Shrink), apart)),
		b.must(G.Mul(b.scalar(net.Centring*float64(wide)), means))))
}

func (b *builder) normalise(h *G.Node, i int) *G.Node {
	out := b.t.net.Layers[i].Out
	mean := b.mean(h, fmt.Sprint("mean", i))
	apart := b.must(G.Sub(h, b.spread(mean, fmt.Sprint("mean", i))))
	variance := b.mean(b.must(G.Square(apart)), fmt.Sprint("variance", i))
	b.tp.norms = append(b.tp.norms, norm{layer: i})
	m := &b.tp.norms[len(b.tp.norms)-1]
	G.Read(mean, &m.mean)
	G.Read(variance, &m.variance)
	eps := b.constant(1, out, fmt.Sprint("epsilon", i), func(int, int) float32 { return 1e-5 })
	dev := b.must(G.Sqrt(b.must(G.Add(variance, eps))))
	h = b.must(G.HadamardDiv(apart, b.spread(dev, fmt.Sprint("dev", i))))
	h = b.must(G.HadamardProd(h, b.spread(b.param(i, nn.Scale, 1, out), fmt.Sprint("scale", i))))
	return b.must(G.BroadcastAdd(h, b.param(i, nn.Shift, 1, out), nil, []byte{0}))
}

// draw is a draw around the bottleneck's means, and what their divergence from the prior adds to the loss.
func (b *builder) draw(h *G.Node) (z, penalty *G.Node) {
	v := b.t.net.Variational
	k := b.t.net.Bottleneck()
	mu, s := b.columns(h, 0, k, 2*k, "means"), b.columns(h, k, k, 2*k, "deviations")
	eps := b.random("draw", k, func(row []float32, step,
		place int) {
		nn.StandardNormal(row, b.t.net.Seed, step, place)
	})
	dev := b.must(G.Exp(b.must(G.Mul(s, b.scalar(0.5)))))
	z = b.must(G.Add(mu, b.must(G.HadamardProd(dev, eps))))
	sum := b.must(G.Add(b.must(G.Exp(s)), b.must(G.Square(mu))))
	sum = b.must(G.Sub(sum, b.must(G.Mul(s, b.scalar(v.Alpha)))))
	kl := b.must(G.Add(b.must(G.Mean(sum)), b.scalar(float64(v.Alpha*elementary.Log(v.Alpha))-v.Alpha)))
	kl = b.must(G.Mul(kl, b.scalar(1/(2*v.Alpha))))
	if v.Log {
		return z, b.must(G.Mul(b.must(G.Log(b.must(G.Add(kl, b.scalar(1))))), b.scalar(v.Weight/math.Ln10)))
	}
	return z, b.must(G.Mul(kl, b.scalar(v.Weight)))
}
