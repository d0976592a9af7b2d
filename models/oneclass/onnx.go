package oneclass

import (
	"math"

	"plumbline/numeric/onnx"
	"plumbline/numeric/similarity"
)

// kernelValues are K(x_i, p_j), n×m, in float64; shift is in the middle of the points, nil for none.
func kernelValues(g *onnx.Graph, x, points onnx.Value, f similarity.Function, shift []float64) onnx.Value {
	if f.Kind == similarity.RBF {
		return g.Op("Exp", g.Op("Mul", g.SquaredDistances(x, points, g.Row(shift)), g.Scalar(-f.Gamma)))
	}
	across := g.Node("Transpose", []onnx.Value{g.Cast(points, onnx.Double)}, 1, onnx.Ints("perm", 1, 0))[0]
	v := g.Op("MatMul", g.Cast(x, onnx.Double), across)
	switch f.Kind {
	case similarity.Poly:
		base := g.Op("Add", g.Op("Mul", v, g.Scalar(f.Gamma)), g.Scalar(f.Offset))
		for v = base; f.Degree > 1; f.Degree-- {
			v = g.Op("Mul", v, base)
		}
	case similarity.Sigmoid:
		v = g.Op("Tanh", g.Op("Add", g.Op("Mul", v, g.Scalar(f.Gamma)), g.Scalar(f.Offset)))
	}
	return v
}

// beyond is ρ less the products of rows with w.
func beyond(g *onnx.Graph, rows onnx.Value, w []float64, rho float64) onnx.Value {
	return g.Op("Sub", g.Scalar(rho), g.Squeeze(g.Op("MatMul", rows, g.Doubles(w, len(w), 1)), 1))
}

func (m *ocsvmState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	n := len(m.alpha)
	values := kernelValues(g, x, g.Floats(m.sv, n, len(m.sv)/n), m.f, m.shift)
	return beyond(g, values, m.alpha, m.rho), nil
}

func (m *nystromState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	n := m.landmarks.N
	return beyond(g, kernelValues(g, x, g.Floats(m.x, n, m.landmarks.D), m.landmarks.F, m.shift), m.weights, m.rho), nil
}

func (m *rffState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	size, d := m.size(), len(m.shift)
	z := g.Op("Sub", g.Cast(x, onnx.Double), g.Row(m.shift))
	across := make([]float64, len(m.directions))
	for i := range size {
		for j := range d {
			across[j*size+i] = m.directions[i*d+j]
		}
	}
	turned := g.Op("Add", g.Op("MatMul", z, g.Doubles(across, d, size)), g.Row(m.phases))
	// the runtime has cosines of float32 alone: an angle is brought to one turn first, where these are exact enough
	turn := g.Scalar(2 * math.Pi)
	turned = g.Op("Sub", turned, g.Op("Mul", g.Op("Floor", g.Op("Div", turned, turn)), turn))
	features := g.Op("Mul", cosine(g, turned), g.Scalar(math.Sqrt(2/float64(size))))
	return beyond(g, features, m.w, m.rho), nil
}

func (m *sgdState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return beyond(g, g.Op("Mul", g.Cast(x, onnx.Double), g.Scalar(m.by)), m.w, m.rho), nil
}

// cosine is cos v for v from 0 to 2π in float64, by the Taylor series of the quarter of v around π: cos v is
// 8y⁴ − 8y² + 1 with y = cos(v/4), and cos(v/4) = √½·(cos u − sin u) with u = v/4 − π/4, within ±π/4.
func cosine(g *onnx.Graph, v onnx.Value) onnx.Value {
	u := g.Op("Sub", g.Op("Mul", v, g.Scalar(0.25)), g.Scalar(math.Pi/4))
	square := g.Square(u)
	series := func(first int) onnx.Value { // Σ (−1)^k u^(2k)/(2k+first)!
		const last = 9
		var sum onnx.Value
		for k := last; k >= 0; k-- {
			term := 1.0
			for i := 2; i <= 2*k+first; i++ {
				term /= float64(i)
			}
			if k%2 == 1 {
				term = -term
			}
			if sum == "" {
				sum = g.Scalar(term)
			} else {
				sum = g.Op("Add", g.Op("Mul", sum, square), g.Scalar(term))
			}
		}
		return sum
	}
	y := g.Op("Mul", g.Op("Sub", series(0), g.Op("Mul", u, series(1))), g.Scalar(math.Sqrt(0.5)))
	y = g.Square(y)
	return g.Op("Add", g.Op("Mul", g.Op("Mul", y, g.Scalar(8)), g.Op("Sub", y, g.Scalar(1))), g.Scalar(1))
}
