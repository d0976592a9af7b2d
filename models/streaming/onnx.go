package streaming

import "plumbline/numeric/onnx"

// Graph is the error of the last auto-encoder, on the errors of those of the groups.
func (m *kit) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	v := m.scale.graph(g, g.Cast(x, onnx.Double))
	var errors []onnx.Value
	for k, a := range m.small {
		columns := make([]int64, len(m.groups[k]))
		for i, j := range m.groups[k] {
			columns[i] = int64(j)
		}
		errors = append(errors, a.graph(g, g.Gather(v, 1, columns...)))
	}
	return g.Squeeze(m.last.graph(g, m.errors.graph(g, g.Concat(1, errors...))), 1), nil
}

// graph is one of every column.
func (e extremes) graph(g *onnx.Graph, v onnx.Value) onnx.Value {
	side := make([]float64, len(e.low))
	for j := range side {
		if side[j] = e.high[j] - e.low[j]; side[j] <= 0 {
			side[j] = 1
		}
	}
	v = g.Op("Div", g.Op("Sub", v, g.Row(e.low)), g.Row(side))
	return g.Op("Max", g.Op("Min", v, g.Scalar(1e60)), g.Scalar(-1e60))
}

// graph is error, n×1.
func (a *tied) graph(g *onnx.Graph, v onnx.Value) onnx.Value {
	w := g.Doubles(a.w, a.n, a.h)
	across := g.Node("Transpose", []onnx.Value{w}, 1, onnx.Ints("perm", 1, 0))[0]
	y := g.Op("Sigmoid", g.Op("Add", g.Op("MatMul", v, w), g.Row(a.b)))
	z := g.Op("Sigmoid", g.Op("Add", g.Op("MatMul", y, across), g.Row(a.c)))
	return g.Op("Sqrt", g.Reduce("ReduceMean", g.Square(g.Op("Sub", v, z)), 1, true))
}
