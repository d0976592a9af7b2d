package nn

import (
	"plumbline/numeric/kernel"
)

// stack is the layers of a network with their weights packed, ready for products.
type stack struct {
	layers []fusedLayer
	size   int // of the parameters, padding included
	wide   int // columns of the output, padded
}

type fusedLayer struct {
	Dense
	tied           *fusedLayer   // whose weights this one has, transposed
	shared         bool          // with a later layer
	w              kernel.Packed // In×Out
	b              []float32     // padded, as the next two
	scale, shift   []float32
	wt             kernel.Packed // Out×In, for gradients of the input and for who is tied to it
	at, bias       int           // where weights and biases are among the parameters; scale and shift follow
	transpose      bool
	mean, variance []float32
}

func newStack(n Network) *stack {
	s := &stack{layers: make([]fusedLayer, len(n.Layers))}
	for i, l := range n.Layers {
		f := &s.layers[i]
		f.Dense, f.at, f.bias = l, s.size, s.size
		if l.Tied > 0 {
			f.tied = &s.layers[l.Tied-1]
			f.tied.shared, f.tied.transpose = true, true
		} else {
			f.bias += kernel.PackedLen(l.In, l.Out)
			f.transpose = i > 0
		}
		s.size = f.bias + kernel.Pad(l.Out)
		if l.Norm {
			s.size += 2 * kernel.Pad(l.Out)
		}
	}
	s.wide = kernel.Pad(n.Layers[len(n.Layers)-1].Out)
	return s
}

// lay puts the layers over parameters.
func (s *stack) lay(p []float32) {
	for i := range s.layers {
		l := &s.layers[i]
		wide := kernel.Pad(l.Out)
		l.b = p[l.bias : l.bias+wide]
		if l.Norm {
			l.scale, l.shift = p[l.bias+wide:l.bias+2*wide], p[l.bias+2*wide:l.bias+3*wide]
		}
		if l.tied != nil {
			continue
		}
		l.w = kernel.NewPacked(l.In, l.Out, p[l.at:l.bias])
		if l.transpose {
			l.wt = kernel.NewPacked(kernel.Pad(l.Out), l.In, nil)
		}
	}
}

// set packs weights, Out×In.
func (l *fusedLayer) set(w []float32) {
	for o := range l.Out {
		for k := range l.In {
			l.w.Data[l.w.Index(k, o)] = w[o*l.In+k]
		}
	}
	l.flip()
}

// get writes packed weights row by row, Out×In.
func (l *fusedLayer) get(from kernel.Packed, w []float32) {
	for o := range l.Out {
		for k := range l.In {
			w[o*l.In+k] = from.Data[from.Index(k, o)]
		}
	}
}

// flip brings the transposed weights up to date.
func (l *fusedLayer) flip() {
	if l.transpose {
		for j := range l.w.Panels() {
			kernel.TransposePanel(l.w, j, l.wt)
		}
	}
}

// mul makes out the layer's sums of rows of x.
func (l *fusedLayer) mul(rows int, x, out []float32) {
	w := l.w
	if l.tied != nil {
		w = l.tied.wt
	}
	kernel.Mul(rows, l.In, x, kernel.Pad(l.In), 1, w, out, kernel.Pad(l.Out), l.b, false)
}

// mulBack makes out the gradient of the layer's input from that of its sums.
func (l *fusedLayer) mulBack(rows int, d, out []float32) {
	w := l.wt
	if l.tied != nil {
		w = l.tied.w
	}
	kernel.Mul(rows, l.Out, d, kernel.Pad(l.Out), 1, w, out, kernel.Pad(l.In), nil, false)
}

// gradient writes the gradient of the weights to its place in g, or adds it.
func (l *fusedLayer) gradient(rows int, x, d, g []float32, add bool) {
	if rows == 0 {
		return
	}
	if t := l.tied; t != nil { // it comes before the layer whose weights it has, on the way back
		kernel.MulInto(t.In, rows, d, 1, kernel.Pad(l.Out), x, kernel.Pad(l.In),
			kernel.NewPacked(t.In, t.Out, g[t.at:t.bias]), add)
		return
	}
	kernel.MulInto(l.In, rows, x, 1, kernel.Pad(l.In), d, kernel.Pad(l.Out),
		kernel.NewPacked(l.In, l.Out, g[l.at:l.bias]), add || l.shared)
}

// forward applies the activation to rows of out columns, wide apart; padding stays 0.
func (a Activation) forward(x []float32, rows, out, wide int) {
	switch a {
	case Tanh:
		kernel.Tanh(x[:rows*wide])
	case ReLU:
		for i, v := range x[:rows*wide] {
			if v < 0 {
				x[i] = 0
			}
		}
	case Leaky:
		for i, v := range x[:rows*wide] {
			if v < 0 {
				x[i] = Leak * v
			}
		}
	case Sigmoid:
		for i := range rows {
			for j, v := range x[i*wide : i*wide+out] {
				x[i*wide+j] = Sigmoid.apply(v)
			}
		}
	}
}

// backward multiplies the gradient d of what the activation gave, a, by its derivative, and adds the column
// sums to db.
func (f Activation) backward(d, a, db []float32, rows, wide int) {
	switch f {
	case Tanh:
		kernel.TanhGrad(rows, wide, d, a, db)
		return
	case ReLU:
		for i, v := range a[:rows*wide] {
			if !(v > 0) {
				d[i] = 0
			}
		}
	case Leaky:
		for i, v := range a[:rows*wide] {
			if !(v > 0) {
				d[i] *= Leak
			}
		}
	case Sigmoid:
		for i, v := range a[:rows*wide] {
			d[i] *= v * (1 - v)
		}
	}
	kernel.ColumnSums(rows, wide, d, db)
}

// flip brings all transposed weights up to date.
func (s *stack) flip() {
	for i := range s.layers {
		s.layers[i].flip()
	}
}

// gatherRows copies rows of d columns to rows wide apart; the padding stays 0.
func gatherRows(to []float32, wide int, from []float32, d int, rows []int32) {
	for i, r := range rows {
		copy(to[i*wide:i*wide+d], from[int(r)*d:(int(r)+1)*d])
	}
}

func (s *stack) spans() []span {
	var out []span
	for i := range s.layers {
		l := &s.layers[i]
		if l.tied == nil {
			for j := range l.w.Panels() {
				at, width := l.w.Panel(j)
				u := span{from: l.at + at, to: l.at + at + width*l.w.Rows, w: &l.w, wt: &l.wt, panel: -1}
				if l.transpose {
					u.panel = j
				}
				out = append(out, u)
			}
		}
		rest := kernel.Pad(l.Out)
		if l.Norm {
			rest *= 3
		}
		out = append(out, span{from: l.bias, to: l.bias + rest, panel: -1})
	}
	return out
}
