package golearn

import (
	"math"

	"plumbline/numeric/onnx"
)

// Graph is the share of trees that vote for attack.
func (m *votingTrees) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	share := 1 / float64(len(m.roots))
	var list []onnx.Tree
	for _, root := range m.roots {
		var tree onnx.Tree
		var visit func(node int32) int
		visit = func(node int32) int {
			at := len(tree)
			if node < 0 {
				leaf := 0.0
				if node == attack {
					leaf = share
				}
				tree = append(tree, onnx.TreeNode{Column: -1, Leaf: []float64{leaf}})
				return at
			}
			n := &m.nodes[node]
			cut := onnx.FloatBelow(n.at)
			if float64(cut) == n.at { // rows below go left, not those on it
				cut = math.Nextafter32(cut, float32(math.Inf(-1)))
			}
			tree = append(tree, onnx.TreeNode{Column: int(n.column), Cut: cut})
			left := visit(n.left)
			right := visit(n.right)
			tree[at].Left, tree[at].Right = left, right
			return at
		}
		visit(root)
		list = append(list, tree)
	}
	return g.Squeeze(g.Trees(x, list, 1), 1), nil
}

// Graph is the probability of an attack.
func (m *bernoulli) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	above := g.Op("Greater", g.Cast(x, onnx.Double), g.Row(m.limit))
	odds := g.Sum(g.Op("Where", above, g.Row(m.set), g.Row(m.without)), 1, false)
	return g.Op("Sigmoid", g.Op("Add", odds, g.Scalar(m.prior))), nil
}
