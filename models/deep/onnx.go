package deep

import (
	"math"

	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/models/nn/graph"
	"plumbline/numeric/elementary"
	"plumbline/numeric/onnx"
)

// fromCentre is ‖φ(x) − c‖² of each row.
func fromCentre(g *onnx.Graph, net nn.Network, p nn.Params, c []float64, x onnx.Value) onnx.Value {
	z := g.Cast(graph.Dense(g, net, p, x, 0), onnx.Double)
	return g.Sum(g.Square(g.Op("Sub", z, g.Row(c))), 1, false)
}

func (m *deepSVDD) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return g.Op("Sub", fromCentre(g, m.net, m.p, m.centre, x), g.Scalar(m.radius)), nil
}

func (m *deepSAD) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return fromCentre(g, m.net, m.p, m.centre, x), nil
}

func (m *devNet) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	y := g.Squeeze(g.Cast(graph.Dense(g, m.net, m.p, x, 0), onnx.Double), 1)
	return g.Op("Div", g.Op("Sub", y, g.Scalar(m.goal.Mean)), g.Scalar(m.goal.Sd)), nil
}

// Graph is the energy, of the bottleneck and of how far the reconstruction is from the row.
func (m *dagmm) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	net, p := m.compression()
	z, y := graph.Dense(g, net, p, x, m.net.Latent), graph.Dense(g, net, p, x, 0)
	a, b := g.Cast(x, onnx.Double), g.Cast(y, onnx.Double)
	norm := func(v onnx.Value) onnx.Value { return g.Op("Sqrt", g.Sum(g.Square(v), 1, true)) }
	least := g.Scalar(nn.BridgeFloor)
	nx, ny := g.Op("Max", norm(a), least), g.Op("Max", norm(b), least)
	far := g.Op("Div", norm(g.Op("Sub", a, b)), nx)
	turn := g.Op("Div", g.Sum(g.Op("Mul", a, b), 1, true), g.Op("Mul", nx, ny))
	f := g.Cast(g.Cast(g.Concat(1, g.Cast(z, onnx.Double), far, turn), onnx.Float), onnx.Double)
	d := m.net.Bottleneck() + nn.BridgeColumns
	var logs []onnx.Value
	for _, c := range m.mix {
		if c.share == 0 {
			continue
		}
		across := make([]float64, d*d)
		for i := range d {
			for j := range i + 1 {
				across[j*d+i] = c.g.W[i*d+j]
			}
		}
		v := g.Op("MatMul", g.Op("Sub", f, g.Row(c.mean)), g.Doubles(across, d, d))
		constant := elementary.Log(c.share) + c.g.LogDet - float64(d)/2*elementary.Log(2*math.Pi)
		half := g.Op("Mul", g.Sum(g.Square(v), 1, true), g.Scalar(-0.5))
		logs = append(logs, g.Op("Add", half, g.Scalar(constant)))
	}
	return g.Op("Neg", g.LogSumExp(g.Concat(1, logs...))), nil
}

func (m *dif) Graph(*onnx.Graph, onnx.Value) (onnx.Value, error) {
	return "", models.NoGraph("its score counts how far a row is from the cuts on its way, which trees of ONNX do not say")
}
