package supervised

import (
	"context"
	"math"
	"slices"

	"plumbline/models"
)

// bins is a training matrix cut into bins, by columns. Bin b of column j holds values up to edges[j][b], and the last
// bin all above.
type bins struct {
	d     int
	of    [][]uint8
	edges [][]float64
}

// maxQuantileRows bounds the rows that quantiles are taken over.
const maxQuantileRows = 200_000

// newBins cuts each column between its distinct values where there are at most n of these, else at quantiles.
func newBins(ctx context.Context, env models.Env, p *problem, most int) (*bins, error) {
	b := &bins{d: p.d, of: make([][]uint8, p.d), edges: make([][]float64, p.d)}
	step := (p.n + maxQuantileRows - 1) / maxQuantileRows
	err := env.Blocks(ctx, p.d, 1, func(j, _ int) {
		var values []float32
		for i := 0; i < p.n; i += step {
			values = append(values, p.x[i*p.d+j])
		}
		slices.Sort(values)
		b.edges[j] = cuts(values, most)
		own := make([]uint8, p.n)
		for i := range own {
			own[i] = uint8(binOf(b.edges[j], float64(p.x[i*p.d+j])))
		}
		b.of[j] = own
	})
	return b, err
}

// cuts is the edges of at most n bins for rising values: midpoints of neighbours, or of the values at the
// quantiles.
func cuts(values []float32, most int) []float64 {
	distinct := slices.Compact(slices.Clone(values))
	var edges []float64
	if len(distinct) <= most {
		for i := 1; i < len(distinct); i++ {
			edges = append(edges, middle(distinct[i-1], distinct[i]))
		}
		return edges
	}
	for q := 1; q < most; q++ {
		at := int(math.Ceil(float64(q)/float64(most)*float64(len(values)))) - 1
		v := values[max(at, 0)]
		next, _ := slices.BinarySearch(distinct, v)
		if next+1 == len(distinct) {
			break
		}
		e := middle(v, distinct[next+1])
		if n := len(edges); n == 0 || e > edges[n-1] {
			edges = append(edges, e)
		}
	}
	return edges
}

// middle is a number from a on and below b, halfway where float64 has one.
func middle(a, b float32) float64 {
	m := float64(a)/2 + float64(b)/2
	if !(m < float64(b)) || m < float64(a) {
		return float64(a)
	}
	return m
}

// binOf is the first bin whose edge is not below the value.
func binOf(edges []float64, v float64) int {
	lo, hi := 0, len(edges)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); edges[mid] < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// boostGrower grows the trees of boosting.
type boostGrower struct {
	*Boosting
	env models.Env
	*bins
	n     int
	rows  []int32
	spare []int32
	free  [][]sums // histograms to use again

	slopes []slope // of the rows of a leaf
}

// slope is the gradient and the curvature of a row.
type slope struct{ g, h float64 }

// sums is gradients, curvatures and rows of a bin.
type sums struct{ g, h, n float64 }

// growing is a leaf that may be split.
type growing struct {
	node     int32
	from, to int
	depth    int
	all      sums
	hist     []sums // d × 256
	best     histSplit
}

// histSplit is the best split of a leaf.
type histSplit struct {
	gain   float64
	column int
	bin    int // up to and with it to the left
	left   sums
}

// grow grows a tree, and says in which leaf each row is.
func (g *boostGrower) grow(ctx context.Context, grad, hess []float64) (*tree, []int32, error) {
	if g.rows == nil {
		g.rows, g.spare = make([]int32, g.n), make([]int32, g.n)
	}
	var all sums
	for i := range g.rows {
		g.rows[i] = int32(i)
		all.g += grad[i]
		all.h += hess[i]
	}
	all.n = float64(g.n)
	t := &tree{}
	root := &growing{node: t.add(cover(all), g.leafValue(all)), to: g.n, all: all}
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

// cover is the weight that a node has for Shapley values: its rows.
func cover(s sums) float64 { return s.n }

func (g *boostGrower) leafValue(s sums) float64 {
	if s.h+g.Lambda <= 0 {
		return 0
	}
	return -g.Rate * s.g / (s.h + g.Lambda)
}

// gainOf is G²/(H+λ).
func (g *boostGrower) gainOf(s sums) float64 {
	if s.h+g.Lambda <= 0 {
		return 0
	}
	return s.g * s.g / (s.h + g.Lambda)
}

func (g *boostGrower) take() []sums {
	if n := len(g.free); n > 0 {
		h := g.free[n-1]
		g.free = g.free[:n-1]
		return h
	}
	return make([]sums, g.d*256)
}

func (g *boostGrower) give(l *growing) {
	if l.hist != nil {
		g.free = append(g.free, l.hist)
		l.hist = nil
	}
}

// fill counts a leaf's histogram and finds its best split.
func (g *boostGrower) fill(ctx context.Context, l *growing, grad, hess []float64) error {
	l.hist = g.take()
	rows := g.rows[l.from:l.to]
	g.slopes = g.slopes[:0] // once for all columns, which then read them one after the other
	for _, i := range rows {
		g.slopes = append(g.slopes, slope{grad[i], hess[i]})
	}
	err := g.env.Blocks(ctx, g.d, 4, func(from, to int) {
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
func (g *boostGrower) countFour(j int, rows []int32, hist []sums) {
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

// find finds the best split by a leaf's histogram. Ties go to the first column and the lowest bin.
func (g *boostGrower) find(ctx context.Context, l *growing) error {
	l.best = histSplit{}
	if l.to-l.from < 2*g.MinLeaf || g.MaxDepth > 0 && l.depth >= g.MaxDepth {
		return nil
	}
	parent := g.gainOf(l.all)
	found := make([]histSplit, g.d)
	err := g.env.Blocks(ctx, g.d, 16, func(from, to int) {
		for j := from; j < to; j++ {
			own := l.hist[j*256 : (j+1)*256]
			var left sums
			for b := range g.edges[j] {
				left.g += own[b].g
				left.h += own[b].h
				left.n += own[b].n
				if left.n < float64(g.MinLeaf) || own[b].n == 0 {
					continue
				}
				right := sums{l.all.g - left.g, l.all.h - left.h, l.all.n - left.n}
				if right.n < float64(g.MinLeaf) {
					break
				}
				if gain := g.gainOf(left) + g.gainOf(right) - parent; gain > found[j].gain {
					found[j] = histSplit{gain, j, b, left}
				}
			}
		}
	})
	for _, f := range found {
		if f.gain > l.best.gain {
			l.best = f
		}
	}
	if l.best.gain < 1e-12*math.Abs(parent) { // rounding
		l.best = histSplit{}
	}
	return err
}

// split makes two leaves of one. The histogram of the larger is what the smaller leaves of the parent's.
func (g *boostGrower) split(ctx context.Context, t *tree, l *growing, grad, hess []float64) (left, right *growing,
	err error) {
	of, bin := g.of[l.best.column], uint8(l.best.bin)
	k, spare := l.from, g.spare[:0]
	for _, i := range g.rows[l.from:l.to] {
		if of[i] <= bin {
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
	left = &growing{node: t.add(cover(a), g.leafValue(a)), from: l.from, to: k, depth: l.depth + 1, all: a}
	right = &growing{node: t.add(cover(b), g.leafValue(b)), from: k, to: l.to, depth: l.depth + 1, all: b}
	t.split(l.node, l.best.column, g.edges[l.best.column][l.best.bin], left.node, right.node)
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
