package autoencoder

import (
	"fmt"
	"math"
	"slices"

	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/models/nn/graph"
	"plumbline/numeric/onnx"
)

// Graph is the reconstruction error.
func (a *ae) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return graph.ReconstructionErrors(g, a.net, a.p, x), nil
}

// Graph is that of the one-class model on the bottleneck, or the reconstruction error.
func (b *latentDetector) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	if b.oneClass == nil {
		return graph.ReconstructionErrors(g, b.net, b.p, x), nil
	}
	z := graph.Rounded(g, b.net, b.p, x, b.net.Latent)
	if b.scale != nil {
		most := g.Floats([]float32{nn.OverflowValue})
		z = g.Op("Mul", z, g.Floats(b.scale, len(b.scale)))
		z = g.Op("Max", g.Op("Min", z, most), g.Op("Neg", most))
	}
	out, err := models.Graph(b.oneClass, g, z)
	if err != nil {
		return "", fmt.Errorf("latent: %w", err)
	}
	return out, nil
}

// Graph is the distance from the nearest centre, in the bottleneck.
func (a *cae) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	z := graph.Rounded(g, a.net, a.p, x, a.net.Latent)
	k, d := len(a.centres), len(a.centres[0])
	apart := g.SquaredDistances(z, g.Floats(slices.Concat(a.centres...), k, d), g.Row(make([]float64, d)))
	far := g.Op("Sqrt", g.Reduce("ReduceMin", apart, 1, false))
	if a.spec.Score != "relative" {
		return far, nil
	}
	limits := slices.Clone(a.limits)
	for c, v := range limits {
		if v <= 0 { // no training row was there
			limits[c] = 1 / math.MaxFloat64
		}
	}
	own := g.Node("ArgMin", []onnx.Value{apart}, 1, onnx.Int("axis", 1), onnx.Flag("keepdims", false))[0]
	relative := g.Op("Div", far, g.Op("Gather", g.Doubles(limits, k), own))
	return g.Op("Min", relative, g.Scalar(math.MaxFloat32)), nil
}

// Graph has every row scored by the models of all clusters, and takes the score of its own.
func (a *partitioned) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	var scores []onnx.Value
	for k, det := range a.models {
		v, err := models.Graph(det, g, x)
		if err != nil {
			return "", fmt.Errorf("cluster %d: %w", k+1, err)
		}
		v = g.Op("Div", g.Op("Sub", g.Cast(v, onnx.Double), g.Scalar(a.shift[k])), g.Scalar(a.scale[k]))
		scores = append(scores, g.Unsqueeze(v, 1))
	}
	centres := a.clusters.Centres
	d := centres.D
	middle := make([]float64, d)
	for i, v := range centres.X {
		middle[i%d] += v / float64(centres.N)
	}
	apart := g.SquaredDistances(x, g.Doubles(centres.X, centres.N, d), g.Row(middle))
	nearest := g.Node("ArgMin", []onnx.Value{apart}, 1, onnx.Int("axis", 1), onnx.Flag("keepdims", true))[0]
	of := make([]int64, len(a.clusters.Of))
	for c, k := range a.clusters.Of {
		of[c] = int64(k)
	}
	own := g.Op("Gather", g.Ints(of, len(of)), nearest)
	return g.Squeeze(g.Node("GatherElements", []onnx.Value{g.Concat(1, scores...), own}, 1, onnx.Int("axis", 1))[0],
		1), nil
}
