// Package graph writes trained networks as ONNX graphs: stacks of dense layers, and recurrent ones under a dense head.
// What is made of what they give is that of the detectors.
package graph

import (
	"plumbline/models/nn"
	"plumbline/numeric/onnx"
)

// Dense adds the first depth layers (0: all) of a network as it scores, for rows x in float32, and gives their output.
func Dense(g *onnx.Graph, net nn.Network, p nn.Params, x onnx.Value, depth int) onnx.Value {
	layers, weights := net.Folded(p)
	if depth > 0 {
		layers = layers[:depth]
	}
	for i, l := range layers {
		w, b := g.Floats(weights[i][0], l.Out, l.In), g.Floats(weights[i][1], l.Out)
		x = activate(g, g.Node("Gemm", []onnx.Value{x, w, b}, 1, onnx.Flag("transB", true))[0], l.Activation)
	}
	return x
}

func activate(g *onnx.Graph, x onnx.Value, a nn.Activation) onnx.Value {
	switch a {
	case nn.Tanh:
		return g.Op("Tanh", x)
	case nn.ReLU:
		return g.Op("Relu", x)
	case nn.Sigmoid:
		return g.Op("Sigmoid", x)
	case nn.Leaky:
		return g.Node("LeakyRelu", []onnx.Value{x}, 1, onnx.Number("alpha", nn.Leak))[0]
	}
	return x
}

// ReconstructionErrors adds the whole network and gives the mean of the squared differences between rows and what it
// makes of them, in float64.
func ReconstructionErrors(g *onnx.Graph, net nn.Network, p nn.Params, x onnx.Value) onnx.Value {
	rest := g.Op("Sub", x, Dense(g, net, p, x, 0))
	return g.Reduce("ReduceMean", g.Square(g.Cast(rest, onnx.Double)), 1, false)
}
