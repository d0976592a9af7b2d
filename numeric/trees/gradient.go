package trees

import (
	"context"
	"math"

	"plumbline/numeric/parallel"
)

// GradientGrowth is how a tree that follows a gradient is grown: leaf by leaf, the split of the largest gain first.
// With the gradient G and the curvature H of the rows of a node,
//
//	gain of a split = G_L²/(H_L+λ) + G_R²/(H_R+λ) − G²/(H+λ),  value of a leaf = −η G/(H+λ)
type GradientGrowth struct {
	Rate     float64 // η
	Lambda   float64 // λ
	Leaves   int     // at most
	MaxDepth int     // 0: none
	MinLeaf  int     // rows that a leaf has at least
	// Support is the curvature, in rows of the node's mean curvature, that a category needs to be sorted by its
	// gradient; those that have less go right. It smooths the gradient, too: G/(H+Support).
	Support float64
}

// leastCurvature is the curvature that a leaf needs, as in scikit-learn.
const leastCurvature = 1e-3

// GradientGrower grows trees that follow gradients, one after the other in the same memory.
type GradientGrower struct {
	GradientGrowth
	*Bins
	workers int
	rows    []int32
	spare   []int32
	free    [][]sums // histograms to use again

	slopes []slope // of the rows of a leaf
}

// NewGradientGrower is a grower on the rows of bins.
func NewGradientGrower(b *Bins, how GradientGrowth, workers int) *GradientGrower {
	return &GradientGrower{GradientGrowth: how, Bins: b, workers: workers, rows: make([]int32, b.n),
		spare: make([]int32, b.n)}
}

// slope is the gradient and the curvature of a row.
type slope struct{ g, h float64 }

// sums is gradients, curvatures and rows of a bin.
type sums struct{ g, h, n float64 }

func (s sums) minus(o sums) sums { return sums{s.g - o.g, s.h - o.h, s.n - o.n} }

func (s sums) plus(o sums) sums { return sums{s.g + o.g, s.h + o.h, s.n + o.n} }

// growing is a leaf that may be split.
type growing struct {
	node     int32
	from, to int
	depth    int
	all      sums
	hist     []sums // d × 256
	best     cut
}

// Grow grows a tree on the gradient and the curvature of each row, and says in which leaf each row is.
func (g *GradientGrower) Grow(ctx context.Context, grad, hess []float64) (*Tree, []int32, error) {
	var all sums
	for i := range g.rows {
		g.rows[i] = int32(i)
		all.g += grad[i]
		all.h += hess[i]
	}
	all.n = float64(g.n)
	t := &Tree{}
	root := &growing{node: t.Add(all.n, g.leafValue(all)), to: g.n, all: all}
	if err := g.fill(ctx, root, grad, hess); err != nil {
		return nil, nil, err
	}
	leaves := []*growing{root}
	for len(leaves) < g.Leaves {
		top := -1
		for i, l := range leaves {
			if l.best.gain > 0 && (top < 0 || l.best.gain > leaves[top].best.gain) {
				top = i
			}
		}
		if top < 0 {
			break
		}
		l := leaves[top]
		left, right, err := g.split(ctx, t, l, grad, hess)
		if err != nil {
			return nil, nil, err
		}
		leaves[top] = left
		leaves = append(leaves, right)
	}
	where := make([]int32, g.n)
	for _, l := range leaves {
		for _, i := range g.rows[l.from:l.to] {
			where[i] = l.node
		}
		g.give(l)
	}
	return t, where, nil
}

func (g *GradientGrower) leafValue(s sums) float64 {
	if s.h+g.Lambda <= 0 {
		return 0
	}
	return -g.Rate * s.g / (s.h + g.Lambda)
}

// gainOf is G²/(H+λ).
func (g *GradientGrower) gainOf(s sums) float64 {
	if s.h+g.Lambda <= 0 {
		return 0
	}
	return s.g * s.g / (s.h + g.Lambda)
}

func (g *GradientGrower) take() []sums {
	if n := len(g.free); n > 0 {
		h := g.free[n-1]
		g.free = g.free[:n-1]
		return h
	}
	return make([]sums, g.d*256)
}

func (g *GradientGrower) give(l *growing) {
	if l.hist != nil {
		g.free = append(g.free, l.hist)
		l.hist = nil
	}
}

// fill counts a leaf's histogram and finds its best split.
func (g *GradientGrower) fill(ctx context.Context, l *growing, grad, hess []float64) error {
	l.hist = g.take()
	rows := g.rows[l.from:l.to]
	g.slopes = g.slopes[:0] // once for all columns, which then read them one after the other
	for _, i := range rows {
		g.slopes = append(g.slopes, slope{grad[i], hess[i]})
	}
	err := parallel.Blocks(ctx, g.workers, g.d, 4, func(from, to int) {
		clear(l.hist[from*256 : to*256])
		j := from
		for ; j+3 < to; j += 4 {
			g.countFour(j, rows, l.hist)
		}
		for ; j < to; j++ {
			of, own := g.of[j], (*[256]sums)(l.hist[j*256:])
			for k, i := range rows {
				own[of[i]].add(g.slopes[k])
			}
		}
	})
	if err != nil {
		return err
	}
	return g.find(ctx, l)
}

// countFour adds the rows to the histograms of columns j to j+3, side by side: rows that follow one another are often
// in the same bin of a column, and a sum that waits for the one before leaves room for the other columns'.
func (g *GradientGrower) countFour(j int, rows []int32, hist []sums) {
	a, b, c, d := g.of[j], g.of[j+1], g.of[j+2], g.of[j+3]
	n := len(a)
	b, c, d = b[:n], c[:n], d[:n]
	ha, hb := (*[256]sums)(hist[j*256:]), (*[256]sums)(hist[(j+1)*256:])
	hc, hd := (*[256]sums)(hist[(j+2)*256:]), (*[256]sums)(hist[(j+3)*256:])
	slopes := g.slopes[:len(rows)]
	for k, i := range rows {
		s := slopes[k]
		ha[a[i]].add(s)
		hb[b[i]].add(s)
		hc[c[i]].add(s)
		hd[d[i]].add(s)
	}
}

// add takes a row.
func (b *sums) add(s slope) {
	b.g += s.g
	b.h += s.h
	b.n++
}

// find finds the best split by a leaf's histogram. Ties go to the first column.
func (g *GradientGrower) find(ctx context.Context, l *growing) error {
	l.best = cut{}
	if l.to-l.from < 2*g.MinLeaf || g.MaxDepth > 0 && l.depth >= g.MaxDepth || l.all.h < leastCurvature {
		return nil
	}
	parent := g.gainOf(l.all)
	found := make([]cut, g.d)
	err := parallel.Blocks(ctx, g.workers, g.d, 16, func(from, to int) {
		for j := from; j < to; j++ {
			f := &finder{GradientGrower: g, column: j, hist: l.hist[j*256 : (j+1)*256], all: l.all, parent: parent}
			if g.known[j] != nil {
				f.byCategory()
			} else {
				f.byNumber()
			}
			found[j] = f.best
		}
	})
	for _, f := range found {
		if f.gain > l.best.gain {
			l.best = f
		}
	}
	if l.best.gain < 1e-12*math.Abs(parent) { // rounding
		l.best = cut{}
	}
	return err
}

// split makes two leaves of one. The histogram of the larger is what the smaller leaves of the parent's.
func (g *GradientGrower) split(ctx context.Context, t *Tree, l *growing, grad, hess []float64) (left, right *growing,
	err error) {
	c := l.best
	of, goes := g.of[c.column], c.left()
	k, spare := l.from, g.spare[:0]
	for _, i := range g.rows[l.from:l.to] {
		if goes[of[i]] {
			g.rows[k] = i
			k++
		} else {
			spare = append(spare, i)
		}
	}
	copy(g.rows[k:l.to], spare)
	var a, b sums // summed anew: differences of sums would drift
	for _, i := range g.rows[l.from:k] {
		a.g, a.h, a.n = a.g+grad[i], a.h+hess[i], a.n+1
	}
	for _, i := range g.rows[k:l.to] {
		b.g, b.h, b.n = b.g+grad[i], b.h+hess[i], b.n+1
	}
	left = &growing{node: t.Add(a.n, g.leafValue(a)), from: l.from, to: k, depth: l.depth + 1, all: a}
	right = &growing{node: t.Add(b.n, g.leafValue(b)), from: k, to: l.to, depth: l.depth + 1, all: b}
	at := 0.0
	if known := g.known[c.column]; known == nil {
		if at = math.MaxFloat64; c.bin < len(g.edges[c.column]) { // else all but missing values go left
			at = g.edges[c.column][c.bin]
		}
	} else {
		t.SplitCategories(l.node, Sets{Known: *known, Left: c.set})
	}
	t.Split(l.node, c.column, at, left.node, right.node)
	if c.missing || !g.missing[c.column] && a.n > b.n { // where training tells nothing, with the most rows
		t.SendMissingLeft(l.node)
	}
	small, large := left, right
	if right.to-right.from < left.to-left.from {
		small, large = right, left
	}
	if err := g.fill(ctx, small, grad, hess); err != nil {
		return nil, nil, err
	}
	large.hist, l.hist = l.hist, nil
	for i, s := range small.hist {
		h := &large.hist[i]
		h.g, h.h, h.n = h.g-s.g, h.h-s.h, h.n-s.n
	}
	return left, right, g.find(ctx, large)
}
