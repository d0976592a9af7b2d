package graph

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"plumbline/models/neural"
)

// builder makes the expression of a network's loss for batches of so many rows. Rows and columns are spread
// and summed up by products with matrices of ones, whose gradients Gorgonia knows for every shape.
type builder struct {
	t    *trainer
	tp   *tape
	g    *G.ExprGraph
	rows int
}

// must ends the building with an error.
func (b *builder) must(n *G.Node, err error) *G.Node {
	if err != nil {
		panic(err) // the trainer turns it into an error
	}
	return n
}

func (b *builder) constant(rows, cols int, name string, at func(i, j int) float32) *G.Node {
	values := make([]float32, rows*cols)
	for i := range values {
		values[i] = at(i/cols, i%cols)
	}
	return G.NewMatrix(b.g, tensor.Float32, G.WithName(name), G.WithShape(rows, cols), G.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(values))))
}

func (b *builder) scalar(v float64) *G.Node { return G.NewConstant(float32(v)) }

// spread is a row of numbers under each other, once for each row of the batch.
func (b *builder) spread(row *G.Node, name string) *G.Node {
	return b.must(G.Mul(b.constant(b.rows, 1, "ones"+name, func(int, int) float32 { return 1 }), row))
}

// mean is the means of the columns.
func (b *builder) mean(x *G.Node, name string) *G.Node {
	return b.must(G.Mul(b.constant(1, b.rows, "share"+name, func(int, int) float32 { return 1 / float32(b.rows) }), x))
}

// param is an array of a layer as a node.
func (b *builder) param(layer int, part neural.Part, rows, cols int) *G.Node {
	for i, a := range b.t.arrays {
		if a.Layer == layer && a.Part == part {
			n := G.NewMatrix(b.g, tensor.Float32, G.WithName(a.Name), G.WithShape(rows, cols), G.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(b.t.params[i]))))
			b.tp.params = append(b.tp.params, n)
			return n
		}
	}
	return nil
}

// random is an input that is drawn for each step.
func (b *builder) random(name string, cols int, draw func(row []float32, step, place int)) *G.Node {
	n := G.NewMatrix(b.g, tensor.Float32, G.WithShape(b.rows, cols), G.WithName(name))
	b.tp.chance = append(b.tp.chance, chance{n, tensor.New(tensor.WithShape(b.rows, cols), tensor.Of(tensor.Float32)), draw})
	return n
}

// network is the loss.
func (b *builder) network() (*G.Node, error) {
	net := b.t.net
	h := b.tp.x
	weights := make([]*G.Node, len(net.Layers))
	penalty := (*G.Node)(nil)
	b.tp.norms = make([]norm, 0, len(net.Layers)) // what is in it is pointed to
	for i, l := range net.Layers {
		if l.Tied > 0 {
			weights[i] = b.must(G.Transpose(weights[l.Tied-1], 1, 0))
		} else {
			weights[i] = b.param(i, neural.Weight, l.In, l.Out)
		}
		bias := b.param(i, neural.Bias, 1, l.Out)
		h = b.must(G.BroadcastAdd(b.must(G.Mul(h, weights[i])), bias, nil, []byte{0}))
		if l.Norm {
			h = b.normalise(h, i)
		}
		switch l.Activation {
		case neural.Tanh:
			h = b.must(G.Tanh(h))
		case neural.ReLU:
			h = b.must(G.Rectify(h))
		case neural.Sigmoid:
			h = b.must(G.Sigmoid(h))
		}
		if l.Dropout > 0 {
			mask := b.random(fmt.Sprint("mask", i), l.Out, func(row []float32, step, place int) {
				neural.Mask(row, l.Dropout, net.Seed, step, i, place)
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
	diff := b.must(G.Sub(h, b.tp.t))
	var loss *G.Node
	if net.Loss == neural.AbsoluteLoss {
		loss = b.must(G.Mean(b.must(G.Abs(diff))))
	} else {
		loss = b.must(G.Mean(b.must(G.Square(diff))))
	}
	if penalty != nil {
		loss = b.must(G.Add(loss, penalty))
	}
	return loss, nil
}

// centres is what the distances of the bottleneck's rows from their nearest centres add to the loss, and what the
// means of the rows of each centre do. Which centre is nearest has no gradient: it is an input, which a first run
// of the graph gives.
func (b *builder) centres(h *G.Node) *G.Node {
	net, k := b.t.net, len(b.t.net.Centres)
	wide := net.Bottleneck()
	b.tp.near = G.NewMatrix(b.g, tensor.Float32, G.WithShape(b.rows, wide), G.WithName("nearest"))
	b.tp.members = G.NewMatrix(b.g, tensor.Float32, G.WithShape(k, b.rows), G.WithName("members"))
	b.tp.nearValues = tensor.New(tensor.WithShape(b.rows, wide), tensor.Of(tensor.Float32))
	b.tp.memberValues = tensor.New(tensor.WithShape(k, b.rows), tensor.Of(tensor.Float32))
	G.Read(h, &b.tp.latent)
	apart := b.must(G.Mean(b.must(G.Square(b.must(G.Sub(h, b.tp.near))))))
	means := b.must(G.Mean(b.must(G.Square(b.must(G.Mul(b.tp.members, h))))))
	return b.must(G.Add(b.must(G.Mul(b.scalar(net.Shrink), apart)), b.must(G.Mul(b.scalar(net.Centring*float64(wide)), means))))
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
	h = b.must(G.HadamardProd(h, b.spread(b.param(i, neural.Scale, 1, out), fmt.Sprint("scale", i))))
	return b.must(G.BroadcastAdd(h, b.param(i, neural.Shift, 1, out), nil, []byte{0}))
}

// draw is a draw around the bottleneck's means, and what their divergence from the prior adds to the loss.
func (b *builder) draw(h *G.Node) (z, penalty *G.Node) {
	v := b.t.net.Variational
	k := b.t.net.Bottleneck()
	half := func(from int, name string) *G.Node { // columns from to from+k−1
		pick := b.constant(2*k, k, name, func(i, j int) float32 {
			if i == from+j {
				return 1
			}
			return 0
		})
		return b.must(G.Mul(h, pick))
	}
	mu, s := half(0, "means"), half(k, "deviations")
	eps := b.random("draw", k, func(row []float32, step, place int) { neural.Draw(row, b.t.net.Seed, step, place) })
	dev := b.must(G.Exp(b.must(G.Mul(s, b.scalar(0.5)))))
	z = b.must(G.Add(mu, b.must(G.HadamardProd(dev, eps))))
	sum := b.must(G.Add(b.must(G.Exp(s)), b.must(G.Square(mu))))
	sum = b.must(G.Sub(sum, b.must(G.Mul(s, b.scalar(v.Alpha)))))
	kl := b.must(G.Add(b.must(G.Mean(sum)), b.scalar(v.Alpha*math.Log(v.Alpha)-v.Alpha)))
	kl = b.must(G.Mul(kl, b.scalar(1/(2*v.Alpha))))
	if v.Log {
		return z, b.must(G.Mul(b.must(G.Log(b.must(G.Add(kl, b.scalar(1))))), b.scalar(v.Weight/math.Ln10)))
	}
	return z, b.must(G.Mul(kl, b.scalar(v.Weight)))
}
