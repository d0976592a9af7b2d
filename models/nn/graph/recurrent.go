package graph

import (
	"plumbline/models/nn"
	"plumbline/numeric/onnx"
)

// sequence is a recurrent network on its way into a graph; values are steps × samples × columns, in float32.
type sequence struct {
	nn.Sequence
	g *onnx.Graph
	p nn.Params // what is left of them, in the order of Arrays
}

// Recurrent adds a recurrent network of numbers for windows x, samples × Steps × In in float32, and gives what its head
// does: Steps × samples × Out, or samples × Out where it does not give Each.
func Recurrent(g *onnx.Graph, net nn.Sequence, p nn.Params, x onnx.Value) onnx.Value {
	s := &sequence{net, g, p}
	x = g.Node("Transpose", []onnx.Value{x}, 1, onnx.Ints("perm", 1, 0, 2))[0]
	if len(net.Layers) == 2 && net.Layers[1].Decoder {
		return s.unroll(x)
	}
	var last lstm
	for i, l := range net.Layers {
		if l.Repeat {
			shape := g.Concat(0, g.Ints([]int64{int64(net.Steps)}, 1), g.Op("Shape", last.final))
			x = g.Op("Expand", g.Unsqueeze(last.final, 0), shape)
		}
		last = s.layer(i, x, "", "")
		x = last.all
	}
	w, b := s.head()
	if net.Each {
		return g.Op("Add", g.Op("MatMul", x, w), b)
	}
	return g.Op("Add", g.Op("MatMul", last.final, w), b)
}

// take is the next array of parameters.
func (s *sequence) take() []float32 {
	a := s.p[0]
	s.p = s.p[1:]
	return a
}

// head is its weights, transposed, and biases.
func (s *sequence) head() (w, b onnx.Value) {
	raw := s.take()
	in := len(raw) / s.Out
	across := make([]float32, len(raw))
	for o := range s.Out {
		for i := range in {
			across[i*s.Out+o] = raw[o*in+i]
		}
	}
	return s.g.Floats(across, in, s.Out), s.g.Floats(s.take(), s.Out)
}

// gates are the rows of an array whose gates stand as i, f, g, o, in the order of ONNX: i, o, f, c (which is g).
func gates(a []float32, hidden int) []float32 {
	size := len(a) / 4
	out := make([]float32, 0, len(a))
	for _, k := range []int{0, 3, 1, 2} {
		out = append(out, a[k*size:(k+1)*size]...)
	}
	return out
}

// lstm is what a layer gives: its output at every step, the final one, and the final cells (directions × samples ×
// units).
type lstm struct{ all, final, h, c onnx.Value }

// weights are those of the operator LSTM.
func (s *sequence) weights(l nn.Recurrent) (w, r, b onnx.Value) {
	directions := l.Columns() / l.Out
	var ws, rs, bs []float32
	for range directions {
		ws, rs = append(ws, gates(s.take(), l.Out)...), append(rs, gates(s.take(), l.Out)...)
		bs = append(append(bs, gates(s.take(), l.Out)...), gates(s.take(), l.Out)...)
	}
	return s.g.Floats(ws, directions, 4*l.Out, l.In), s.g.Floats(rs, directions, 4*l.Out, l.Out),
		s.g.Floats(bs, directions, 8*l.Out)
}

func (s *sequence) layer(i int, x, h, c onnx.Value) lstm {
	l := s.Layers[i]
	w, r, b := s.weights(l)
	return s.run(l, x, w, r, b, h, c)
}

func (s *sequence) run(l nn.Recurrent, x, w, r, b, h, c onnx.Value) lstm {
	g := s.g
	in := []onnx.Value{x, w, r, b}
	if h != "" {
		in = append(in, "", h, c)
	}
	direction := "forward"
	if l.Bidirectional {
		direction = "bidirectional"
	}
	y := g.Node("LSTM", in, 3, onnx.Int("hidden_size", int64(l.Out)), onnx.Text("direction", direction))
	out := lstm{h: y[1], c: y[2]}
	if !l.Bidirectional {
		out.all, out.final = g.Squeeze(y[0], 1), g.Squeeze(y[1], 0)
		return out
	}
	// steps × directions × samples × units to steps × samples × both
	all := g.Node("Transpose", []onnx.Value{y[0]}, 1, onnx.Ints("perm", 0, 2, 1, 3))[0]
	out.all = g.Reshape(all, 0, 0, int64(2*l.Out))
	final := g.Node("Transpose", []onnx.Value{y[1]}, 1, onnx.Ints("perm", 1, 0, 2))[0]
	out.final = g.Reshape(final, 0, int64(2*l.Out))
	return out
}

// unroll runs an encoder, and a decoder that takes what the head made of its last step.
func (s *sequence) unroll(x onnx.Value) onnx.Value {
	g := s.g
	state := s.layer(0, x, "", "")
	dec := s.Layers[1]
	w, r, b := s.weights(dec)
	headW, headB := s.head()
	steps := make([]onnx.Value, s.Steps)
	for t := s.Steps - 1; t >= 0; t-- {
		y := g.Op("Add", g.Op("MatMul", state.final, headW), headB)
		steps[t] = g.Unsqueeze(y, 0)
		if t > 0 {
			state = s.run(dec, steps[t], w, r, b, state.h, state.c)
		}
	}
	return g.Concat(0, steps...)
}
