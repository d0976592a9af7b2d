package graph

import (
	"plumbline/models/nn"
	"plumbline/numeric/kernel"
	"plumbline/numeric/onnx"
)

// mostRounded is the inputs of a layer beyond which [Rounded] leaves the order of sums to the runtime: a graph has some
// nodes for each.
const mostRounded = 2048

// Rounded is [Dense] with every number rounded as the program's own kernels round it, for what is divided by the spread
// of the output where that may be as small as the rounding: sums begin with the bias and take the inputs in their
// order, each product added with one rounding to float32, and tanh is the kernels' rational function, step for step.
// An ONNX runtime's own product adds in an order of its choice, so that its last bits are others. Numbers stand in
// float64, where a product of two of float32 is exact; of the sum, which is rounded to float64 on the way, the last bit
// is another about once in 10⁸. Four nodes for each input make it slower than Dense.
func Rounded(g *onnx.Graph, net nn.Network, p nn.Params, x onnx.Value, depth int) onnx.Value {
	layers, weights := net.Folded(p)
	if depth > 0 {
		layers = layers[:depth]
	}
	for _, l := range layers {
		if l.In > mostRounded {
			return Dense(g, net, p, x, depth)
		}
	}
	r := rounded{g}
	v := g.Cast(x, onnx.Double)
	for i, l := range layers {
		v = r.activate(r.sums(v, l, weights[i][0], weights[i][1]), l.Activation)
	}
	return g.Cast(v, onnx.Float)
}

// rounded adds operations on float64 values that are all of float32.
type rounded struct{ g *onnx.Graph }

func (r rounded) round(v onnx.Value) onnx.Value {
	return r.g.Cast(r.g.Cast(v, onnx.Float), onnx.Double)
}

// sums is those of a layer with weights w, Out×In, and biases b.
func (r rounded) sums(x onnx.Value, l nn.Dense, w, b []float32) onnx.Value {
	g := r.g
	across := make([]float32, len(w))
	for o := range l.Out {
		for k := range l.In {
			across[k*l.Out+o] = w[o*l.In+k]
		}
	}
	columns := r.each(x, 1, l.In)
	rows := r.each(g.Cast(g.Floats(across, l.In, l.Out), onnx.Double), 0, l.In)
	sum := g.Cast(g.Floats(b, l.Out), onnx.Double)
	for k := range columns {
		sum = r.multiplyAdd(columns[k], rows[k], sum)
	}
	return sum
}

// each is the n columns or rows of a matrix.
func (r rounded) each(x onnx.Value, axis int64, n int) []onnx.Value {
	if n == 1 {
		return []onnx.Value{x}
	}
	ones := make([]int64, n)
	for i := range ones {
		ones[i] = 1
	}
	return r.g.Node("Split", []onnx.Value{x, r.g.Ints(ones, n)}, n, onnx.Int("axis", axis))
}

func (r rounded) multiplyAdd(a, b, c onnx.Value) onnx.Value {
	return r.round(r.g.Op("Add", r.g.Op("Mul", a, b), c))
}

func (r rounded) activate(x onnx.Value, a nn.Activation) onnx.Value {
	switch a {
	case nn.Tanh:
		return r.tanh(x)
	case nn.Sigmoid:
		return r.round(r.g.Op("Sigmoid", x))
	case nn.ReLU:
		return r.g.Op("Max", x, r.g.Scalar(0))
	case nn.Leaky: // the larger of both, since the slope is below 1
		return r.g.Op("Max", x, r.round(r.g.Op("Mul", x, r.g.Scalar(float64(float32(nn.Leak))))))
	}
	return x
}

// tanh is x·P(x²)/Q(x²) of x within the limits of [kernel.TanhTerms].
func (r rounded) tanh(x onnx.Value) onnx.Value {
	g := r.g
	limit, top, bottom := kernel.TanhTerms()
	x = g.Op("Max", g.Op("Min", x, g.Scalar(float64(limit))), g.Scalar(-float64(limit)))
	square := r.round(g.Square(x))
	polynomial := func(terms []float32) onnx.Value {
		v := g.Scalar(float64(terms[0]))
		for _, c := range terms[1:] {
			v = r.multiplyAdd(v, square, g.Scalar(float64(c)))
		}
		return v
	}
	return r.round(g.Op("Div", r.round(g.Op("Mul", x, polynomial(top))), polynomial(bottom)))
}
