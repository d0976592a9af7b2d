package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"
)

// set is one implementation of the primitives. Strides are in bytes.
type set struct {
	name     string
	wide     bool // gemm2 makes 32 columns, not 16
	gemm1    func(m, k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, bias *float32, acc int)
	gemm2    func(m, k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, bias *float32, acc int)
	tanh     func(n int, x *float32)
	tanhGrad func(rows, cols int, d, a *float32, ld int, db *float32)
	colSum   func(rows, cols int, d *float32, ld int, db *float32)
	mse      func(rows, cols int, y, x *float32, ld int, db, sq *float32, scale float32)
	sqDist   func(n int, y, x *float32) float32
	adam     func(n int, p, m, v, g *float32, shards, stride int, b1, c1, b2, c2, lr, eps, rbc2 float32)
	product  func(rows, cols int, d, h *float32, ld int, sum *float32)
	spread   func(rows, cols int, x *float32, ld int, mean, sum *float32)
	norm     func(rows, cols int, x, y *float32, ld int, mean, inv, scale, shift *float32)
	normGrad func(rows, cols int, d, h *float32, ld int, mean, dot, factor, sum *float32)
	flip     func(rows, cols int, dst *float32, ldd int, src *float32, lds int)
	lstm     func(rows, hid int, g *float32, ldg int, cp, c, tc *float32, ldc int, h *float32, ldh int)
	lstmGrad func(rows, hid int, g *float32, ldg int, cp, tc, dc *float32, ldc int, dh *float32, ldh int)
	peak     func(n int, x float32) float32
	each     int // multiply-adds of one round of peak
	single   ops[float32]
	double   ops[float64]
}

// use is the implementation at work.
var use = choose(os.Getenv("PLUMBLINE_ISA"))

// choose is the best implementation that this processor can run, or the one that is named.
func choose(name string) *set {
	sets := available()
	if name == "" {
		return sets[0]
	}
	i := slices.IndexFunc(sets, func(s *set) bool { return s.name == name })
	if i < 0 {
		var names []string
		for _, s := range sets {
			names = append(names, s.name)
		}
		panic(fmt.Sprintf("kernel: PLUMBLINE_ISA=%s: this processor has %s", name, strings.Join(names, ", ")))
	}
	return sets[i]
}

// Name is the instruction set at work: avx512, avx2 or generic.
func Name() string { return use.name }

// MulAdds makes rounds of multiply-adds that wait for nothing, at least one, and returns how many floating-point
// operations that were, two each: by the time that they take, the peak that a core's products of matrices are held to.
func MulAdds(rounds int) (operations float64) {
	rounds = max(1, rounds)
	use.peak(rounds, 1)
	return 2 * float64(use.each) * float64(rounds)
}

// Width is the multiple that columns are padded to.
const Width = 16

// Pad is n rounded up to a multiple of Width.
func Pad(n int) int { return (n + Width - 1) / Width * Width }

// Alloc is n zeros at an address that is a multiple of 64, where vectors are loaded fastest.
func Alloc(n int) []float32 {
	b := make([]float32, n+16)
	at := 0
	for uintptr(unsafe.Pointer(&b[at]))%64 != 0 {
		at++
	}
	return b[at : at+n : at+n]
}

// Packed is a matrix in panels of 32 columns, the last perhaps of 16, the rows of a panel one after the
// other: the form that products read fastest. Columns are padded to Width and rows to 8, with zeros.
type Packed struct {
	Rows, Cols int // padded
	Data       []float32
}

const panelWidth = 2 * Width

// PackedLen is how many numbers a packed matrix takes.
func PackedLen(rows, cols int) int { return padRows(rows) * Pad(cols) }

func padRows(n int) int { return (n + 7) / 8 * 8 }

// NewPacked lays a matrix over data, or over memory of its own for nil.
func NewPacked(rows, cols int, data []float32) Packed {
	n := PackedLen(rows, cols)
	if data == nil {
		data = Alloc(n)
	}
	return Packed{padRows(rows), Pad(cols), data[:n:n]}
}

// Panels is how many panels there are.
func (p Packed) Panels() int { return (p.Cols + panelWidth - 1) / panelWidth }

// Panel is where panel j begins in Data, and its width.
func (p Packed) Panel(j int) (at, width int) {
	return p.Rows * panelWidth * j, min(p.Cols-panelWidth*j, panelWidth)
}

// Index is where element (i, j) is in Data.
func (p Packed) Index(i, j int) int {
	at, width := p.Panel(j / panelWidth)
	return at + i*width + j%panelWidth
}

const bytes = 4 // of a float32

// Mul makes c (m×b.Cols, rows ldc apart) the product of a (m×k, with strides in numbers) and the first k rows
// of b, plus bias (b.Cols numbers, or nil); with add, it adds the product to c instead, and bias must be nil.
// k is at least 1.
func Mul(m, k int, a []float32, rowStride, colStride int, b Packed, c []float32, ldc int, bias []float32, add bool) {
	if m == 0 {
		return
	}
	checkMul(m, k, a, rowStride, colStride)
	if k > b.Rows || ldc < b.Cols || len(c) < (m-1)*ldc+b.Cols || bias != nil && (len(bias) < b.Cols || add) {
		panic("kernel: Mul: shapes do not fit")
	}
	for j := range b.Panels() {
		at, width := b.Panel(j)
		for h := 0; h < width; {
			gemm, cols := use.gemm(width - h)
			var offset *float32
			if bias != nil {
				offset = &bias[panelWidth*j+h]
			}
			gemm(m, k, &a[0], rowStride*bytes, colStride*bytes, &b.Data[at+h], width*bytes,
				&c[panelWidth*j+h], ldc*bytes, offset, flag(add))
			h += cols
		}
	}
}

// MulInto makes the first m rows of packed c the product of a (m×k, with strides in numbers) and b (k rows,
// ldb apart); with add, it adds it. k is at least 1.
func MulInto(m, k int, a []float32, rowStride, colStride int, b []float32, ldb int, c Packed, add bool) {
	if m == 0 {
		return
	}
	checkMul(m, k, a, rowStride, colStride)
	if m > c.Rows || ldb < c.Cols || len(b) < (k-1)*ldb+c.Cols {
		panic("kernel: MulInto: shapes do not fit")
	}
	for j := range c.Panels() {
		at, width := c.Panel(j)
		for h := 0; h < width; {
			gemm, cols := use.gemm(width - h)
			gemm(m, k, &a[0], rowStride*bytes, colStride*bytes, &b[panelWidth*j+h], ldb*bytes,
				&c.Data[at+h], width*bytes, nil, flag(add))
			h += cols
		}
	}
}

func checkMul[T Real](m, k int, a []T, rowStride, colStride int) {
	if k < 1 || rowStride < 0 || colStride < 0 || len(a) <= (m-1)*rowStride+(k-1)*colStride {
		panic("kernel: product of shapes that do not fit")
	}
}

type gemm func(m, k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, bias *float32, acc int)

// gemm is the kernel for the next columns of a panel, and how many it makes.
func (s *set) gemm(left int) (gemm, int) {
	switch {
	case !s.wide:
		return s.gemm2, Width
	case left == panelWidth:
		return s.gemm2, panelWidth
	}
	return s.gemm1, Width
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TransposePanel writes panel j of w to its place in wt, the transposed matrix.
func TransposePanel(w Packed, j int, wt Packed) {
	at, width := w.Panel(j)
	for q := range wt.Panels() {
		to, wide := wt.Panel(q)
		rows := min(w.Rows-panelWidth*q, panelWidth)
		if rows <= 0 {
			return
		}
		use.flip(rows, width, &wt.Data[to+panelWidth*j*wide], wide*bytes, &w.Data[at+panelWidth*q*width], width*bytes)
	}
}

// Tanh replaces the values, a multiple of Width, by their hyperbolic tangents, with an error of at most 3e-7.
// NaN becomes ±1.
func Tanh(x []float32) {
	if len(x)%Width != 0 {
		panic("kernel: Tanh: not a multiple of the width")
	}
	if len(x) > 0 {
		use.tanh(len(x), &x[0])
	}
}

// TanhGrad multiplies d by the derivative of tanh where that gave a, d·(1−a²), and adds the column sums to db
// (ld numbers). d and a have rows rows of ld numbers, a multiple of Width.
func TanhGrad(rows, ld int, d, a, db []float32) {
	if checkRows(rows, ld, d, a) {
		use.tanhGrad(rows, ld, &d[0], &a[0], ld*bytes, &db[:ld][0])
	}
}

// ColumnSums adds the column sums of d to db.
func ColumnSums(rows, ld int, d, db []float32) {
	if checkRows(rows, ld, d, d) {
		use.colSum(rows, ld, &d[0], ld*bytes, &db[:ld][0])
	}
}

// ColumnProducts adds the column sums of d·h, number by number, to sum.
func ColumnProducts(rows, ld int, d, h, sum []float32) {
	if checkRows(rows, ld, d, h) {
		use.product(rows, ld, &d[0], &h[0], ld*bytes, &sum[:ld][0])
	}
}

// ColumnSpread adds the column sums of (x−mean)² to sum.
func ColumnSpread(rows, ld int, x, mean, sum []float32) {
	if checkRows(rows, ld, x, x) {
		use.spread(rows, ld, &x[0], ld*bytes, &mean[:ld][0], &sum[:ld][0])
	}
}

// Normalise makes x (x−mean)·inv, and y that times scale plus shift, column by column.
func Normalise(rows, ld int, x, mean, inv, scale, shift, y []float32) {
	if checkRows(rows, ld, x, y) {
		use.norm(rows, ld, &x[0], &y[0], ld*bytes, &mean[:ld][0], &inv[:ld][0], &scale[:ld][0], &shift[:ld][0])
	}
}

// NormaliseGrad makes d (d−mean−hat·dot)·factor, column by column, and adds its column sums to sum.
func NormaliseGrad(rows, ld int, d, hat, mean, dot, factor, sum []float32) {
	if checkRows(rows, ld, d, hat) {
		use.normGrad(rows, ld, &d[0], &hat[0], ld*bytes, &mean[:ld][0], &dot[:ld][0], &factor[:ld][0], &sum[:ld][0])
	}
}

// SquaredError makes y the gradient (y−x)·scale, adds its column sums to db, and returns the sum of (y−x)².
// lanes is scratch memory of the caller's, because what an indirect call is given would be allocated each time.
func SquaredError(rows, ld int, y, x, db []float32, scale float32, lanes *[Width]float32) float64 {
	if !checkRows(rows, ld, y, x) {
		return 0
	}
	clear(lanes[:])
	use.mse(rows, ld, &y[0], &x[0], ld*bytes, &db[:ld][0], &lanes[0], scale)
	sum := 0.0
	for _, v := range lanes {
		sum += float64(v)
	}
	return sum
}

// SquareDistance is Σ(y−x)² over rows of one length, a multiple of Width.
func SquareDistance(y, x []float32) float32 {
	if len(y) != len(x) || len(y)%Width != 0 {
		panic("kernel: SquareDistance: rows that do not fit")
	}
	if len(y) == 0 {
		return 0
	}
	return use.sqDist(len(y), &y[0], &x[0])
}

func checkRows(rows, ld int, a, b []float32) bool {
	if ld%Width != 0 || len(a) < rows*ld || len(b) < rows*ld {
		panic("kernel: rows that do not fit")
	}
	return rows > 0 && ld > 0
}

// Adam is one step of Adam (Kingma and Ba 2015): with g the sum of the shards' gradients, each stride numbers
// after the one before, m ← β₁m+(1−β₁)g, v ← β₂v+(1−β₂)g², p ← p − lr·m/(√v·root+ε), β₁ = .9, β₂ = .999,
// ε = 1e-8. lr and root carry the bias corrections η/(1−β₁ᵗ) and 1/√(1−β₂ᵗ). The length is a multiple of Width.
func Adam(p, m, v, g []float32, shards, stride int, lr, root float32) {
	n := len(p)
	if n%Width != 0 || len(m) < n || len(v) < n || shards < 1 || len(g) < (shards-1)*stride+n {
		panic("kernel: Adam: shapes do not fit")
	}
	if n > 0 {
		use.adam(n, &p[0], &m[0], &v[0], &g[0], shards, stride*bytes, 0.9, 1-0.9, 0.999, 1-0.999, lr, 1e-8, root)
	}
}

// LSTM is one step of an LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers and others 2000)
// for rows rows of hid units, a multiple of Width. A row of g, ldg numbers after the one before, holds the
// sums of the gates i, f, g and o, hid numbers each, and gets the gates' values: σ of i, f and o, tanh of g.
// From the cells before, the cells c = f·before + i·g are made, tc = tanh c, and h = o·tc. Rows of h are ldh
// numbers apart, those of before, c and tc hid. c may be before.
func LSTM(rows, hid int, g []float32, ldg int, before, c, tc, h []float32, ldh int) {
	if checkCells(rows, hid, g, ldg, before, c, tc, h, ldh) {
		use.lstm(rows, hid, &g[0], ldg*bytes, &before[0], &c[0], &tc[0], hid*bytes, &h[0], ldh*bytes)
	}
}

// LSTMGrad goes back through what LSTM did: with the gradients dh of h and dc of c, it replaces the gates in g
// by the gradients of their sums, and dc by that of the cells before. The layout is that of LSTM.
func LSTMGrad(rows, hid int, g []float32, ldg int, before, tc, dc, dh []float32, ldh int) {
	if checkCells(rows, hid, g, ldg, before, tc, dc, dh, ldh) {
		use.lstmGrad(rows, hid, &g[0], ldg*bytes, &before[0], &tc[0], &dc[0], hid*bytes, &dh[0], ldh*bytes)
	}
}

func checkCells(rows, hid int, g []float32, ldg int, a, b, c, h []float32, ldh int) bool {
	if rows < 1 {
		return false
	}
	if hid < 1 || hid%Width != 0 || ldg < 4*hid || ldh < hid || len(g) < (rows-1)*ldg+4*hid || len(h) < (rows-1)*ldh+hid ||
		min(len(a), len(b), len(c)) < rows*hid {
		panic("kernel: LSTM: shapes do not fit")
	}
	return true
}
