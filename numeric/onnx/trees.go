package onnx

import "math"

// Tree is a decision tree for [Graph.Trees]: nodes by number, the root first. A node with Column ≥ 0 sends rows with
// x[Column] ≤ Cut to Left, the others to Right, and values that are missing to Left where MissingLeft is set. A node
// with Column −1 is a leaf with Leaf, one value for each output.
type Tree []TreeNode

// TreeNode is one node of a [Tree].
type TreeNode struct {
	Column      int
	Cut         float32
	Left, Right int
	MissingLeft bool
	Leaf        []float64
}

// Trees is, for each row of x (float32), the sum over the trees of their leaves' values, n×targets, in float32.
func (g *Graph) Trees(x Value, trees []Tree, targets int) Value {
	var (
		treeIDs, nodeIDs, columns, yes, no, missing []int64
		leafTrees, leafNodes, leafTargets           []int64
		cuts, weights                               []float32
		modes                                       []string
	)
	for t, tree := range trees {
		for i, n := range tree {
			treeIDs, nodeIDs = append(treeIDs, int64(t)), append(nodeIDs, int64(i))
			cuts = append(cuts, n.Cut)
			track := int64(0)
			if n.MissingLeft {
				track = 1
			}
			missing = append(missing, track)
			if n.Column >= 0 {
				modes = append(modes, "BRANCH_LEQ")
				columns, yes, no = append(columns, int64(n.Column)), append(yes, int64(n.Left)), append(no, int64(n.Right))
				continue
			}
			modes = append(modes, "LEAF")
			columns, yes, no = append(columns, 0), append(yes, 0), append(no, 0)
			if len(n.Leaf) != targets {
				g.fail("a leaf of %d values for %d targets", len(n.Leaf), targets)
			}
			for k, v := range n.Leaf {
				leafTrees, leafNodes = append(leafTrees, int64(t)), append(leafNodes, int64(i))
				leafTargets, weights = append(leafTargets, int64(k)), append(weights, float32(v))
			}
		}
	}
	return g.ML("TreeEnsembleRegressor", []Value{x}, 1,
		Text("aggregate_function", "SUM"), Text("post_transform", "NONE"), Int("n_targets", int64(targets)),
		Ints("nodes_treeids", treeIDs...), Ints("nodes_nodeids", nodeIDs...), Ints("nodes_featureids", columns...),
		Numbers("nodes_values", cuts...), Texts("nodes_modes", modes...),
		Ints("nodes_truenodeids", yes...), Ints("nodes_falsenodeids", no...),
		Ints("nodes_missing_value_tracks_true", missing...),
		Ints("target_treeids", leafTrees...), Ints("target_nodeids", leafNodes...),
		Ints("target_ids", leafTargets...), Numbers("target_weights", weights...))[0]
}

// Steps is a [Tree] of one column's step function: leaf gives the values of step f(v), and f, which must not fall, is
// evaluated at float32 values alone, from the least to the largest. The tree has every step that f has.
func Steps(column int, f func(v float32) int, leaf func(step int) []float64) Tree {
	type piece struct {
		step int
		last uint32 // in the order of all float32 values, the last of the piece
	}
	var pieces []piece
	// first..last are places in that order, of which f has the steps from and to.
	var find func(first, last uint32, from, to int)
	find = func(first, last uint32, from, to int) {
		if from == to {
			if n := len(pieces); n > 0 && pieces[n-1].step == from {
				pieces[n-1].last = last
			} else {
				pieces = append(pieces, piece{from, last})
			}
			return
		}
		mid := first + (last-first)/2
		if mid == first { // two neighbours
			find(first, first, from, from)
			find(last, last, to, to)
			return
		}
		at := f(floatAt(mid))
		find(first, mid, from, at)
		if mid+1 <= last {
			find(mid+1, last, f(floatAt(mid+1)), to)
		}
	}
	least, most := placeOf(-math.MaxFloat32), placeOf(math.MaxFloat32)
	find(least, most, f(-math.MaxFloat32), f(math.MaxFloat32))
	var tree Tree
	var halve func(lo, hi int) int
	halve = func(lo, hi int) int {
		at := len(tree)
		if lo+1 == hi {
			tree = append(tree, TreeNode{Column: -1, Leaf: leaf(pieces[lo].step)})
			return at
		}
		mid := (lo + hi) / 2
		tree = append(tree, TreeNode{Column: column, Cut: floatAt(pieces[mid-1].last)})
		left := halve(lo, mid)
		right := halve(mid, hi)
		tree[at].Left, tree[at].Right = left, right
		return at
	}
	halve(0, len(pieces))
	return tree
}

// placeOf is the place of a float32 among all, by value.
func placeOf(v float32) uint32 {
	if b := math.Float32bits(v); b>>31 == 0 {
		return b | 1<<31
	} else {
		return ^b
	}
}

// floatAt is the float32 at a place.
func floatAt(place uint32) float32 {
	if place>>31 == 1 {
		return math.Float32frombits(place &^ (1 << 31))
	}
	return math.Float32frombits(^place)
}
