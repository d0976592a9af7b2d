package neighbours

import (
	"math"

	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/neighbour"
	"plumbline/numeric/onnx"
)

// nearest adds the k nearest training rows of each row: their distances and numbers, n×k.
func nearest(g *onnx.Graph, x onnx.Value, ref *neighbour.Reference, k int) (distances, numbers onnx.Value) {
	return g.NearestRows(x, g.Floats(ref.X, ref.N, ref.D), ref.X, ref.N, ref.D, k)
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

func (m *birchState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	distances, _ := nearest(g, x, m.means, 1)
	return g.Squeeze(distances, 1), nil
}

func (m *dbscanState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	distances, _ := nearest(g, x, m.core, 1)
	return g.Op("Sub", g.Squeeze(distances, 1), g.Scalar(m.eps)), nil
}

// Graph is that of the judge, where it has one.
func (l learned) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	if e, ok := l.judge.(models.Exporter); ok {
		return e.Graph(g, x)
	}
	return "", models.ErrNoGraph
}

// Graph is the negative variance of the products of the differences to pairs of neighbours, each over its squared
// length. A neighbour that is a copy of the row takes part in no pair.
func (m *abodState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	_, numbers := nearest(g, x, m.ref, m.k)
	near := g.Cast(g.Op("Gather", g.Floats(m.ref.X, m.ref.N, m.ref.D), numbers), onnx.Double)
	to := g.Op("Sub", near, g.Unsqueeze(g.Cast(x, onnx.Double), 1))
	squares := g.Sum(g.Square(to), 2, true)
	zero, one := g.Scalar(0), g.Scalar(1)
	copies := g.Op("Equal", squares, zero)
	to = g.Op("Div", to, g.Op("Where", copies, one, squares))
	across := g.Node("Transpose", []onnx.Value{to}, 1, onnx.Ints("perm", 0, 2, 1))[0]
	products := g.Op("MatMul", to, across) // rows × k × k
	pairs := make([]float64, m.k*m.k)
	for a := range m.k {
		for b := range a {
			pairs[a*m.k+b] = 1
		}
	}
	there := g.Op("Where", copies, zero, one) // rows × k × 1
	both := g.Op("Mul", there, g.Node("Transpose", []onnx.Value{there}, 1, onnx.Ints("perm", 0, 2, 1))[0])
	weight := g.Op("Mul", g.Doubles(pairs, m.k, m.k), both)
	total := func(v onnx.Value) onnx.Value { return g.Sum(g.Sum(v, 2, true), 1, true) }
	count := total(weight)
	some := g.Op("Max", count, one)
	mean := g.Op("Div", total(g.Op("Mul", weight, products)), some)
	spread := total(g.Op("Mul", weight, g.Square(g.Op("Sub", products, mean))))
	score := g.Op("Neg", g.Op("Div", spread, some))
	score = g.Op("Where", g.Op("Less", count, g.Scalar(2)), zero, score)
	return g.Reshape(score, -1), nil
}

// Graph takes, of each sample, what the smallest ball says that holds the row. A row on the edge of a ball is in it,
// also where products of matrices round its distance up.
func (m *inneState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	n := len(m.squares)
	samples := n / m.psi
	shift, reach := make([]float64, m.d), make([]float64, n)
	for i, v := range m.centres {
		shift[i%m.d] += float64(v) / float64(n)
	}
	for i, v := range m.squares {
		reach[i] = v*(1+1e-9) + 1e-12
		if v == 0 { // a copy of another centre: rows at it are in it
			reach[i] = 1e-12
		}
	}
	apart := g.SquaredDistances(x, g.Floats(m.centres, n, m.d), g.Row(shift))
	outside := g.Op("Greater", apart, g.Row(reach))
	size := g.Op("Where", outside, g.Scalar(math.MaxFloat64), g.Row(m.squares))
	size = g.Reshape(size, -1, int64(samples), int64(m.psi))
	best := g.Node("ArgMin", []onnx.Value{size}, 1, onnx.Int("axis", 2), onnx.Flag("keepdims", false))[0]
	first := make([]int64, samples)
	for t := range first {
		first[t] = int64(t * m.psi)
	}
	found := g.Op("Gather", g.Doubles(m.isolation, n), g.Op("Add", best, g.Ints(first, samples)))
	none := g.Op("Equal", g.Reduce("ReduceMin", size, 2, false), g.Scalar(math.MaxFloat64))
	return g.Reduce("ReduceMean", g.Op("Where", none, g.Scalar(1), found), 1, false), nil
}

// Graph is the distance to the nearest group: by ward to its mean, else to its rows.
func (m *hierarchicalState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	n := len(m.sizes)
	var points onnx.Value
	shift := make([]float64, m.d)
	if m.by == cluster.WardLinkage {
		for i, v := range m.means {
			shift[i%m.d] += v / float64(n)
		}
		points = g.Doubles(m.means, n, m.d)
	} else {
		for i, v := range m.x {
			shift[i%m.d] += float64(v) * float64(m.d) / float64(len(m.x))
		}
		points = g.Floats(m.x, len(m.x)/m.d, m.d)
	}
	apart := g.SquaredDistances(x, points, g.Row(shift))
	if m.by == cluster.WardLinkage {
		factor := make([]float64, n)
		for i, size := range m.sizes {
			factor[i] = 2 * float64(size) / (float64(size) + 1)
		}
		return g.Op("Sqrt", g.Reduce("ReduceMin", g.Op("Mul", apart, g.Row(factor)), 1, false)), nil
	}
	apart = g.Op("Sqrt", apart)
	var groups []onnx.Value
	first := int64(0)
	for _, size := range m.sizes {
		rows := make([]int64, size)
		for i := range rows {
			rows[i] = first + int64(i)
		}
		first += int64(size)
		op := map[cluster.Linkage]string{cluster.AverageLinkage: "ReduceMean", cluster.CompleteLinkage: "ReduceMax",
			cluster.SingleLinkage: "ReduceMin"}[m.by]
		groups = append(groups, g.Reduce(op, g.Gather(apart, 1, rows...), 1, true))
	}
	return g.Reduce("ReduceMin", g.Concat(1, groups...), 1, false), nil
}
