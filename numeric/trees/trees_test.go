package trees

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// numbers draws whole numbers in a way that other languages can repeat in a line.
type numbers int

func (x *numbers) draw(below int) int {
	*x = (*x*1103515245 + 12345) % (1 << 31)
	return int(*x>>8) % below
}

// sample is 60 rows of three columns, with a class for each.
func sample(x *numbers) (rows []float32, class []int32) {
	for range 60 {
		rows = append(rows, float32(x.draw(8))/4, float32(x.draw(50))/4, float32(x.draw(7))/4)
	}
	for i := range 60 {
		one := (rows[3*i] > 1) != (rows[3*i+1] > 6)
		if class = append(class, 0); one || x.draw(8) == 0 {
			class[i] = 1
		}
	}
	return rows, class
}

// preorder is the nodes of a tree, each before its children: column (−1 in leaves), threshold, rows.
func preorder(t *Tree, q int32, out [][3]float64) [][3]float64 {
	out = append(out, [3]float64{float64(t.Column[q]), t.At[q], t.Cover[q]})
	if t.Column[q] >= 0 {
		out = preorder(t, t.Left[q], out)
		out = preorder(t, t.Right[q], out)
	}
	return out
}

// TestGrowBesideScikitLearn: the trees of scikit-learn 1.2.1's DecisionTreeClassifier on the same rows.
func TestGrowBesideScikitLearn(t *testing.T) {
	x := numbers(7)
	rows, class := sample(&x)
	for _, c := range []struct {
		how  Growth
		want [][3]float64
	}{
		{
			Growth{MinSplit: 2, MinLeaf: 1, MaxDepth: 3},
			[][3]float64{{0, 0.625, 60}, {1, 2.625, 25}, {-1, 0, 3}, {1, 4.5, 22}, {-1, 0, 3}, {-1, 0, 19}, {2, 0.375, 35},
				{1, 8.125, 7}, {-1, 0, 4}, {-1, 0, 3}, {0, 0.875, 28}, {-1, 0, 6}, {-1, 0, 22}},
		},
		{
			Growth{MinSplit: 2, MinLeaf: 7},
			[][3]float64{{0, 0.625, 60}, {1, 5.125, 25}, {-1, 0, 7}, {-1, 0, 18}, {2, 0.375, 35}, {-1, 0, 7}, {1, 6.125, 28},
				{1, 2.5, 16}, {-1, 0, 9}, {-1, 0, 7}, {-1, 0, 12}},
		},
		{
			Growth{MinSplit: 2, MinLeaf: 7, Entropy: true},
			[][3]float64{{0, 0.125, 60}, {-1, 0, 8}, {1, 4.375, 52}, {0, 1, 20}, {-1, 0, 12}, {-1, 0, 8}, {0, 1.125, 32},
				{-1, 0, 19}, {-1, 0, 13}},
		},
	} {
		grid, err := NewGrid(context.Background(), rows, 60, 3, 1)
		if err != nil {
			t.Fatal(err)
		}
		order, ones := make([]int32, 60), make([]float64, 60)
		for i := range order {
			order[i], ones[i] = int32(i), 1
		}
		g := &Grower{Growth: c.how, Grid: grid, Y: class, K: 2, W: ones, Features: 3}
		tree, err := g.Grow(context.Background(), order)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, preorder(tree, 0, nil)); d != "" {
			t.Errorf("%+v:\n%s", c.how, d)
		}
	}
}

// TestGradientGrowBesideScikitLearn: the leaves of one round of scikit-learn 1.2.1's HistGradientBoostingRegressor
// (learning rate 1, five leaves of at least four rows, λ 0.5), whose gradients are float32.
func TestGradientGrowBesideScikitLearn(t *testing.T) {
	x := numbers(7)
	rows, _ := sample(&x)
	grad, hess := make([]float64, 60), make([]float64, 60)
	const mean = 4.054166666666666
	for i := range grad {
		grad[i], hess[i] = mean-(float64(rows[3*i])*float64(rows[3*i+1])-float64(rows[3*i+2])), 1
	}
	bins, err := NewBins(context.Background(), rows, 60, 3, 255, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	how := GradientGrowth{Rate: 1, Lambda: 0.5, Leaves: 5, MinLeaf: 4}
	tree, where, err := NewGradientGrower(bins, how, 1).Grow(context.Background(), grad, hess)
	if err != nil {
		t.Fatal(err)
	}
	want := [][3]float64{{0, 0.875, 60}, {0, 0.125, 35}, {-1, 0, 8}, {-1, 0, 27}, {1, 4.625, 25}, {-1, 0, 9},
		{1, 11, 16}, {-1, 0, 11}, {-1, 0, 5}}
	if d := cmp.Diff(want, preorder(tree, 0, nil)); d != "" {
		t.Error(d)
	}
	var values []float64
	for i, leaf := range where {
		if leaf != int32(tree.Leaf(rows[3*i:3*i+3])) {
			t.Errorf("row %d is in leaf %d, and goes to %d", i, leaf, tree.Leaf(rows[3*i:3*i+3]))
		}
		if i < 8 {
			values = append(values, mean+tree.Value[leaf])
		}
	}
	predicted := []float64{1.785745656699465, 8.18713762172754, -0.37916678634344336, 1.785745656699465,
		2.4555303307193697, -0.37916678634344336, 2.4555303307193697, 1.785745656699465}
	if d := cmp.Diff(predicted, values, cmpopts.EquateApprox(0, 1e-6)); d != "" {
		t.Error(d)
	}
}

// TestGradientGrowTakesTheBestSplit: of rows with missing values, categories and columns that do not vary, more columns
// than are counted side by side, the root's split is the best of all that can be tried one by one.
func TestGradientGrowTakesTheBestSplit(t *testing.T) {
	const n, d = 300, 7
	r := rand.New(rand.NewPCG(3, 1))
	for range 20 {
		x, grad, hess := make([]float32, n*d), make([]float64, n), make([]float64, n)
		for i := range n {
			row := x[i*d:]
			row[0], row[1], row[2] = 5, float32(r.NormFloat64()), float32(r.IntN(3))
			row[3], row[4], row[5] = float32(r.ExpFloat64()), float32(r.IntN(2)), float32(r.IntN(40))
			if row[6] = float32(r.NormFloat64()); r.IntN(4) == 0 {
				row[6] = float32(math.NaN())
			}
			grad[i], hess[i] = r.NormFloat64()+0.2*float64(row[2+r.IntN(4)]), 0.1+r.Float64()
		}
		bins, err := NewBins(context.Background(), x, n, d, 16, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		how := GradientGrowth{Rate: 1, Lambda: 1, Leaves: 2, MinLeaf: 10}
		tree, _, err := NewGradientGrower(bins, how, 2).Grow(context.Background(), grad, hess)
		if err != nil {
			t.Fatal(err)
		}
		gain := func(left func(v float32) bool, column int) float64 {
			var l, all [3]float64
			for i := range n {
				s := [3]float64{grad[i], hess[i], 1}
				for k, v := range s {
					if all[k] += v; left(x[i*d+column]) {
						l[k] += v
					}
				}
			}
			if l[2] < 10 || all[2]-l[2] < 10 {
				return 0
			}
			square := func(g, h float64) float64 { return g * g / (h + 1) }
			return square(l[0], l[1]) + square(all[0]-l[0], all[1]-l[1]) - square(all[0], all[1])
		}
		best := 0.0
		for j := range d {
			for _, e := range append(bins.edges[j], math.MaxFloat64) {
				best = max(best, gain(func(v float32) bool { return float64(v) <= e }, j),
					gain(func(v float32) bool { return !(float64(v) > e) }, j))
			}
		}
		got := gain(func(v float32) bool {
			row := make([]float32, d)
			row[tree.Column[0]] = v
			return tree.Child(0, row) == tree.Left[0]
		}, int(tree.Column[0]))
		if math.Abs(got-best) > 1e-9*best || best == 0 {
			t.Errorf("the root gains %v by column %d, and %v can be had", got, tree.Column[0], best)
		}
	}
}

// TestBins: the thresholds of scikit-learn 1.2.1's _BinMapper with eight bins, those that it repeats once.
func TestBins(t *testing.T) {
	x := numbers(7)
	sample(&x)
	var many, mass []float32
	for range 41 {
		many = append(many, float32(x.draw(1000)))
	}
	mass = make([]float32, 30)
	for range 11 {
		mass = append(mass, float32(x.draw(1000)))
	}
	for _, c := range []struct {
		values []float32
		want   []float64
	}{
		{many, []float64{189, 342, 430, 540, 618, 774, 855}},
		{mass, []float64{0, 165, 299}},
		{[]float32{7, 3, 1, 7, 7.5, 3}, []float64{2, 5, 7.25}},
		{[]float32{4, 4}, nil},
	} {
		b, err := NewBins(context.Background(), c.values, len(c.values), 1, 8, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, b.edges[0], cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
		for i, v := range c.values {
			k := int(b.of[0][i])
			if k > 0 && float64(v) <= c.want[k-1] || k < len(c.want) && float64(v) > c.want[k] {
				t.Errorf("%v is in bin %d of %v", v, k, c.want)
			}
		}
	}
	nan := float32(math.NaN())
	b, err := NewBins(context.Background(), []float32{1, 254, nan, 3, 0, 3}, 3, 2, 8, []bool{false, true}, 1)
	if err != nil || b.of[0][1] != missingBin || b.of[1][0] != 254 || b.size[1] != 255 || !b.known[1].Has(3) {
		t.Errorf("%+v, %v", b, err)
	}
	for _, bad := range []float32{-1, 255, 0.5} {
		if _, err := NewBins(context.Background(), []float32{0, bad}, 2, 1, 8, []bool{true}, 1); err == nil {
			t.Errorf("category %v is taken", bad)
		}
	}
}

// drawTree is a tree of random splits over d columns.
func drawTree(r *rand.Rand, d, nodes int) *Tree {
	t := &Tree{}
	t.Add(1000, r.NormFloat64())
	for open := []int32{0}; len(t.Column) < nodes; {
		k := r.IntN(len(open))
		q := open[k]
		share := t.Cover[q] * (0.1 + 0.8*r.Float64())
		left, right := t.Add(share, r.NormFloat64()), t.Add(t.Cover[q]-share, r.NormFloat64())
		at := []float64{r.NormFloat64(), 0, math.Copysign(0, -1), math.MaxFloat64, -1e300, 0.1}[r.IntN(6)]
		t.Split(q, r.IntN(d), at, left, right)
		open[k] = left
		open = append(open, right)
	}
	return t
}

// TestWalker: rows end where they do one by one, with zeros of both signs, infinite and missing values, and categories.
func TestWalker(t *testing.T) {
	const n, d = 203, 5
	r := rand.New(rand.NewPCG(9, 1))
	for round := range 30 {
		tree := drawTree(r, d, 1+2*r.IntN(60))
		x := make([]float32, n*d)
		for i := range x {
			x[i] = []float32{float32(r.NormFloat64()), 0, float32(math.Copysign(0, -1)), 0.1, math.MaxFloat32,
				float32(math.Inf(1)), float32(math.Inf(-1)), -math.SmallestNonzeroFloat32}[r.IntN(8)]
		}
		if round%3 == 1 {
			x[r.IntN(len(x))] = float32(math.NaN())
			tree.SendMissingLeft(0)
		}
		if round%5 == 4 && tree.Column[0] >= 0 {
			var known Set
			known.Add(0)
			tree.SplitCategories(0, Sets{Known: known, Left: known})
		}
		got, rows := make([]int32, n), NewRows(x, d)
		NewWalker(tree).Leaves(rows, got)
		single := make([]int32, n)
		rows.Leaves(tree, single)
		for i := range n {
			if want := int32(tree.Leaf(x[i*d : i*d+d])); got[i] != want || single[i] != want {
				t.Fatalf("round %d: row %v ends in %d and %d, want %d", round, x[i*d:i*d+d], got[i], single[i], want)
			}
		}
	}
}

// TestShapley: the values by their definition, over all sets of columns that are known.
func TestShapley(t *testing.T) {
	const d = 4
	r := rand.New(rand.NewPCG(5, 1))
	for range 20 {
		tree := drawTree(r, d, 1+2*r.IntN(15))
		row := make([]float32, d)
		for j := range row {
			row[j] = float32(r.NormFloat64())
		}
		var mean func(q int32, known uint) float64
		mean = func(q int32, known uint) float64 {
			c := tree.Column[q]
			switch {
			case c < 0:
				return tree.Value[q]
			case known>>c&1 == 1:
				return mean(tree.Child(q, row), known)
			}
			l, r := tree.Left[q], tree.Right[q]
			return (tree.Cover[l]*mean(l, known) + tree.Cover[r]*mean(r, known)) / tree.Cover[q]
		}
		want := make([]float64, d)
		factorial := []float64{1, 1, 2, 6, 24}
		for known := range uint(1 << d) {
			for j := range d {
				if known>>j&1 == 0 {
					size := bits.OnesCount(known)
					weight := factorial[size] * factorial[d-1-size] / factorial[d]
					want[j] += weight * (mean(0, known|1<<j) - mean(0, known))
				}
			}
		}
		got := make([]float64, d)
		Shapley(tree, row, func(node int) float64 { return tree.Value[node] }, got)
		if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); d != "" {
			t.Error(d)
		}
	}
}
