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

	// Columns of one bin split nothing and are left out. Those in use stand in fours, whose bins of a row are one word.
	fours  []four
	length int // of a histogram

	slopes []slope // of all rows
	own    []slope // of the rows of a leaf, in their order
	found  []cut   // by column, of a leaf and of its sibling
}

// four is up to four columns.
type four struct {
	columns []int
	at      [5]int   // where the columns' histograms begin and the last one ends; in place of columns that lack one sum
	bins    []uint32 // of each row, the first column's in the lowest byte
}

// NewGradientGrower is a grower on the rows of bins.
func NewGradientGrower(b *Bins, how GradientGrowth, workers int) *GradientGrower {
	g := &GradientGrower{GradientGrowth: how, Bins: b, workers: workers, rows: make([]int32, b.n),
		spare: make([]int32, b.n), slopes: make([]slope, b.n),
		found: make([]cut, 2*b.d)}
	var columns []int
	for j := range b.d {
		if b.size[j] > 1 || b.missing[j] {
			columns = append(columns, j)
		}
	}
	for len(columns) > 0 {
		f := four{columns: columns[:min(4, len(columns))], bins: make([]uint32, b.n)}
		columns = columns[len(f.columns):]
		for k, j := range f.columns {
			f.at[k] = g.length
			for i, v := range b.of[j] {
				f.bins[i] |= uint32(v) << (8 * k)
			}
			if b.missing[j] {
				g.length += missingBin + 1
			} else {
				g.length += b.size[j]
			}
		}
		for k := len(f.columns); k < 4; k++ {
			f.at[k] = g.length
			g.length++
		}
		f.at[4] = g.length
		g.fours = append(g.fours, f)
	}
	g.length += missingBin + 1 // so that any of them may be taken for 256 bins
	return g
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
	hist     []sums // of columns in use, one after the other
	best     cut
}

// Grow grows a tree on the gradient and the curvature of each row, and says in which leaf each row is.
func (g *GradientGrower) Grow(ctx context.Context, grad, hess []float64) (*Tree, []int32, error) {
	for i := range g.rows {
		g.rows[i] = int32(i)
		g.slopes[i] = slope{grad[i], hess[i]}
	}
	t := &Tree{}
	all := g.sum(0, g.n)
	root := &growing{node: t.Add(all.n, g.leafValue(all)), to: g.n, all: all}
	if err := g.fill(ctx, root, nil); err != nil {
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
		left, right, err := g.split(ctx, t, l)
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
	return make([]sums, g.length)
}

func (g *GradientGrower) give(l *growing) {
	if l.hist != nil {
		g.free = append(g.free, l.hist)
		l.hist = nil
	}
}

// sum adds the rows up that stand from one place to another.
func (g *GradientGrower) sum(from, to int) sums {
	var all sums
	for _, i := range g.rows[from:to] {
		s := g.slopes[i]
		all.g += s.g
		all.h += s.h
	}
	all.n = float64(to - from)
	return all
}

// fill counts a leaf's histogram and finds its best split, and those of its larger sibling, which has the parent's
// histogram and is left what this one does not take from it.
func (g *GradientGrower) fill(ctx context.Context, l, sibling *growing) error {
	l.hist = g.take()
	rows := g.rows[l.from:l.to]
	g.own = g.own[:0] // once for all columns, which then read them one after the other
	for _, i := range rows {
		g.own = append(g.own, g.slopes[i])
	}
	clear(g.found)
	found := g.found
	err := parallel.Blocks(ctx, g.workers, len(g.fours), 1, func(k, _ int) {
		f := &g.fours[k]
		f.count(rows, g.own, l.hist)
		for c, j := range f.columns {
			own := l.hist[f.at[c]:f.at[c+1]]
			found[j] = g.find(l, j, own)
			if sibling != nil {
				theirs := sibling.hist[f.at[c]:f.at[c+1]]
				for i, s := range own {
					theirs[i] = theirs[i].minus(s)
				}
				found[g.d+j] = g.find(sibling, j, theirs)
			}
		}
	})
	g.choose(l, found[:g.d])
	if sibling != nil {
		g.choose(sibling, found[g.d:])
	}
	return err
}

// count makes the histograms of four columns side by side: rows that follow one another are often in the same bin of a
// column, and a sum that waits for the one before leaves room for the other columns'.
func (f *four) count(rows []int32, slopes []slope, hist []sums) {
	clear(hist[f.at[0]:f.at[4]])
	ha, hb := (*[256]sums)(hist[f.at[0]:]), (*[256]sums)(hist[f.at[1]:])
	hc, hd := (*[256]sums)(hist[f.at[2]:]), (*[256]sums)(hist[f.at[3]:])
	bins := f.bins
	slopes = slopes[:len(rows)]
	for k, i := range rows {
		s, b := slopes[k], bins[i]
		ha[uint8(b)].add(s)
		hb[uint8(b>>8)].add(s)
		hc[uint8(b>>16)].add(s)
		hd[b>>24].add(s)
	}
}

// add takes a row.
func (b *sums) add(s slope) {
	b.g += s.g
	b.h += s.h
	b.n++
}

// find is the best split of a leaf by one column.
func (g *GradientGrower) find(l *growing, column int, hist []sums) cut {
	if l.to-l.from < 2*g.MinLeaf || g.MaxDepth > 0 && l.depth >= g.MaxDepth || l.all.h < leastCurvature {
		return cut{}
	}
	f := &finder{GradientGrower: g, column: column, hist: hist, all: l.all, parent: g.gainOf(l.all)}
	if g.known[column] != nil {
		f.byCategory()
	} else {
		f.byNumber()
	}
	return f.best
}

// choose takes the best of the columns' splits. Ties go to the first column.
func (g *GradientGrower) choose(l *growing, found []cut) {
	l.best = cut{}
	for _, f := range found {
		if f.gain > l.best.gain {
			l.best = f
		}
	}
	if l.best.gain < 1e-12*math.Abs(g.gainOf(l.all)) { // rounding
		l.best = cut{}
	}
}

// split makes two leaves of one. The histogram of the larger is what the smaller leaves of the parent's.
func (g *GradientGrower) split(ctx context.Context, t *Tree, l *growing) (left, right *growing, err error) {
	c := l.best
	of, goes := g.of[c.column], c.left()
	rows, spare := g.rows[l.from:l.to], g.spare
	n := 0
	for at, i := range rows { // either way without a branch: which one it is cannot be foreseen
		rows[n], spare[at-n] = i, i
		n += goes[of[i]]
	}
	copy(rows[n:], spare)
	k := l.from + n
	a, b := g.sum(l.from, k), g.sum(k, l.to) // summed anew: differences of sums would drift
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
	large.hist, l.hist = l.hist, nil
	return left, right, g.fill(ctx, small, large)
}
