package trees

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"plumbline/numeric/elementary"
)

// Growth is how a tree of classes is grown.
type Growth struct {
	Entropy  bool // a split lowers the entropy, −Σ p log p, not Gini's impurity, Σ p(1−p)
	MaxDepth int  // 0: none
	MinSplit int  // rows that a node needs to be split
	MinLeaf  int  // rows that a leaf has at least
}

// Grower grows trees of classes, one at a time.
type Grower struct {
	Growth
	*Grid
	Y        []int32    // class of each row
	K        int        // classes
	W        []float64  // weight of each row
	Features int        // columns that are tried at a node
	Random   bool       // a threshold is drawn, not searched for (extra trees)
	Rand     *rand.Rand // nil where nothing is drawn

	rows   []int32
	keys   []uint64
	spare  []uint64
	counts []float64 // of classes by code
	order  []int
	total  []float64
	lower  []float64

	// of the rows of the node that is being split, in their order
	class    []int32
	weight   []float64
	codes    []uint32              // of the column that is being tried
	together [coarseColumns]coarse // columns that are searched by bins
}

// chosen is a split of a node.
type chosen struct {
	column int
	below  uint32  // rows with codes below it go left
	at     float64 // threshold on values
	gain   float64 // what it is judged by: larger is better
	left   int     // rows that go left
	edge   int     // where not 0: bins below it go left, and below and at are not known yet
}

// Grow grows a tree on rows, which it reorders; the values of a node are the shares of the classes.
func (g *Grower) Grow(ctx context.Context, rows []int32) (*Tree, error) {
	g.rows = rows
	if g.order == nil {
		g.order = make([]int, g.d)
		g.total, g.lower = make([]float64, g.K), make([]float64, g.K)
	}
	for j := range g.order {
		g.order[j] = j
	}
	t := &Tree{}
	type pending struct {
		node     int32
		from, to int
		depth    int
		fixed    columns // columns in which the rows are known not to differ
	}
	root := t.Add(g.classes(0, len(rows)))
	g.describe(t, root)
	stack := []pending{{root, 0, len(rows), 0, make(columns, (g.d+63)/64)}}
	for len(stack) > 0 {
		q := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := q.to - q.from
		if n < g.MinSplit || n < 2*g.MinLeaf || g.MaxDepth > 0 && q.depth >= g.MaxDepth {
			continue
		}
		weight := g.classes(q.from, q.to)
		if pure(g.total) {
			continue
		}
		best, fixed := g.best(q.from, q.to, weight, q.fixed)
		if best.left == 0 {
			continue
		}
		g.partition(q.from, q.to, best)
		mid := q.from + best.left
		left := t.Add(g.classes(q.from, mid))
		g.describe(t, left)
		right := t.Add(g.classes(mid, q.to))
		g.describe(t, right)
		t.Split(q.node, best.column, best.at, left, right)
		stack = append(stack, pending{right, mid, q.to, q.depth + 1, fixed},
			pending{left, q.from, mid, q.depth + 1, fixed})
	}
	return t, nil
}

// columns is a set of columns.
type columns []uint64

func (c columns) add(j int)      { c[j/64] |= 1 << (j % 64) }
func (c columns) has(j int) bool { return c[j/64]>>(j%64)&1 != 0 }

// classes fills total with the weights of the classes of some rows, and returns their sum.
func (g *Grower) classes(from, to int) float64 {
	clear(g.total)
	for _, i := range g.rows[from:to] {
		g.total[g.Y[i]] += g.W[i]
	}
	sum := 0.0
	for _, v := range g.total {
		sum += v
	}
	return sum
}

// describe gives a new node the class shares in total.
func (g *Grower) describe(t *Tree, node int32) {
	for _, v := range g.total {
		t.Value = append(t.Value, v/t.Cover[node])
	}
}

func pure(total []float64) bool {
	n := 0
	for _, v := range total {
		if v > 0 {
			n++
		}
	}
	return n < 2
}

// best is the best split of the rows over the columns that are tried; ties go to the column that was tried first and
// to the lower threshold. As in scikit-learn, columns in which the rows do not differ count as tried, but another is
// tried until one has differing values. It also returns the columns that are known to be such, fixed among them.
func (g *Grower) best(from, to int, weight float64, fixed columns) (chosen, columns) {
	best := chosen{gain: math.Inf(-1)}
	more, varied := false, false
	rows := g.rows[from:to]
	g.class, g.weight = g.class[:0], g.weight[:0]
	for _, i := range rows {
		g.class, g.weight = append(g.class, g.Y[i]), append(g.weight, g.W[i])
	}
	byBins := !g.Random && g.K == 2 && len(rows) >= coarseRows
	waiting, floor := 0, math.Inf(-1)
	judge := func() {
		for i := range g.together[:waiting] {
			best = g.together[i].improve(best, floor)
		}
		waiting = 0
	}
	for k := range g.order {
		if k >= g.Features && varied {
			break
		}
		if g.Rand != nil && (g.Features < g.d || g.Random) { // Fisher and Yates, as far as it is needed
			o := k + g.Rand.IntN(g.d-k)
			g.order[k], g.order[o] = g.order[o], g.order[k]
		}
		j := g.order[k]
		if fixed.has(j) {
			continue
		}
		var varies bool
		if byBins {
			c := &g.together[waiting]
			c.g, c.column, c.rows = g, j, rows
			if varies = c.count(); varies {
				floor = max(floor, c.edge)
				if waiting++; waiting == coarseColumns {
					judge()
				}
			}
		} else {
			var c chosen
			if c, varies = g.column(j, rows, weight); varies && c.left > 0 && c.gain > best.gain {
				best = c
			}
		}
		varied = varied || varies
		if !varies {
			if !more { // what other nodes know stays
				fixed, more = slices.Clone(fixed), true
			}
			fixed.add(j)
		}
	}
	judge()
	if best.edge > 0 {
		g.settle(&best, rows)
	}
	return best, fixed
}

// column is the best split by one column, and whether the rows differ in it at all.
func (g *Grower) column(j int, rows []int32, weight float64) (chosen, bool) {
	code := g.Code[j]
	low, high := code[rows[0]], code[rows[0]]
	g.codes = slices.Grow(g.codes[:0], len(rows))[:len(rows)]
	for k, i := range rows {
		v := code[i]
		g.codes[k] = v
		low, high = min(low, v), max(high, v)
	}
	if !g.apart(j, low, high) {
		return chosen{}, false
	}
	clear(g.lower)
	s := scan{g: g, column: j, rows: len(rows), weight: weight, best: chosen{gain: math.Inf(-1)}}
	if g.Random {
		s.draw(low, high)
		return s.best, true
	}
	if span := int(high-low) + 1; span <= len(rows)/4+16 {
		s.byCounting(low, span)
	} else {
		s.bySorting(low, high)
	}
	return s.best, true
}

// scan goes over the values of a column from the lowest on.
type scan struct {
	g      *Grower
	column int
	rows   int
	weight float64
	seen   int     // rows so far
	below  float64 // their weight
	last   uint32  // code of the last of them
	best   chosen
}

// byCounting sums the classes up by code. The counts of rows stand in front of those of classes.
func (s *scan) byCounting(low uint32, span int) {
	g := s.g
	wide := g.K + 1
	if len(g.counts) < span*wide {
		g.counts = make([]float64, span*wide)
	}
	counts := g.counts[:span*wide]
	clear(counts)
	for k, v := range g.codes {
		at := int(v-low) * wide
		counts[at]++
		counts[at+1+int(g.class[k])] += g.weight[k]
	}
	for v := range span {
		own := counts[v*wide : (v+1)*wide]
		if own[0] == 0 {
			continue
		}
		s.before(low + uint32(v))
		s.seen += int(own[0])
		for c, w := range own[1:] {
			g.lower[c] += w
			s.below += w
		}
	}
}

// bySorting sorts the rows by code.
func (s *scan) bySorting(low, high uint32) {
	g := s.g
	keys := g.keys[:0]
	for k, v := range g.codes {
		keys = append(keys, uint64(v-low)<<32|uint64(uint32(k)))
	}
	g.keys = keys
	for _, key := range g.sorted(keys, high-low) {
		k := uint32(key)
		if code := low + uint32(key>>32); code != s.last || s.seen == 0 {
			s.before(code)
		}
		s.seen++
		g.lower[g.class[k]] += g.weight[k]
		s.below += g.weight[k]
	}
}

// radixRows is from how many rows on sorting by digits pays.
const radixRows = 64

// sorted puts keys in order by the number in their upper half, which is at most so large, and leaves equal ones as they
// come. It returns keys or g.spare.
func (g *Grower) sorted(keys []uint64, largest uint32) []uint64 {
	if len(keys) < radixRows {
		slices.Sort(keys)
		return keys
	}
	g.spare = slices.Grow(g.spare[:0], len(keys))[:len(keys)]
	return bySize(keys, g.spare, bits.Len32(largest))
}

// before judges the threshold between the value before and this one, where they differ.
func (s *scan) before(code uint32) {
	was := s.last
	s.last = code
	if s.seen == 0 || was == code || s.seen < s.g.MinLeaf || s.rows-s.seen < s.g.MinLeaf {
		return
	}
	if !s.g.apart(s.column, was, code) {
		return
	}
	if gain := s.g.gain(s.below, s.weight-s.below); gain > s.best.gain {
		at := s.g.halfway(s.column, was, code)
		s.best = chosen{column: s.column, below: was + 1, at: at, gain: gain, left: s.seen}
	}
}

// apart says whether two values of a column, the lower one first, differ enough for a threshold.
func (g *Grower) apart(column int, low, high uint32) bool {
	values := g.Values[column]
	return float64(values[high]) > float64(values[low])+apartValues
}

// halfway is the threshold between two values of a column.
func (g *Grower) halfway(column int, low, high uint32) float64 {
	values := g.Values[column]
	a, b := float64(values[low]), float64(values[high])
	if at := a/2 + b/2; at != b && !math.IsInf(at, 0) {
		return at
	}
	return a
}

// draw takes a threshold between the lowest and the highest value, evenly (Geurts, Ernst and Wehenkel 2006).
func (s *scan) draw(low, high uint32) {
	g := s.g
	values := g.Values[s.column]
	a, b := float64(values[low]), float64(values[high])
	at := a + float64(g.Rand.Float64()*(b-a))
	if !(at >= a && at < b) {
		at = a
	}
	below, _ := slices.BinarySearchFunc(values, at, func(v float32, t float64) int {
		if float64(v) <= t {
			return -1
		}
		return 1
	})
	for k, v := range g.codes {
		if v < uint32(below) {
			s.seen++
			g.lower[g.class[k]] += g.weight[k]
			s.below += g.weight[k]
		}
	}
	if s.seen < g.MinLeaf || s.rows-s.seen < g.MinLeaf {
		return
	}
	s.best = chosen{column: s.column, below: uint32(below), at: at, gain: g.gain(s.below, s.weight-s.below), left: s.seen}
}

// gain judges a split of the rows in total into those in lower, of the weight left, and the others: minus the weighted
// impurity, but for what does not depend on the split.
func (g *Grower) gain(left, right float64) float64 {
	sum := 0.0
	if g.Entropy {
		for c, v := range g.lower {
			sum += xlogx(v) + xlogx(g.total[c]-v)
		}
		return sum - xlogx(left) - xlogx(right)
	}
	var l, r float64
	for c, v := range g.lower {
		l += float64(v * v)
		u := g.total[c] - v
		r += float64(u * u)
	}
	return l/left + r/right
}

func xlogx(v float64) float64 {
	if v <= 0 {
		return 0
	}
	return v * elementary.Log(v)
}

// partition puts the rows of the left child first, in their order.
func (g *Grower) partition(from, to int, c chosen) {
	code := g.Code[c.column]
	rows := g.rows[from:to]
	keys := g.keys[:0]
	k := 0
	for _, i := range rows {
		if code[i] < c.below {
			rows[k] = i
			k++
		} else {
			keys = append(keys, uint64(uint32(i)))
		}
	}
	for i, v := range keys {
		rows[k+i] = int32(uint32(v))
	}
	g.keys = keys
}
