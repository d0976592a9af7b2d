package supervised

import (
	"fmt"
	"math"

	"plumbline/models"
	"plumbline/models/nn/graph"
	"plumbline/numeric/elementary"
	"plumbline/numeric/onnx"
	"plumbline/numeric/trees"
)

// exporter is a classifier that operators of ONNX can compute.
type exporter interface {
	// probabilityGraph gives n×k class probabilities in float64.
	probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error)
}

// Graph is the probability of an attack, of whatever class.
func (j *judge) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	e, ok := j.of.(exporter)
	if !ok {
		return "", models.ErrNoGraph
	}
	p, err := e.probabilityGraph(g, x)
	if err != nil {
		return "", err
	}
	k := len(j.classes)
	if len(j.curves) > 0 {
		if p, err = correctedGraph(g, j.curves, p, k); err != nil {
			return "", err
		}
	}
	attacks := make([]int64, k-1)
	for c := range attacks {
		attacks[c] = int64(c + 1)
	}
	return g.Op("Min", g.Sum(g.Gather(p, 1, attacks...), 1, false), g.Scalar(1)), nil
}

// correctedGraph is applyCurves.
func correctedGraph(g *onnx.Graph, curves []curve, p onnx.Value, k int) (onnx.Value, error) {
	var columns []onnx.Value
	for c, of := range curves {
		at := c
		if k == 2 {
			at = 1
		}
		column := g.Gather(p, 1, int64(at))
		if len(of.y) == 0 {
			margin := g.Op("Add", g.Op("Mul", column, g.Scalar(of.x[0])), g.Scalar(of.x[1]))
			columns = append(columns, g.Op("Sigmoid", g.Op("Neg", margin)))
			continue
		}
		columns = append(columns, brokenLine(g, column, of.x, of.y))
	}
	if k == 2 {
		return g.Concat(1, g.Op("Sub", g.Scalar(1), columns[0]), columns[0]), nil
	}
	all := g.Concat(1, columns...)
	sum := g.Sum(all, 1, true)
	none := g.Op("Equal", sum, g.Scalar(0))
	share := g.Op("Div", all, g.Op("Where", none, g.Scalar(1), sum))
	return g.Op("Where", none, g.Scalar(1/float64(k)), share), nil
}

// brokenLine is linear between points with ascending x, and constant outside; v is n×1.
func brokenLine(g *onnx.Graph, v onnx.Value, x, y []float64) onnx.Value {
	n := len(x)
	xs, ys := g.Doubles(x, n), g.Doubles(y, n)
	right := g.Sum(g.Cast(g.Op("Less", xs, v), onnx.Double), 1, true) // points below v
	last := g.Scalar(float64(n - 1))
	left := g.Op("Min", g.Op("Max", g.Op("Sub", right, g.Scalar(1)), g.Scalar(0)), last)
	next := g.Op("Min", right, last)
	pick := func(of, at onnx.Value) onnx.Value { return g.Op("Gather", of, g.Cast(at, onnx.Int64)) }
	xa, xb, ya, yb := pick(xs, left), pick(xs, next), pick(ys, left), pick(ys, next)
	width := g.Op("Sub", xb, xa)
	flat := g.Op("Equal", width, g.Scalar(0)) // outside
	share := g.Op("Div", g.Op("Sub", v, xa), g.Op("Where", flat, g.Scalar(1), width))
	return g.Op("Where", flat, ya, g.Op("Add", ya, g.Op("Mul", share, g.Op("Sub", yb, ya))))
}

// softmaxGraph is softmax of n×functions margins in float64.
func softmaxGraph(g *onnx.Graph, margins onnx.Value, k int) onnx.Value {
	if k == 2 {
		p := g.Op("Sigmoid", margins)
		return g.Concat(1, g.Op("Sub", g.Scalar(1), p), p)
	}
	return g.Node("Softmax", []onnx.Value{margins}, 1, onnx.Int("axis", 1))[0]
}

func (m *linear) probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	nf := functions(m.k)
	across, offset := make([]float64, m.d*nf), make([]float64, nf)
	for f := range nf {
		w := m.w[f*(m.d+1) : (f+1)*(m.d+1)]
		offset[f] = w[m.d]
		for j := range m.d {
			across[j*nf+f] = w[j]
		}
	}
	product := g.Op("MatMul", g.Cast(x, onnx.Double), g.Doubles(across, m.d, nf))
	return softmaxGraph(g, g.Op("Add", product, g.Row(offset)), m.k), nil
}

// exported is a tree whose leaves say leaf, with targets values.
func exported(t *trees.Tree, leaf func(node int) []float64) (onnx.Tree, error) {
	if t.Category != nil {
		return nil, models.NoGraph("its trees split categories into sets, and those of ONNX numbers at a cut: take the " +
			"step onehot")
	}
	out := make(onnx.Tree, len(t.Column))
	for q := range out {
		n := onnx.TreeNode{Column: int(t.Column[q]), Left: int(t.Left[q]), Right: int(t.Right[q])}
		if n.Column < 0 {
			n.Leaf = leaf(q)
		} else {
			n.Cut, n.MissingLeft = onnx.FloatBelow(t.At[q]), t.Missing != nil && t.Missing[q]
		}
		out[q] = n
	}
	return out, nil
}

// treeSums is the sum of what the leaves of trees say, n×targets, in float64.
func treeSums(g *onnx.Graph, x onnx.Value, list []*trees.Tree, targets int,
	leaf func(t, node int) []float64) (onnx.Value, error) {
	all := make([]onnx.Tree, len(list))
	for t, tree := range list {
		var err error
		if all[t], err = exported(tree, func(node int) []float64 { return leaf(t, node) }); err != nil {
			return "", err
		}
	}
	return g.Cast(g.Trees(x, all, targets), onnx.Double), nil
}

func (m *votes) probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return treeSums(g, x, m.trees, m.k, func(t, node int) []float64 {
		out := make([]float64, m.k)
		for c := range out {
			out[c] = m.trees[t].Value[node*m.k+c] / float64(len(m.trees))
		}
		return out
	})
}

func (m *boosted) probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	nf := functions(m.k)
	sums, err := treeSums(g, x, m.trees, nf, func(t, node int) []float64 {
		out := make([]float64, nf)
		out[t%nf] = m.trees[t].Value[node]
		return out
	})
	return softmaxGraph(g, g.Op("Add", sums, g.Row(m.start)), m.k), err
}

func (m *samme) probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	all := 0.0
	for _, a := range m.alpha {
		all += a
	}
	f, err := treeSums(g, x, m.trees, m.k, func(t, node int) []float64 {
		out, p := make([]float64, m.k), m.trees[t].Value[node*m.k:]
		best := 0
		for c := range m.k {
			if p[c] > p[best] {
				best = c
			}
		}
		out[best] = m.alpha[t] / all / float64(m.k-1)
		return out
	})
	return softmaxGraph(g, differences(g, f, m.k), m.k), err
}

// differences is the one margin of two classes, that of the second less that of the first.
func differences(g *onnx.Graph, f onnx.Value, k int) onnx.Value {
	if k > 2 {
		return f
	}
	return g.Op("Sub", g.Gather(f, 1, 1), g.Gather(f, 1, 0))
}

func (m *normals) probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	x = g.Cast(x, onnx.Double)
	var columns []onnx.Value
	for c := range m.k {
		mean, variance := m.mean[c*m.d:(c+1)*m.d], m.variance[c*m.d:(c+1)*m.d]
		constant := m.prior[c]
		for _, v := range variance {
			constant -= 0.5 * elementary.Log(2*math.Pi*v)
		}
		squares := g.Op("Div", g.Square(g.Op("Sub", x, g.Row(mean))), g.Row(variance))
		sum := g.Op("Mul", g.Sum(squares, 1, true), g.Scalar(-0.5))
		columns = append(columns, g.Op("Add", sum, g.Scalar(constant)))
	}
	return softmaxGraph(g, differences(g, g.Concat(1, columns...), m.k), m.k), nil
}

func (m *perceptron) probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return softmaxGraph(g, g.Cast(graph.Dense(g, m.net, m.p, x, 0), onnx.Double), m.k), nil
}

func (m *machines) probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	n := len(m.rows) / m.d
	apart := g.SquaredDistances(x, g.Floats(m.rows, n, m.d), g.Row(m.shift))
	values := g.Op("Exp", g.Op("Mul", apart, g.Scalar(-m.gamma)))
	nf := len(m.beta)
	across := make([]float64, n*nf)
	for f, beta := range m.beta {
		for i, b := range beta {
			across[i*nf+f] = b
		}
	}
	margins := g.Op("Sub", g.Op("MatMul", values, g.Doubles(across, n, nf)), g.Row(m.offset))
	return softmaxGraph(g, margins, m.k), nil
}

// Graph is the mean of the members' scores or votes.
func (m *members) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	var scores []onnx.Value
	for i, det := range m.models {
		see := x
		if m.columns[i] != nil {
			columns := make([]int64, len(m.columns[i]))
			for k, j := range m.columns[i] {
				columns[k] = int64(j)
			}
			see = g.Gather(x, 1, columns...)
		}
		v, err := models.Graph(det, g, see)
		if err != nil {
			return "", fmt.Errorf("member %d: %w", i+1, err)
		}
		v = g.Cast(v, onnx.Double)
		if m.hard {
			v = g.Op("Where", g.Op("Greater", v, g.Scalar(0.5)), g.Scalar(1), g.Scalar(0))
		}
		scores = append(scores, g.Unsqueeze(v, 1))
	}
	return g.Reduce("ReduceMean", g.Concat(1, scores...), 1, false), nil
}

// Graph is the joint model on the members' scores.
func (m *stack) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	var scores []onnx.Value
	for i, det := range m.models {
		v, err := models.Graph(det, g, x)
		if err != nil {
			return "", fmt.Errorf("member %d: %w", i+1, err)
		}
		v = g.Op("Mul", g.Op("Sub", g.Cast(v, onnx.Double), g.Scalar(m.mean[i])), g.Scalar(m.unit[i]))
		scores = append(scores, g.Unsqueeze(v, 1))
	}
	p, err := m.joint.probabilityGraph(g, g.Cast(g.Concat(1, scores...), onnx.Float))
	return g.Squeeze(g.Gather(p, 1, 1), 1), err
}

// probabilityGraph takes candidates from products of matrices, and their distances from differences, so that a copy
// of a training row is at distance 0.
func (m *voters) probabilityGraph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	rows := g.Floats(m.ref.X, m.ref.N, m.ref.D)
	distances, numbers := g.NearestRows(x, rows, m.ref.X, m.ref.N, m.ref.D, m.k)
	votes := make([]float64, len(m.y)*m.classes)
	for i, c := range m.y {
		votes[i*m.classes+int(c)] = m.w[i]
	}
	cast := g.Op("Gather", g.Doubles(votes, len(m.y), m.classes), numbers) // rows × k × classes
	if m.inverse {
		first := g.Gather(distances, 1, 0)
		equal := g.Op("Equal", first, g.Scalar(0))
		apart := g.Op("Greater", distances, g.Scalar(0))
		share := g.Op("Div", first, g.Op("Where", apart, distances, g.Scalar(1)))
		alike := g.Op("Where", apart, g.Scalar(0), g.Scalar(1))
		cast = g.Op("Mul", cast, g.Unsqueeze(g.Op("Where", equal, alike, share), 2))
	}
	sums := g.Sum(cast, 1, false)
	return g.Op("Div", sums, g.Sum(sums, 1, true)), nil
}
