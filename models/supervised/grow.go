package supervised

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"plumbline/models"
)

// Growth is how a tree of classes is grown.
type Growth struct {
	// what a split lowers: gini (Σ p(1−p)) or entropy (−Σ p log p)
	Criterion string `yaml:"criterion" jsonschema:"enum=gini,enum=entropy"`
	// largest depth; 0 for none
	MaxDepth int `yaml:"max_depth" jsonschema:"minimum=0,maximum=10000"`
	// rows that a node needs to be split
	MinSplit int `yaml:"min_samples_split" jsonschema:"minimum=2,maximum=1000000000"`
	// rows that a leaf has at least
	MinLeaf int `yaml:"min_samples_leaf" jsonschema:"minimum=1,maximum=1000000000"`
}

func defaultGrowth() Growth { return Growth{Criterion: "gini", MinSplit: 2, MinLeaf: 1} }

// grid is a training matrix by columns, each value as its place among the column's distinct values. Splits can then be
// found by counting where a column has few values, and by sorting small integers where it has many.
type grid struct {
	n, d   int
	values [][]float32 // by column: distinct values, rising
	code   [][]uint32  // by column: place of each row's value
}

// newGrid codes the columns of an n×d matrix.
func newGrid(ctx context.Context, env models.Env, x []float32, n, d int) (*grid, error) {
	g := &grid{n: n, d: d, values: make([][]float32, d), code: make([][]uint32, d)}
	err := env.Blocks(ctx, d, 1, func(j, _ int) {
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
		g.values[j], g.code[j] = slices.Clone(distinct), code
	})
	return g, err
}

// grower grows one tree at a time.
type grower struct {
	Growth
	*grid
	y        []int32
	k        int
	w        []float64  // weight of each row
	features int        // columns that are tried at a node
	random   bool       // a threshold is drawn, not searched for (extra trees)
	r        *rand.Rand // nil where nothing is drawn

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

// grow grows a tree on rows, which may repeat; it reorders them.
func (g *grower) grow(ctx context.Context, rows []int32) (*tree, error) {
	g.rows = rows
	if g.order == nil {
		g.order = make([]int, g.d)
		g.total, g.lower = make([]float64, g.k), make([]float64, g.k)
	}
	for j := range g.order {
		g.order[j] = j
	}
	t := &tree{}
	type pending struct {
		node     int32
		from, to int
		depth    int
	}
	root := t.add(g.classes(0, len(rows)))
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
		left := t.add(g.classes(q.from, mid))
		g.describe(t, left)
		right := t.add(g.classes(mid, q.to))
		g.describe(t, right)
		t.split(q.node, best.column, best.at, left, right)
		stack = append(stack, pending{right, mid, q.to, q.depth + 1},
			pending{left, q.from, mid, q.depth + 1})
	}
	return t, nil
}

// classes fills total with the weights of the classes of some rows, and returns their sum.
func (g *grower) classes(from, to int) float64 {
	clear(g.total)
	for _, i := range g.rows[from:to] {
		g.total[g.y[i]] += g.w[i]
	}
	sum := 0.0
	for _, v := range g.total {
		sum += v
	}
	return sum
}

// describe gives a new node the class shares in total.
func (g *grower) describe(t *tree, node int32) {
	for _, v := range g.total {
		t.value = append(t.value, v/t.cover[node])
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
func (g *grower) best(from, to int, weight float64) chosen {
	best := chosen{gain: math.Inf(-1)}
	tried := 0
	g.class, g.weight = g.class[:0], g.weight[:0]
	for _, i := range g.rows[from:to] {
		g.class, g.weight = append(g.class, g.y[i]), append(g.weight, g.w[i])
	}
	for k := range g.order {
		if g.r != nil && (g.features < g.d || g.random) { // Fisher and Yates, as far as it is needed
			o := k + g.r.IntN(g.d-k)
			g.order[k], g.order[o] = g.order[o], g.order[k]
		}
		c, varies := g.column(g.order[k], from, to, weight)
		if !varies {
			continue
		}
		if c.left > 0 && c.gain > best.gain {
			best = c
		}
		if tried++; tried == g.features {
			break
		}
	}
	return best
}

// column is the best split by one column, and whether the rows differ in it at all.
func (g *grower) column(j, from, to int, weight float64) (chosen, bool) {
	code, rows := g.code[j], g.rows[from:to]
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
	if g.random {
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
	g      *grower
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
	wide := g.k + 1
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
func (g *grower) bySize(keys []uint64, width int) []uint64 {
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
	values := s.g.values[s.column]
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
	if at == float64(s.g.values[s.column][code]) || math.IsInf(at, 0) {
		at = float64(s.g.values[s.column][was])
	}
	s.best = chosen{column: s.column, below: was + 1, at: at, gain: gain, left: s.seen}
}

// draw takes a threshold between the lowest and the highest value, evenly (Geurts, Ernst and Wehenkel 2006).
func (s *scan) draw(low, high uint32) {
	g := s.g
	values := g.values[s.column]
	a, b := float64(values[low]), float64(values[high])
	at := a + g.r.Float64()*(b-a)
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
func (g *grower) gain(left, right float64) float64 {
	sum := 0.0
	if g.Criterion == "entropy" {
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
func (g *grower) partition(from, to int, c chosen) {
	code := g.code[c.column]
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
