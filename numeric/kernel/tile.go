package kernel

import (
	"math"
	"slices"
	"unsafe"

	"plumbline/numeric/elementary"
)

// Tiles: products x·y of up to TileRows rows x with a panel of rows y at a time, and what distances, kernels and
// choices need of them, while both are in the fastest memory. A number of a tile depends on its two rows alone,
// not on where they stand in tile and panel.

// Real is what tiles are made of.
type Real interface{ float32 | float64 }

// TileRows is how many rows x a tile takes: a multiple of what the products do at once, few enough that the tile
// and its rows stay in the first level of the cache at the widths of traffic data.
const TileRows = 48

// tileBytes is the length of a tile's row.
const tileBytes = 128

// PanelRows is how many rows y a panel has: 32 of float32, 16 of float64.
func PanelRows[T Real]() int { return tileBytes / size[T]() }

func size[T Real]() int {
	var v T
	return int(unsafe.Sizeof(v))
}

// ops are the primitives of tiles of one type; rows of a tile are tileBytes apart.
type ops[T Real] struct {
	cols    int // that gemm makes
	gemm    func(m, k int, a *T, rs, cs int, b *T, ldb int, c *T, ldc int, bias *T, acc int)
	squares func(rows int, c, nx, ny *T)
	rbf     func(rows int, c, nx, ny *T)
	rbfSum  func(rows int, c, nx, ny *T, w, acc *float64)
	below   func(rows int, c, nx, ny, limits *T, masks *uint32)
	power   func(rows int, c *T, scale, offset T, degree int)
	argMin  func(rows int, c, half *T, first int32, best, second *T, index *int32) // of float32
	top     func(rows int, c, nx, ny, top *T)                                      // of float64
	expSum  func(rows int, c, top, sum *T)                                         // of float64
}

func opsOf[T Real](s *set) *ops[T] {
	if o, ok := any(&s.single).(*ops[T]); ok {
		return o
	}
	return any(&s.double).(*ops[T])
}

// aligned is n zeros at an address that is a multiple of 64.
func aligned[T Real](n int) []T {
	b := make([]T, n+64/size[T]())
	at := 0
	for uintptr(unsafe.Pointer(&b[at]))%64 != 0 {
		at++
	}
	return b[at : at+n : at+n]
}

// SquaredLength is Σ x_j², added up in float64.
func SquaredLength[T Real](x []T) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return sum
}

// Apart is ‖a−b‖² over the length of a, from differences in float64, in four sums side by side: one would wait for
// itself.
func Apart[A, B Real](a []A, b []B) float64 {
	var s, t, u, v float64
	b = b[:len(a)]
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		c, d := float64(a[0])-float64(b[0]), float64(a[1])-float64(b[1])
		e, f := float64(a[2])-float64(b[2]), float64(a[3])-float64(b[3])
		s, t, u, v = s+float64(c*c), t+float64(d*d), u+float64(e*e), v+float64(f*f)
	}
	for j, x := range a {
		c := float64(x) - float64(b[j])
		s += float64(c * c)
	}
	return (s + t) + (u + v)
}

// Middles are a value of each column of the row-major n×d matrix x near to its median. Taken from rows before they
// are packed, it changes no distance, but decides what products lose to cancellation: it is near to most rows,
// whatever a few others hold, and as a value of the data it keeps whole numbers whole and their products exact. It
// is found among about a thousand rows.
func Middles[T Real](x []T, n, d int) []float64 {
	const enough = 1001
	step := max(1, n/enough)
	out, some := make([]float64, d), make([]T, 0, n/step+1)
	for j := range out {
		some = some[:0]
		for i := 0; i < n; i += step {
			some = append(some, x[i*d+j])
		}
		if slices.Sort(some); len(some) > 0 {
			out[j] = float64(some[len(some)/2])
		}
	}
	return out
}

// Panels are n rows y of d numbers, laid out for products with others: in panels of PanelRows rows, each stored
// column by column, the last filled up with zeros.
type Panels[T Real] struct {
	N, D  int
	x     []T
	norms []T // squared lengths; +Inf for filling, which is therefore near to nothing
}

// NewPanels is room for n rows of d ≥ 1 numbers, to be filled by Set.
func NewPanels[T Real](n, d int) *Panels[T] {
	if n < 0 || d < 1 {
		panic("kernel: NewPanels: rows without numbers")
	}
	w := PanelRows[T]()
	count := (n + w - 1) / w
	p := &Panels[T]{N: n, D: d, x: aligned[T](count * w * d), norms: aligned[T](count * w)}
	for i := n; i < len(p.norms); i++ {
		p.norms[i] = T(math.Inf(1))
	}
	return p
}

// Count is the number of panels.
func (p *Panels[T]) Count() int { return len(p.norms) / PanelRows[T]() }

// Size is the number of rows in panel k that are no filling.
func (p *Panels[T]) Size(k int) int { return min(PanelRows[T](), p.N-k*PanelRows[T]()) }

func (p *Panels[T]) base(i int) int {
	w := PanelRows[T]()
	return i/w*w*p.D + i%w
}

// PackRows packs the rows of a row-major n×d matrix.
func PackRows[T Real](x []T, n, d int) *Panels[T] {
	p := NewPanels[T](n, d)
	for i := range n {
		p.Set(i, x[i*d:(i+1)*d])
	}
	return p
}

// Set makes row i; its squared length is added up in float64 and rounded.
func (p *Panels[T]) Set(i int, row []T) {
	at, w := p.base(i), PanelRows[T]()
	for _, v := range row[:p.D] {
		p.x[at] = v
		at += w
	}
	p.norms[i] = T(SquaredLength(row))
}

// Row copies row i to dst.
func (p *Panels[T]) Row(i int, dst []T) {
	at, w := p.base(i), PanelRows[T]()
	for j := range dst[:p.D] {
		dst[j] = p.x[at]
		at += w
	}
}

// Norm is the squared length of row i.
func (p *Panels[T]) Norm(i int) T { return p.norms[i] }

// Tile is the products of up to TileRows rows x with one panel after the other. It is scratch memory of one
// goroutine.
type Tile[T Real] struct {
	ops   *ops[T]
	d     int
	x     []T
	norms []T
	c     []T // TileRows × PanelRows
	masks []uint32
	none  []T // TileRows zeros
}

// NewTile is a tile for rows of d numbers.
func NewTile[T Real](d int) *Tile[T] {
	return &Tile[T]{ops: opsOf[T](use), d: d, c: aligned[T](TileRows * PanelRows[T]()), masks: make([]uint32, TileRows),
		none: make([]T, TileRows)}
}

// Use takes rows x, row-major and len(norms) of them, with their squared lengths. They are only lent.
func (t *Tile[T]) Use(x, norms []T) {
	if len(norms) > TileRows || len(x) < len(norms)*t.d {
		panic("kernel: Tile.Use: rows that do not fit")
	}
	t.x, t.norms = x, norms
}

// UseForProducts takes rows as Use does, without their lengths: nothing but Products, Prefix and sums of them may be
// asked of the tile.
func (t *Tile[T]) UseForProducts(x []T, rows int) { t.Use(x, t.none[:rows]) }

// Norm is the squared length of row x_i.
func (t *Tile[T]) Norm(i int) T { return t.norms[i] }

// Apart is ‖x−y‖² of row x_i and row y_j of p from their difference, in float64.
func (t *Tile[T]) Apart(i int, p *Panels[T], j int) float64 {
	at, w := p.base(j), PanelRows[T]()
	sum := 0.0
	for _, v := range t.x[i*t.d : (i+1)*t.d] {
		diff := float64(v) - float64(p.x[at])
		sum += float64(diff * diff)
		at += w
	}
	return sum
}

// Products is x·y for the rows y of panel k, row-major with PanelRows columns.
func (t *Tile[T]) Products(p *Panels[T], k int) []T { return t.Prefix(p, k, t.d) }

// Prefix is Products over the first depth ≥ 1 numbers of each row alone.
func (t *Tile[T]) Prefix(p *Panels[T], k, depth int) []T {
	if p.D != t.d || depth < 1 || depth > t.d || k < 0 || k >= p.Count() {
		panic("kernel: Tile: panels that do not fit")
	}
	if len(t.norms) == 0 {
		return nil
	}
	w, bytes := PanelRows[T](), size[T]()
	panel := p.x[k*w*t.d : (k+1)*w*t.d]
	for h := 0; h < w; h += t.ops.cols {
		t.ops.gemm(len(t.norms), depth, &t.x[0], t.d*bytes, bytes, &panel[h], tileBytes, &t.c[h], tileBytes, nil, 0)
	}
	return t.c[:len(t.norms)*w]
}

// with gives f the products and the squared lengths of rows and panel.
func (t *Tile[T]) with(p *Panels[T], k int, f func(rows int, c, nx, ny *T)) []T {
	c := t.Products(p, k)
	if len(c) > 0 {
		f(len(t.norms), &c[0], &t.norms[0], &p.norms[k*PanelRows[T]()])
	}
	return c
}

// Squares is ‖x−y‖² as ‖x‖²+‖y‖²−2x·y, not below 0: the rounding of the lengths remains in a small distance of
// long rows.
func (t *Tile[T]) Squares(p *Panels[T], k int) []T { return t.with(p, k, t.ops.squares) }

// RBF is exp(−‖x−y‖²). What is below e⁻⁸⁶ in float32, e⁻⁷⁰⁷ in float64, is that.
func (t *Tile[T]) RBF(p *Panels[T], k int) []T { return t.with(p, k, t.ops.rbf) }

// RBFSum adds to acc, one number for each row y of the panel, the sums of exp(−‖x−y‖²) over the rows x, each with
// its weight. Sums are in float64 and in the order of the rows.
func (t *Tile[T]) RBFSum(p *Panels[T], k int, weights, acc []float64) {
	c := t.Products(p, k)
	if n := len(t.norms); n > 0 {
		acc, weights = acc[:PanelRows[T]()], weights[:n]
		t.ops.rbfSum(n, &c[0], &t.norms[0], &p.norms[k*len(acc)], &weights[0], &acc[0])
	}
}

// Below is Squares, and a mask for each row x: bit j is set where row y_j is at most the row's limit away.
func (t *Tile[T]) Below(p *Panels[T], k int, limits []T) (squares []T, masks []uint32) {
	c := t.Products(p, k)
	if n := len(t.norms); n > 0 {
		limits = limits[:n]
		t.ops.below(n, &c[0], &t.norms[0], &p.norms[k*PanelRows[T]()], &limits[0], &t.masks[0])
	}
	return c, t.masks[:len(t.norms)]
}

// Power is (scale·x·y + offset)^degree, degree at least 1.
func (t *Tile[T]) Power(p *Panels[T], k int, scale, offset T, degree int) []T {
	if degree < 1 {
		panic("kernel: Tile.Power: degree below 1")
	}
	c := t.Products(p, k)
	if len(c) > 0 {
		t.ops.power(len(t.norms), &c[0], scale, offset, degree)
	}
	return c
}

// Sigmoid is tanh(scale·x·y + offset), in float32 to 3e-7.
func (t *Tile[T]) Sigmoid(p *Panels[T], k int, scale, offset T) []T {
	c := t.Power(p, k, scale, offset, 1)
	if single, ok := any(c).([]float32); ok {
		Tanh(single)
		return c
	}
	for i, v := range c {
		c[i] = T(elementary.Tanh(float64(v)))
	}
	return c
}

// Nearest is the search for the nearest of several rows x, for each row of panels: the row with the least
// ‖x‖²/2 − x·y, the second least, and which row that is.
type Nearest struct {
	Best, Second []float32 // of the rows y, filling included
	Index        []int32
}

// NewNearest is a search for the rows of p.
func NewNearest(p *Panels[float32]) *Nearest {
	rows := len(p.norms)
	n := &Nearest{aligned[float32](rows), aligned[float32](rows), make([]int32, rows)}
	n.Reset(0, p.Count())
	return n
}

// Reset forgets what was found for panels from to to−1.
func (n *Nearest) Reset(from, to int) {
	w := PanelRows[float32]()
	for i := from * w; i < to*w; i++ {
		n.Best[i], n.Second[i], n.Index[i] = float32(math.Inf(1)), float32(math.Inf(1)), 0
	}
}

// Choose tries the tile's rows, which are counted from first, on the rows of panel k; half are half the squared
// lengths of the rows x. The first of equals counts.
func (n *Nearest) Choose(t *Tile[float32], p *Panels[float32], k int, half []float32, first int) {
	c := t.Products(p, k)
	if rows := len(t.norms); rows > 0 {
		w := PanelRows[float32]()
		half = half[:rows]
		best, second, index := n.Best[k*w:(k+1)*w], n.Second[k*w:(k+1)*w], n.Index[k*w:(k+1)*w]
		t.ops.argMin(rows, &c[0], &half[0], int32(first), &best[0], &second[0], &index[0])
	}
}

// LogSum is the search for log Σ exp(−‖x−y‖²) over rows x, for the rows y of some panels; sums are scaled by the
// largest term so far, so that they neither overflow nor vanish.
type LogSum struct {
	top, was, sum []float64
}

// NewLogSum is an empty sum for the rows of count panels.
func NewLogSum(count int) *LogSum {
	n := count * PanelRows[float64]()
	l := &LogSum{aligned[float64](n), aligned[float64](n), aligned[float64](n)}
	l.Reset()
	return l
}

// Reset empties the sums.
func (l *LogSum) Reset() {
	clear(l.sum)
	for i := range l.top {
		l.top[i] = -math.MaxFloat64 // −Inf less itself would be no number
	}
}

// Add adds the tile's rows for panel k of p.
func (l *LogSum) Add(t *Tile[float64], p *Panels[float64], k int) {
	c := t.Products(p, k)
	rows := len(t.norms)
	if rows == 0 {
		return
	}
	w := PanelRows[float64]()
	top, was, sum := l.top[k*w:(k+1)*w], l.was[k*w:(k+1)*w], l.sum[k*w:(k+1)*w]
	copy(was, top)
	t.ops.top(rows, &c[0], &t.norms[0], &p.norms[k*w], &top[0])
	for j, v := range top {
		if v > was[j] {
			sum[j] *= elementary.Exp(was[j] - v)
		}
	}
	t.ops.expSum(rows, &c[0], &top[0], &sum[0])
}

// Log is the logarithm of the sum of row i.
func (l *LogSum) Log(i int) float64 { return l.top[i] + elementary.Log(l.sum[i]) }

// AddGram adds XᵀX to c for rows rows of x, ld numbers apart, a multiple of 16: the block of c with all columns up
// to ld whose numbers are on or above the diagonal; what is below it is not to be used. c has d rows of ld numbers.
func AddGram(rows, d int, x []float64, ld int, c []float64) {
	w := PanelRows[float64]()
	if rows < 1 {
		return
	}
	if d < 1 || ld < d || ld%w != 0 || len(x) < rows*ld || len(c) < d*ld {
		panic("kernel: AddGram: shapes do not fit")
	}
	o := &use.double
	for h := 0; h < ld; h += o.cols {
		m := min(d, (h/w+1)*w)
		o.gemm(m, rows, &x[0], 8, ld*8, &x[h], ld*8, &c[h], ld*8, nil, 1)
	}
}

// AddProducts adds a·b to c, m×cols numbers whose rows are ldc apart: a is m×k with strides in numbers, b has k rows
// ldb apart. cols is a multiple of 16, k at least 1. c overlaps neither a nor b.
func AddProducts(m, k int, a []float64, rowStride, colStride int, b []float64, ldb, cols int, c []float64, ldc int) {
	if m < 1 || cols < 1 {
		return
	}
	checkMul(m, k, a, rowStride, colStride)
	if cols%PanelRows[float64]() != 0 || ldb < cols || len(b) < (k-1)*ldb+cols || ldc < cols || len(c) < (m-1)*ldc+cols {
		panic("kernel: AddProducts: shapes do not fit")
	}
	o := &use.double
	for h := 0; h < cols; h += o.cols {
		o.gemm(m, k, &a[0], rowStride*8, colStride*8, &b[h], ldb*8, &c[h], ldc*8, nil, 1)
	}
}
