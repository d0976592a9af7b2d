package trees

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"plumbline/numeric/parallel"
)

// Growth is how a tree of classes is grown.
type Growth struct {
	Entropy  bool // a split lowers the entropy, −Σ p log p, not Gini's impurity, Σ p(1−p)
	MaxDepth int  // 0: none
	MinSplit int  // rows that a node needs to be split
	MinLeaf  int  // rows that a leaf has at least
}

// Grid is a training matrix by columns, each value as its place among the column's distinct values. Splits can then be
// found by counting where a column has few values, and by sorting small integers where it has many.
type Grid struct {
	n, d   int
	Values [][]float32 // by column: distinct values, rising
	Code   [][]uint32  // by column: place of each row's value
}

// NewGrid codes the columns of a row-major n×d matrix.
func NewGrid(ctx context.Context, x []float32, n, d, workers int) (*Grid, error) {
	g := &Grid{n: n, d: d, Values: make([][]float32, d), Code: make([][]uint32, d)}
	err := parallel.Blocks(ctx, workers, d, 1, func(j, _ int) {
		column := make([]float32, n)
		for i := range column {
			column[i] = x[i*d+j]
		}
		distinct := slices.Clone(column)
		slices.Sort(distinct)
		distinct = slices.Compact(distinct)
		code := make([]uint32, n)
		for i, v := range column {
			at, _ := slices.BinarySearch(distinct, v)
			code[i] = uint32(at)
		}
		g.Values[j], g.Code[j] = slices.Clone(distinct), code
	})
	return g, err
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
	class  []int32
	weight []float64
	codes  []uint32 // of the column that is being tried
}

// chosen is a split of a node.
type chosen struct {
	column int
	below  uint32  // rows with codes below it go left
	at     float64 // threshold on values
	gain   float64 // what it is judged by: larger is better
	left   int     // rows that go left
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
	}
	root := t.Add(g.classes(0, len(rows)))
	g.describe(t, root)
	stack := []pending{{root, 0, len(rows), 0}}
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
		best := g.best(q.from, q.to, weight)
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
		stack = append(stack, pending{right, mid, q.to, q.depth + 1},
			pending{left, q.from, mid, q.depth + 1})
	}
	return t, nil
}

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
// to the lower threshold. Columns without two values there do not count as tried.
func (g *Grower) best(from, to int, weight float64) chosen {
	best := chosen{gain: math.Inf(-1)}
	tried := 0
	g.class, g.weight = g.class[:0], g.weight[:0]
	for _, i := range g.rows[from:to] {
		g.class, g.weight = append(g.class, g.Y[i]), append(g.weight, g.W[i])
	}
	for k := range g.order {
		if g.Rand != nil && (g.Features < g.d || g.Random) { // Fisher and Yates, as far as it is needed
			o := k + g.Rand.IntN(g.d-k)
			g.order[k], g.order[o] = g.order[o], g.order[k]
		}
		c, varies := g.column(g.order[k], from, to, weight)
		if !varies {
			continue
		}
		if c.left > 0 && c.gain > best.gain {
			best = c
		}
		if tried++; tried == g.Features {
			break
		}
	}
	return best
}

// column is the best split by one column, and whether the rows differ in it at all.
func (g *Grower) column(j, from, to int, weight float64) (chosen, bool) {
	code, rows := g.Code[j], g.rows[from:to]
	low, high := code[rows[0]], code[rows[0]]
	g.codes = slices.Grow(g.codes[:0], len(rows))[:len(rows)]
	for k, i := range rows {
		v := code[i]
		g.codes[k] = v
		low, high = min(low, v), max(high, v)
	}
	if low == high {
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
	if len(keys) < radixRows {
		slices.Sort(keys)
	} else {
		keys = g.bySize(keys, bits.Len32(high-low))
	}
	for _, key := range keys {
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

// bySize sorts keys by the number in their upper half, which has width bits, and leaves equal ones as they come: by
// digits of eight bits from the lowest on. It returns keys or g.spare, which it sorts into.
func (g *Grower) bySize(keys []uint64, width int) []uint64 {
	g.spare = slices.Grow(g.spare[:0], len(keys))[:len(keys)]
	from, to := keys, g.spare
	for shift := 32; shift < 32+width; shift += 8 {
		var at [256]int32
		for _, key := range from {
			at[uint8(key>>shift)]++
		}
		sum := int32(0)
		for d, n := range at {
			at[d] = sum
			sum += n
		}
		for _, key := range from {
			d := uint8(key >> shift)
			to[at[d]] = key
			at[d]++
		}
		from, to = to, from
	}
	return from
}

// before judges the threshold between the value before and this one, where they differ.
func (s *scan) before(code uint32) {
	was := s.last
	s.last = code
	if s.seen == 0 || was == code || s.seen < s.g.MinLeaf || s.rows-s.seen < s.g.MinLeaf {
		return
	}
	values := s.g.Values[s.column]
	low, high := float64(values[was]), float64(values[code])
	if high <= low+1e-7 { // as in scikit-learn: values that close count as one
		return
	}
	s.judge(was, code, low/2+high/2)
}

// judge compares a threshold with the best so far.
func (s *scan) judge(was, code uint32, at float64) {
	gain := s.g.gain(s.below, s.weight-s.below)
	if gain <= s.best.gain {
		return
	}
	if at == float64(s.g.Values[s.column][code]) || math.IsInf(at, 0) {
		at = float64(s.g.Values[s.column][was])
	}
	s.best = chosen{column: s.column, below: was + 1, at: at, gain: gain, left: s.seen}
}

// draw takes a threshold between the lowest and the highest value, evenly (Geurts, Ernst and Wehenkel 2006).
func (s *scan) draw(low, high uint32) {
	g := s.g
	values := g.Values[s.column]
	a, b := float64(values[low]), float64(values[high])
	at := a + g.Rand.Float64()*(b-a)
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
		l += v * v
		u := g.total[c] - v
		r += u * u
	}
	return l/left + r/right
}

func xlogx(v float64) float64 {
	if v <= 0 {
		return 0
	}
	return v * math.Log(v)
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
