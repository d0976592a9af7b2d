package cluster

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func clouds(n, d int, seed uint64) [][]float32 {
	r := rand.New(rand.NewPCG(seed, 3))
	x := make([][]float32, n)
	for i := range x {
		x[i] = make([]float32, d)
		for j := range x[i] {
			x[i][j] = float32(10*(i%3)) + float32(r.NormFloat64())
		}
	}
	return x
}

// TestTreeHoldsItsRows: whatever the radius and the size of nodes, leaves hold every row once, subclusters are no
// wider than the radius, an entry is the sum of what is below it, nodes are no larger than they may be, and all
// leaves are equally deep.
func TestTreeHoldsItsRows(t *testing.T) {
	x := clouds(900, 4, 1)
	for _, radius := range []float64{0, 0.5, 1.5, 100} {
		for _, branching := range []int{2, 3, 50} {
			tree, err := Birch(context.Background(), x, radius, branching, 5000)
			if err != nil {
				t.Fatal(err)
			}
			if tree.Threshold != radius {
				t.Fatalf("radius %v became %v", radius, tree.Threshold)
			}
			leaves := 0
			depth := -1
			var walk func(n *cfNode, at int) *feature
			walk = func(n *cfNode, at int) *feature {
				if len(n.entries) > branching || len(n.entries) == 0 {
					t.Fatalf("a node of %d entries", len(n.entries))
				}
				if n.leaf {
					if depth < 0 {
						depth = at
					}
					if at != depth {
						t.Fatalf("leaves at depth %d and %d", depth, at)
					}
					leaves += len(n.entries)
				}
				for _, f := range n.entries {
					if n.leaf {
						none := &feature{sum: make([]float64, 4)}
						if r := math.Sqrt(f.squaredRadius(none)); r > radius+1e-6 {
							t.Fatalf("a subcluster of radius %v, at most %v", r, radius)
						}
						continue
					}
					below := walk(f.child, at+1)
					if below.n != f.n || math.Abs(below.square-f.square) > 1e-6*f.square {
						t.Fatalf("an entry of %v rows stands for %v", f.n, below.n)
					}
				}
				return n.total()
			}
			all := walk(tree.root, 0)
			var sum, square float64
			for _, row := range x {
				for _, v := range row {
					sum += float64(v)
					square += float64(v) * float64(v)
				}
			}
			total := all.sum[0] + all.sum[1] + all.sum[2] + all.sum[3]
			if all.n != 900 || math.Abs(total-sum) > 1e-6*math.Abs(sum) || math.Abs(all.square-square) > 1e-6*square {
				t.Errorf("radius %v, nodes of %d: %v rows with sum %v and squares %v, want 900, %v, %v",
					radius, branching, all.n, total, all.square, sum, square)
			}
			if leaves != tree.leaves || len(tree.Means()) != leaves {
				t.Errorf("%d subclusters, counted %d", leaves, tree.leaves)
			}
			if radius == 0 && leaves != 900 || radius == 100 && leaves != 1 {
				t.Errorf("radius %v: %d subclusters", radius, leaves)
			}
		}
	}
	tree, err := Birch(context.Background(), x, 0, 50, 40)
	if err != nil {
		t.Fatal(err)
	}
	if tree.leaves > 40 || tree.Threshold <= 0 {
		t.Errorf("%d subclusters of radius %v, want at most 40", tree.leaves, tree.Threshold)
	}
	var n float64
	tree.each(tree.root, func(leaf *cfNode) {
		for _, f := range leaf.entries {
			n += f.n
		}
	})
	if n != 900 {
		t.Errorf("after rebuilding %v rows", n)
	}
	same := make([][]float32, 100)
	for i := range same {
		same[i] = []float32{3, 4}
	}
	if tree, _ := Birch(context.Background(), same, 0, 2, 1); tree.leaves != 1 {
		t.Errorf("equal rows make %d subclusters", tree.leaves)
	}
}

// naiveWard tries all pairs at every step.
func naiveWard(x [][]float32, k int) [][]int {
	var groups [][]int
	for i := range x {
		groups = append(groups, []int{i})
	}
	squares := func(g []int) float64 {
		out := 0.0
		for j := range x[0] {
			mean := 0.0
			for _, i := range g {
				mean += float64(x[i][j]) / float64(len(g))
			}
			for _, i := range g {
				out += (float64(x[i][j]) - mean) * (float64(x[i][j]) - mean)
			}
		}
		return out
	}
	for len(groups) > k {
		a, b, least := 0, 0, math.Inf(1)
		for i := range groups {
			for j := range i {
				both := append(slices.Clone(groups[i]), groups[j]...)
				if up := squares(both) - squares(groups[i]) - squares(groups[j]); up < least {
					a, b, least = j, i, up
				}
			}
		}
		groups[a] = append(groups[a], groups[b]...)
		groups = slices.Delete(groups, b, b+1)
	}
	return groups
}

func TestWard(t *testing.T) {
	ward := func(x [][]float32, k int) []int32 {
		tree, err := Agglomerate(context.Background(), Rows(x), WardLinkage, 1)
		if err != nil {
			t.Fatal(err)
		}
		of, err := tree.Cut(k)
		if err != nil {
			t.Fatal(err)
		}
		return of
	}
	if got := ward([][]float32{{0}, {10}, {1}, {12}, {30}}, 2); !slices.Equal(got, []int32{0, 0, 0, 0, 1}) {
		t.Errorf("groups %v", got)
	}
	if got := ward([][]float32{{0}, {10}, {1}, {12}, {30}}, 3); !slices.Equal(got, []int32{0, 1, 0, 1, 2}) {
		t.Errorf("groups %v", got)
	}
	if got := ward([][]float32{{5}, {6}}, 9); !slices.Equal(got, []int32{0, 1}) {
		t.Errorf("two points in nine groups: %v", got)
	}
	if got := ward([][]float32{{5}, {5}, {5}, {5}}, 2); slices.Max(got) != 1 {
		t.Errorf("equal points in two groups: %v", got)
	}
	r := rand.New(rand.NewPCG(5, 5))
	for range 30 {
		x := make([][]float32, 5+r.IntN(30))
		for i := range x {
			x[i] = []float32{float32(r.NormFloat64()), float32(3 * r.NormFloat64())}
		}
		k := 1 + r.IntN(4)
		got := ward(x, k)
		for _, g := range naiveWard(x, k) {
			for _, i := range g {
				if got[i] != got[g[0]] {
					t.Fatalf("%d points, %d groups: %v are together, got %v", len(x), k, g, got)
				}
			}
		}
		if int(slices.Max(got)) != k-1 {
			t.Fatalf("%d groups, want %d", slices.Max(got)+1, k)
		}
	}
}
