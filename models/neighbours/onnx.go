package neighbours

import (
	"plumbline/numeric/neighbour"
	"plumbline/numeric/onnx"
)

// nearest adds the k nearest training rows of each row: their numbers, n×k, and distances in float64, n×k, by rising
// distance and number. Candidates come from products of matrices; their distances are then taken from differences, so
// that a copy of a training row is at distance 0.
func nearest(g *onnx.Graph, x onnx.Value, ref *neighbour.Reference, k int) (distances, numbers onnx.Value) {
	rows := g.Floats(ref.X, ref.N, ref.D)
	shift := make([]float64, ref.D)
	for i, v := range ref.X {
		shift[i%ref.D] += float64(v) / float64(ref.N)
	}
	_, candidates := g.Smallest(g.SquaredDistances(x, rows, g.Row(shift)), min(ref.N, 2*k+16))
	candidates, _ = g.Smallest(candidates, min(ref.N, 2*k+16)) // by number, which decides among equals
	found := g.Cast(g.Op("Gather", rows, candidates), onnx.Double)
	apart := g.Sum(g.Square(g.Op("Sub", found, g.Unsqueeze(g.Cast(x, onnx.Double), 1))), 2, false)
	squares, at := g.Smallest(apart, k)
	numbers = g.Node("GatherElements", []onnx.Value{candidates, at}, 1, onnx.Int("axis", 1))[0]
	return g.Op("Sqrt", squares), numbers
}

func (m *knnState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	distances, _ := nearest(g, x, m.ref, m.k)
	switch m.distance {
	case "mean":
		return g.Reduce("ReduceMean", distances, 1, false), nil
	case "median":
		middle := g.Gather(distances, 1, int64((m.k-1)/2), int64(m.k/2))
		return g.Reduce("ReduceMean", middle, 1, false), nil
	}
	return g.Squeeze(g.Gather(distances, 1, int64(m.k-1)), 1), nil
}

func (m *lofState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	distances, numbers := nearest(g, x, m.ref, m.k)
	reach := g.Op("Max", distances, g.Op("Gather", g.Doubles(m.kdist, len(m.kdist)), numbers))
	// mean of lrd(o)/lrd(p), with 1/lrd(p) = mean reach + 1e-10
	inverse := g.Op("Add", g.Reduce("ReduceMean", reach, 1, false), g.Scalar(1e-10))
	theirs := g.Reduce("ReduceMean", g.Op("Gather", g.Doubles(m.lrd, len(m.lrd)), numbers), 1, false)
	return g.Op("Mul", theirs, inverse), nil
}
