package classic

import (
	"math"

	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/elementary"
	"plumbline/numeric/isolation"
	"plumbline/numeric/onnx"
)

// Graphs compute in float64, as the scores do; sums may be in another order.

// standard is (x − mean)/sd.
func (m *moments) standard(g *onnx.Graph, x onnx.Value) onnx.Value {
	return g.Op("Div", m.centred(g, x), g.Row(m.sd))
}

// centred is x − mean.
func (m *moments) centred(g *onnx.Graph, x onnx.Value) onnx.Value { return less(g, x, m.mean) }

// less is x − mean in float64.
func less(g *onnx.Graph, x onnx.Value, mean []float64) onnx.Value {
	return g.Op("Sub", g.Cast(x, onnx.Double), g.Row(mean))
}

// length is the Euclidean length of each row.
func length(g *onnx.Graph, z onnx.Value) onnx.Value {
	return g.Op("Sqrt", g.Sum(g.Square(z), 1, false))
}

func (m znormState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return length(g, m.standard(g, x)), nil
}

func (m centroidState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return length(g, m.centred(g, x)), nil
}

func (m bestFeatureState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return g.Reduce("ReduceMax", g.Op("Abs", m.standard(g, x)), 1, false), nil
}

func (m *pcaState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	z := less(g, x, m.mean)
	if m.k > 0 {
		d := len(m.mean)
		v := g.Doubles(m.vectors, m.k, d)
		onto := g.Op("MatMul", z, g.Node("Transpose", []onnx.Value{v}, 1, onnx.Ints("perm", 1, 0))[0])
		z = g.Op("Sub", z, g.Op("MatMul", onto, v))
	}
	return g.Sum(g.Square(z), 1, false), nil
}

func (m *pcaPoints) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	z := g.Op("Mul", less(g, x, m.mean), g.Row(m.unit))
	k, d := len(m.weights), len(m.mean)
	apart := g.SquaredDistances(z, g.Doubles(m.points, k, d), g.Row(make([]float64, d)))
	return g.Sum(g.Op("Mul", g.Op("Sqrt", apart), g.Row(m.weights)), 1, false), nil
}

// squares is the squared distance of each row by the distribution, n.
func squares(g *onnx.Graph, x onnx.Value, of *cluster.Gaussian) onnx.Value {
	d := len(of.Mean)
	across := make([]float64, d*d)
	for i := range d {
		for j := range d {
			across[j*d+i] = of.W[i*d+j]
		}
	}
	return g.Sum(g.Square(g.Op("MatMul", less(g, x, of.Mean), g.Doubles(across, d, d))), 1, false)
}

func (m *gaussianState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return squares(g, x, m.g), nil
}

func (m *gmmState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	var terms []onnx.Value
	for c, of := range m.Components {
		d := float64(len(of.Mean))
		constant := elementary.Log(m.Weights[c]) + of.LogDet - d/2*elementary.Log(2*math.Pi)
		half := g.Op("Mul", squares(g, x, of), g.Scalar(-0.5))
		terms = append(terms, g.Unsqueeze(g.Op("Add", half, g.Scalar(constant)), 1))
	}
	return g.Op("Neg", g.LogSumExp(g.Concat(1, terms...))), nil
}

func (m *kdeState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	h := m.bandwidth
	apart := g.SquaredDistances(x, g.Floats(m.x, m.p.N, m.d), g.Row(m.shift))
	logs := g.LogSumExp(g.Op("Mul", apart, g.Scalar(-1/(2*h*h))))
	norm := elementary.Log(float64(m.p.N)) + float64(m.d)/2*elementary.Log(2*math.Pi*h*h)
	return g.Op("Sub", g.Scalar(norm), logs), nil
}

// nearest is the distance to the nearest of the first n centres.
func nearest(g *onnx.Graph, x onnx.Value, centres *cluster.Centres, n int) onnx.Value {
	return g.Op("Sqrt", g.Reduce("ReduceMin", fromCentres(g, x, centres, n), 1, false))
}

// fromCentres are the squared distances to the first n centres.
func fromCentres(g *onnx.Graph, x onnx.Value, centres *cluster.Centres, n int) onnx.Value {
	d := centres.D
	points := centres.X[:n*d]
	shift := make([]float64, d)
	for i, v := range points {
		shift[i%d] += v / float64(n)
	}
	return g.SquaredDistances(x, g.Doubles(points, n, d), g.Row(shift))
}

func (m *kmeansState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	return nearest(g, x, m.centres, m.centres.N), nil
}

// Graph: that of a row whose own cluster is large is the nearest of all, and so of the large ones.
func (m *cblofState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	far := nearest(g, x, m.centres, m.large)
	if m.sizes != nil {
		own := g.Node("ArgMin", []onnx.Value{fromCentres(g, x, m.centres, m.centres.N)}, 1, onnx.Int("axis", 1),
			onnx.Flag("keepdims", false))[0]
		far = g.Op("Mul", far, g.Op("Gather", g.Doubles(m.sizes, len(m.sizes)), own))
	}
	return far, nil
}

func (m *iforestState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	trees := make([]onnx.Tree, len(m.trees))
	scale := float64(len(m.trees)) * isolation.AveragePath(m.psi)
	for t, tree := range m.trees {
		for i, n := range tree.Nodes {
			node := onnx.TreeNode{Column: int(n.Column), Cut: n.Cut, Left: i + 1, Right: int(n.Right)}
			if n.Column < 0 {
				node.Leaf = []float64{-tree.Path[i] / max(scale, 1e-300)}
			}
			trees[t] = append(trees[t], node)
		}
	}
	if scale == 0 {
		zero := g.Op("Mul", g.Sum(g.Cast(x, onnx.Double), 1, false), g.Scalar(0))
		return g.Op("Add", zero, g.Scalar(0.5)), nil
	}
	return g.Op("Pow", g.Scalar(2), g.Cast(g.Squeeze(g.Trees(x, trees, 1), 1), onnx.Double)), nil
}

func (m *obliqueForest) Graph(*onnx.Graph, onnx.Value) (onnx.Value, error) {
	return "", models.NoGraph("its trees cut along planes (extension), and those of ONNX along single columns")
}

func (m offsetScores) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	e, ok := m.RowLearned.(models.Exporter)
	if !ok {
		return "", models.ErrNoGraph
	}
	score, err := e.Graph(g, x)
	return g.Op("Sub", score, g.Scalar(m.offset)), err
}

// byColumn is Σ over the d columns of values of step functions, n×targets: place gives the step of a value in a column.
func byColumn(g *onnx.Graph, x onnx.Value, d, targets int, place func(j int, v float32) int,
	leaf func(j, step int) []float64) onnx.Value {
	trees := make([]onnx.Tree, d)
	for j := range trees {
		trees[j] = onnx.Steps(j, func(v float32) int { return place(j, v) },
			func(step int) []float64 { return leaf(j, step) })
	}
	return g.Trees(x, trees, targets)
}

func (m *hbosState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	place := func(j int, v float32) int {
		if b := m.bin(j, v); b >= 0 {
			return b + 1
		} else if v > m.high[j] {
			return m.bins + 1
		}
		return 0
	}
	leaf := func(j, step int) []float64 {
		if step < 1 || step > m.bins {
			return []float64{m.outside}
		}
		return []float64{m.rarity[j*m.bins+step-1]}
	}
	return g.Squeeze(byColumn(g, x, len(m.low), 1, place, leaf), 1), nil
}

func (m *densities) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	place := func(j int, v float32) int {
		b, far := m.place(j, v)
		switch {
		case far && float64(v) < m.edgesOf(j)[0]:
			return 0
		case far:
			return m.bins + 1
		}
		return b + 1
	}
	leaf := func(j, step int) []float64 {
		if step < 1 || step > m.bins {
			return []float64{m.rarest[j]}
		}
		return []float64{m.rarity[j*m.bins+step-1]}
	}
	return g.Squeeze(byColumn(g, x, len(m.low), 1, place, leaf), 1), nil
}

func (m *ecodState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	sums := byColumn(g, x, len(m.columns), 3, m.at, func(j, step int) []float64 {
		c := &m.columns[j]
		t := c.tails[step]
		switch {
		case m.byColumn:
			return []float64{max(t.left, t.right), 0, 0}
		case c.third < 0:
			return []float64{t.left, t.right, t.left}
		}
		return []float64{t.left, t.right, t.right}
	})
	return g.Reduce("ReduceMax", sums, 1, false), nil
}

// at is where the tails of a value of column j stand.
func (m *tailTable) at(j int, v float32) int { return m.columns[j].place(v) }

// Graph: which side a column is skewed to depends on the row's value as well, by a polynomial of it.
func (m *copodState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	d := len(m.columns)
	both := byColumn(g, x, d, 2*d, m.at, func(j, step int) []float64 {
		leaf := make([]float64, 2*d)
		leaf[j], leaf[d+j] = m.columns[j].tails[step].left, m.columns[j].tails[step].right
		return leaf
	})
	both = g.Cast(g.Reshape(both, 0, 2, int64(d)), onnx.Double)
	left, right := g.Squeeze(g.Gather(both, 1, 0), 1), g.Squeeze(g.Gather(both, 1, 1), 1)
	mean, scale, linear, third := make([]float64, d), make([]float64, d), make([]float64, d), make([]float64, d)
	n := float64(m.n)
	for j := range m.columns {
		c := &m.columns[j]
		mean[j], scale[j], linear[j], third[j] = c.mean, c.scale, 3*c.second/(n+1), c.third
	}
	t := g.Op("Div", less(g, x, mean), g.Row(scale))
	cubic := g.Op("Sub", g.Op("Mul", g.Square(t), g.Scalar(n/(n+1)*((n-1)/(n+1)))), g.Row(linear))
	leans := g.Op("Less", g.Op("Add", g.Row(third), g.Op("Mul", t, cubic)), g.Scalar(0))
	skewed := g.Op("Where", leans, left, right)
	if !m.sums {
		half := g.Op("Mul", g.Op("Add", left, right), g.Scalar(0.5))
		return g.Sum(g.Op("Max", skewed, half), 1, false), nil
	}
	return g.Op("Max", g.Sum(left, 1, false), g.Sum(right, 1, false), g.Sum(skewed, 1, false)), nil
}

// Graph adds up the products of each projection in the order in which project does, so that a value on the edge of a
// bin falls into the same one.
func (m *lodaState) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	k, wide := len(m.low), m.wide
	x = g.Cast(x, onnx.Double)
	var sum onnx.Value
	for w := range wide {
		columns, weights := make([]int64, k), make([]float64, k)
		for i := range k {
			columns[i], weights[i] = int64(m.columns[i*wide+w]), m.weights[i*wide+w]
		}
		term := g.Op("Mul", g.Gather(x, 1, columns...), g.Row(weights))
		if sum == "" {
			sum = term
		} else {
			sum = g.Op("Add", sum, term)
		}
	}
	width, first := make([]float64, k), make([]int64, k)
	for i := range k {
		if width[i] = m.high[i] - m.low[i]; width[i] == 0 {
			width[i] = 1
		}
		first[i] = int64(i * m.bins)
	}
	bins, last := g.Scalar(float64(m.bins)), g.Scalar(float64(m.bins-1))
	bin := g.Op("Mul", g.Op("Div", g.Op("Sub", sum, g.Row(m.low)), g.Row(width)), bins)
	bin = g.Op("Min", g.Op("Max", g.Op("Floor", bin), g.Scalar(0)), last)
	bin = g.Op("Where", g.Op("Not", g.Op("Less", sum, g.Row(m.high))), last, bin)
	bin = g.Op("Where", g.Op("Not", g.Op("Greater", sum, g.Row(m.low))), g.Scalar(0), bin)
	at := g.Op("Add", g.Cast(bin, onnx.Int64), g.Ints(first, k))
	found := g.Op("Gather", g.Doubles(m.rarity, len(m.rarity)), at)
	return g.Reduce("ReduceMean", found, 1, false), nil
}
