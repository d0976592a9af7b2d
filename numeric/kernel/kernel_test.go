package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// each runs a test with every implementation that this processor has.
func each(t *testing.T, f func(t *testing.T)) {
	was := use
	defer func() { use = was }()
	for _, s := range available() {
		use = s
		t.Run(s.name, f)
	}
}

func normal(r *rand.Rand, n int) []float32 {
	out := Alloc(n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// pack lays out a rows×cols matrix of random numbers.
func pack(r *rand.Rand, rows, cols int) (Packed, [][]float64) {
	p := NewPacked(rows, cols, nil)
	plain := make([][]float64, rows)
	for i := range plain {
		for j := range cols {
			v := float32(r.NormFloat64())
			p.Data[p.Index(i, j)] = v
			plain[i] = append(plain[i], float64(v))
		}
	}
	return p, plain
}

func close32(got float32, want, scale float64) bool {
	return math.Abs(float64(got)-want) <= 1e-5*math.Max(scale, math.Abs(want))
}

// TestMul holds products of random shapes, strides and modes against sums in float64.
func TestMul(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for range 300 {
			m, k, n := 1+r.IntN(70), 1+r.IntN(150), 1+r.IntN(140)
			b, plain := pack(r, k, n)
			rs, cs := k+r.IntN(3), 1
			if r.IntN(2) == 0 {
				rs, cs = 1, m+r.IntN(3)
			}
			a := normal(r, (m-1)*rs+(k-1)*cs+1)
			ldc := b.Cols + 16*r.IntN(2)
			c := normal(r, m*ldc)
			before := slices.Clone(c)
			add := r.IntN(2) == 0
			var bias []float32
			if !add && r.IntN(2) == 0 {
				bias = normal(r, b.Cols)
			}
			Mul(m, k, a, rs, cs, b, c, ldc, bias, add)
			for i := range m {
				for j := range ldc {
					if j >= b.Cols {
						if c[i*ldc+j] != before[i*ldc+j] {
							t.Fatal("a product wrote beside itself")
						}
						continue
					}
					want := 0.0
					if bias != nil {
						want = float64(bias[j])
					}
					if add {
						want = float64(before[i*ldc+j])
					}
					for p := range k {
						if j < n {
							want += float64(a[i*rs+p*cs]) * plain[p][j]
						}
					}
					if !close32(c[i*ldc+j], want, math.Sqrt(float64(k))) {
						t.Fatalf("%d×%d·%d×%d, add %v: c[%d][%d] is %v, want %v", m, k, k, n, add, i, j, c[i*ldc+j], want)
					}
				}
			}
		}
	})
}

func TestMulInto(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		for range 200 {
			m, k, n := 1+r.IntN(100), 1+r.IntN(70), 1+r.IntN(100)
			ldb := Pad(n)
			b, a := normal(r, k*ldb), normal(r, k*m)
			c, before := pack(r, m, n)
			add := r.IntN(2) == 0
			MulInto(m, k, a, 1, m, b, ldb, c, add) // a as its transpose
			for i := range m {
				for j := range n {
					want := 0.0
					if add {
						want = before[i][j]
					}
					for p := range k {
						want += float64(a[p*m+i]) * float64(b[p*ldb+j])
					}
					if !close32(c.Data[c.Index(i, j)], want, math.Sqrt(float64(k))) {
						t.Fatalf("c[%d][%d] is %v, want %v", i, j, c.Data[c.Index(i, j)], want)
					}
				}
			}
		}
	})
}

func TestTranspose(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		for range 100 {
			rows, cols := 1+r.IntN(100), 1+r.IntN(100)
			w, plain := pack(r, rows, cols)
			wt := NewPacked(Pad(cols), rows, nil)
			for j := range w.Panels() {
				TransposePanel(w, j, wt)
			}
			for i := range rows {
				for j := range cols {
					if got := wt.Data[wt.Index(j, i)]; float64(got) != plain[i][j] {
						t.Fatalf("%d×%d: (%d, %d) is %v, want %v", rows, cols, j, i, got, plain[i][j])
					}
				}
			}
		}
	})
}

func TestTanh(t *testing.T) {
	each(t, func(t *testing.T) {
		x := Alloc(4096)
		for i := range x {
			x[i] = float32(i-2048) / 128
		}
		x[0], x[1], x[2], x[3] = float32(math.Inf(1)), float32(math.Inf(-1)), 1e-30, 1e30
		want := slices.Clone(x)
		Tanh(x)
		for i, v := range want {
			if w := math.Tanh(float64(v)); math.Abs(float64(x[i])-w) > 3e-7 {
				t.Fatalf("tanh %v is %v, want %v", v, x[i], w)
			}
		}
		Tanh(nil)
	})
}

func TestRowKernels(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 4))
		for range 50 {
			rows, ld := 1+r.IntN(70), Width*(1+r.IntN(9))
			d, a, db := normal(r, rows*ld), normal(r, rows*ld), normal(r, ld)
			was, sums := slices.Clone(d), slices.Clone(db)
			TanhGrad(rows, ld, d, a, db)
			for j := range ld {
				want := float64(sums[j])
				for i := range rows {
					g := float64(was[i*ld+j]) * (1 - float64(a[i*ld+j])*float64(a[i*ld+j]))
					if !close32(d[i*ld+j], g, 1) {
						t.Fatalf("gradient %v, want %v", d[i*ld+j], g)
					}
					want += g
				}
				if !close32(db[j], want, float64(rows)) {
					t.Fatalf("column sum %v, want %v", db[j], want)
				}
			}
			copy(d, was)
			copy(db, sums)
			ColumnSums(rows, ld, d, db)
			y := slices.Clone(was)
			dy := slices.Clone(sums)
			loss, wantLoss := SquaredError(rows, ld, y, a, dy, 0.5, new([Width]float32)), 0.0
			for j := range ld {
				want, wantY := float64(sums[j]), float64(sums[j])
				for i := range rows {
					want += float64(was[i*ld+j])
					e := float64(was[i*ld+j]) - float64(a[i*ld+j])
					wantLoss += e * e
					wantY += e / 2
					if !close32(y[i*ld+j], e/2, 1) {
						t.Fatalf("gradient %v, want %v", y[i*ld+j], e/2)
					}
				}
				if !close32(db[j], want, float64(rows)) || !close32(dy[j], wantY, float64(rows)) {
					t.Fatalf("column sums %v %v, want %v %v", db[j], dy[j], want, wantY)
				}
			}
			far := 0.0
			for i, v := range was {
				far += (float64(v) - float64(a[i])) * (float64(v) - float64(a[i]))
			}
			if got := SquareDistance(was, a); math.Abs(float64(got)-far) > 1e-5*far {
				t.Fatalf("distance %v, want %v", got, far)
			}
			if math.Abs(loss-wantLoss) > 1e-5*wantLoss {
				t.Fatalf("squares %v, want %v", loss, wantLoss)
			}
		}
	})
}

func TestAdam(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 5))
		const n = 64
		p, m, v, g := normal(r, n), make([]float32, n), make([]float32, n), normal(r, 3*n)
		want, wm, wv := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range want {
			want[i] = float64(p[i])
		}
		for step := 1; step <= 20; step++ {
			c1, c2 := 1-math.Pow(0.9, float64(step)), 1-math.Pow(0.999, float64(step))
			Adam(p, m, v, g, 3, n, float32(0.01/c1), float32(1/math.Sqrt(c2)))
			for i := range want {
				sum := float64(g[i]) + float64(g[n+i]) + float64(g[2*n+i])
				wm[i] = 0.9*wm[i] + 0.1*sum
				wv[i] = 0.999*wv[i] + 0.001*sum*sum
				want[i] -= 0.01 / c1 * wm[i] / (math.Sqrt(wv[i])/math.Sqrt(c2) + 1e-8)
				if !close32(p[i], want[i], 1) {
					t.Fatalf("step %d: %v, want %v", step, p[i], want[i])
				}
			}
		}
	})
}

// TestLSTM holds the step of a cell and the way back through it against the formulas in float64, and against
// what lies between and after the rows.
func TestLSTM(t *testing.T) {
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 7))
		for range 50 {
			rows, hid := 1+r.IntN(9), Width*(1+r.IntN(4))
			ldg, ldh := 4*hid+16*r.IntN(2), hid*(1+r.IntN(2))
			g, h, before := normal(r, rows*ldg), normal(r, rows*ldh), normal(r, rows*hid)
			c, tc := normal(r, rows*hid), normal(r, rows*hid)
			sums, hWas := slices.Clone(g), slices.Clone(h)
			LSTM(rows, hid, g, ldg, before, c, tc, h, ldh)
			dh, dc := normal(r, rows*ldh), normal(r, rows*hid)
			dcWas := slices.Clone(dc)
			values := slices.Clone(g)
			LSTMGrad(rows, hid, g, ldg, before, tc, dc, dh, ldh)
			for i := range rows {
				for j := range ldg - 4*hid {
					if at := i*ldg + 4*hid + j; values[at] != sums[at] || g[at] != sums[at] {
						t.Fatal("a step wrote after the gates")
					}
				}
				for j := range ldh - hid {
					if at := i*ldh + hid + j; h[at] != hWas[at] {
						t.Fatal("a step wrote beside its outputs")
					}
				}
				for j := range hid {
					z := func(k int) float64 { return float64(sums[i*ldg+k*hid+j]) }
					in, forget, new, out := sigmoid(z(0)), sigmoid(z(1)), math.Tanh(z(2)), sigmoid(z(3))
					was := float64(before[i*hid+j])
					cell := forget*was + in*new
					squashed := math.Tanh(cell)
					dOut, dCell := float64(dh[i*ldh+j]), float64(dcWas[i*hid+j])
					dCell += dOut * out * (1 - squashed*squashed)
					for name, v := range map[string][2]float64{
						"i":      {float64(values[i*ldg+j]), in},
						"f":      {float64(values[i*ldg+hid+j]), forget},
						"g":      {float64(values[i*ldg+2*hid+j]), new},
						"o":      {float64(values[i*ldg+3*hid+j]), out},
						"c":      {float64(c[i*hid+j]), cell},
						"tanh c": {float64(tc[i*hid+j]), squashed},
						"h":      {float64(h[i*ldh+j]), out * squashed},
						"di":     {float64(g[i*ldg+j]), dCell * new * in * (1 - in)},
						"df":     {float64(g[i*ldg+hid+j]), dCell * was * forget * (1 - forget)},
						"dg":     {float64(g[i*ldg+2*hid+j]), dCell * in * (1 - new*new)},
						"do":     {float64(g[i*ldg+3*hid+j]), dOut * squashed * out * (1 - out)},
						"dc":     {float64(dc[i*hid+j]), dCell * forget},
					} {
						if math.Abs(v[0]-v[1]) > 2e-6*math.Max(1, math.Abs(v[1])) {
							t.Fatalf("%s is %v, want %v", name, v[0], v[1])
						}
					}
				}
			}
			again := slices.Clone(before)
			h2 := slices.Clone(h)
			LSTM(rows, hid, sums, ldg, again, again, tc, h2, ldh)
			if !slices.Equal(again, c) || !slices.Equal(h2, h) {
				t.Fatal("a step in place gives other cells")
			}
		}
		LSTM(0, 16, nil, 64, nil, nil, nil, nil, 16)
	})
}

// TestSameBits: all implementations agree in every bit, with denormal numbers kept and flushed.
func TestSameBits(t *testing.T) {
	sets := available()
	if len(sets) < 2 {
		t.Skip("this processor has plain Go alone")
	}
	was := use
	defer func() { use = was }()
	for _, c := range []struct {
		name  string
		size  float32 // of the inputs
		round func(f func())
	}{
		{"kept", 1, func(f func()) { f() }},
		{"flushed", 1, FlushDenormals},
		{"small and kept", 1e-20, func(f func()) { f() }},
		{"small and flushed", 1e-20, FlushDenormals},
		{"large", 1e18, func(f func()) { f() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var first [][]float32
			for i, s := range sets {
				use = s
				var out [][]float32
				c.round(func() { out = everyKernel(c.size) })
				if i == 0 {
					first = out
				}
				for k, want := range first {
					for j, v := range want {
						if got := out[k][j]; !sameNumber(got, v) {
							t.Fatalf("%s: number %d of result %d is %v, with %s %v", s.name, j, k, got, sets[0].name, v)
						}
					}
				}
			}
		})
	}
}

// sameNumber: equal bits, or both no numbers.
func sameNumber[T Real](a, b T) bool {
	return a == b && math.Signbit(float64(a)) == math.Signbit(float64(b)) || a != a && b != b
}

// everyKernel is what the kernels for networks make of random numbers of about a size.
func everyKernel(size float32) [][]float32 {
	r := rand.New(rand.NewPCG(6, 6))
	draw := func(n int) []float32 {
		out := normal(r, n)
		for i := range out {
			if out[i] *= size; i%11 == 5 {
				out[i] = 0
			}
		}
		return out
	}
	b, _ := pack(r, 61, 83)
	for i := range b.Data {
		b.Data[i] *= size
	}
	a, c := draw(45*61), draw(45*b.Cols)
	Mul(45, 61, a, 61, 1, b, c, b.Cols, nil, true)
	product := slices.Clone(c)
	Mul(45, 61, a, 61, 1, b, c, b.Cols, draw(b.Cols), false)
	biased := slices.Clone(c)
	MulInto(61, 45, a, 1, 61, c, b.Cols, b, true)
	Tanh(c)
	d, db := draw(len(c)), draw(b.Cols)
	TanhGrad(45, b.Cols, d, c, db)
	ColumnSums(45, b.Cols, d, db)
	far := SquareDistance(d, c)
	loss := SquaredError(45, b.Cols, d, c, db, 0.3, new([Width]float32))
	m, v := make([]float32, len(b.Data)), make([]float32, len(b.Data))
	p := draw(len(b.Data))
	Adam(p, m, v, b.Data, 1, 0, 0.01, 3)
	few := len(p) / 4 / Width * Width
	Adam(p[:few], m[:few], v[:few], b.Data, 3, few, 0.01, 2)
	g, cell, tc, h := draw(5*(4*48+16)), draw(5*48), Alloc(5*48), Alloc(5*64)
	now := Alloc(5 * 48)
	LSTM(5, 48, g, 4*48+16, cell, now, tc, h, 64)
	gates := slices.Clone(g)
	dc, dh := draw(5*48), draw(5*64)
	LSTMGrad(5, 48, g, 4*48+16, cell, tc, dc, dh, 64)
	mean, inv, scale, shift := draw(b.Cols), draw(b.Cols), draw(b.Cols), draw(b.Cols)
	ColumnProducts(45, b.Cols, d, c, db)
	ColumnSpread(45, b.Cols, d, mean, db)
	Normalise(45, b.Cols, d, mean, inv, scale, shift, c)
	NormaliseGrad(45, b.Cols, c, d, mean, inv, scale, db)
	sums := []float32{far, float32(loss), float32(loss - float64(float32(loss)))}
	return [][]float32{product, biased, sums, c, d, db, b.Data, p, m, v, gates, now, tc, h, g, dc}
}

// TestMultiplyAdd holds multiply-adds with one rounding against exact arithmetic, and those of the kernels against
// that: numbers of all sizes, sums near the middle of two float32, infinities, what is no number.
func TestMultiplyAdd(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 4))
	const n = 20000
	a, b, c := make([]float32, 0, n), make([]float32, 0, n), make([]float32, 0, n)
	put := func(x, y, z float32) { a, b, c = append(a, x), append(b, y), append(c, z) }
	edges := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 1 + 0x1p-23, 1 - 0x1p-24, 0x1p-126, 0x1p-149, -0x1p-149,
		0x1p-126 - 0x1p-149, math.MaxFloat32, -math.MaxFloat32, 0x1p-75, 0x1p24, 0x1p24 + 2, 0x1p-24, 0x1p-25, 3,
		float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	for _, x := range edges {
		for _, y := range edges {
			for _, z := range edges {
				put(x, y, z)
			}
		}
	}
	any := func() float32 { return math.Float32frombits(r.Uint32()) }
	for len(a) < n {
		x, y := any(), any()
		switch r.IntN(5) {
		case 0:
			put(x, y, any())
		case 1: // a sum that nearly vanishes
			put(x, y, -float32(float64(x)*float64(y)))
		case 2: // near the middle: z has one bit after the last of the sum, and the product little or nothing
			z := 1 + float32(r.IntN(1<<23))*0x1p-23
			put(float32(math.Ldexp(float64(1+r.IntN(3)), -24-r.IntN(2))), 1+float32(r.IntN(3)-1)*0x1p-23, z)
		case 3: // the same at the size of denormal numbers
			z := float32(r.IntN(1<<23)) * 0x1p-149
			put(0x1p-75*(1+float32(r.IntN(3)-1)*0x1p-23), 0x1p-75, z)
		default:
			put(float32(r.IntN(64)-32), float32(r.IntN(64)-32)/8, float32(r.IntN(64)-32)/64)
		}
	}
	got := make([]float32, len(a))
	for i := range a {
		got[i] = fma32(a[i], b[i], c[i])
		if want := exactFMA(a[i], b[i], c[i]); !sameNumber(got[i], want) {
			t.Fatalf("%x·%x + %x is %x, want %x", a[i], b[i], c[i], got[i], want)
		}
	}
	for _, s := range available() {
		for _, flush := range []bool{false, true} {
			want := got
			if flush {
				want = make([]float32, len(a))
				FlushDenormals(func() {
					for i := range a {
						want[i] = fma32(a[i], b[i], c[i])
					}
				})
			}
			from, out := Alloc(Width), Alloc(Width)
			bias := Alloc(Width)
			product, _ := s.gemm(Width)
			one := func(i int) float32 {
				from[i%Width], bias[i%Width] = b[i], c[i]
				x := a[i]
				product(1, 1, &x, 4, 4, &from[0], 64, &out[0], 64, &bias[0], 0)
				return out[i%Width]
			}
			run := func() {
				for i := range a {
					if v := one(i); !sameNumber(v, want[i]) {
						t.Fatalf("%s, flushed %v: %x·%x + %x is %x, want %x", s.name, flush, a[i], b[i], c[i], v, want[i])
					}
				}
			}
			if flush {
				FlushDenormals(run)
			} else {
				run()
			}
		}
	}
}

// exactFMA rounds the exact a·b + c with big.Float.
func exactFMA(a, b, c float32) float32 {
	x, y, z := float64(a), float64(b), float64(c)
	sum := x*y + z
	if math.IsNaN(sum) || math.IsInf(sum, 0) || x*y == 0 && z == 0 {
		return float32(sum)
	}
	exact := new(big.Float).SetPrec(2000)
	exact.Add(exact.Mul(big.NewFloat(x), big.NewFloat(y)), new(big.Float).SetPrec(2000).SetFloat64(z))
	if exact.Sign() == 0 {
		return 0 // of opposite signs
	}
	out, _ := exact.Float32()
	return out
}

// TestNormalisation checks what batch normalisation is made of against float64.
func TestNormalisation(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 8))
		for _, shape := range [][2]int{{1, 16}, {3, 48}, {64, 80}, {65, 16}} {
			rows, ld := shape[0], shape[1]
			x, d := normal(r, rows*ld), normal(r, rows*ld)
			mean, inv, scale, shift := normal(r, ld), normal(r, ld), normal(r, ld), normal(r, ld)
			y, hat, grad := Alloc(rows*ld), slices.Clone(x), slices.Clone(d)
			product, spread, sum := normal(r, ld), normal(r, ld), normal(r, ld)
			before := [][]float32{slices.Clone(product), slices.Clone(spread), slices.Clone(sum)}
			ColumnProducts(rows, ld, x, d, product)
			ColumnSpread(rows, ld, x, mean, spread)
			Normalise(rows, ld, hat, mean, inv, scale, shift, y)
			NormaliseGrad(rows, ld, grad, x, mean, inv, scale, sum)
			for j := range ld {
				m, f, s, b := float64(mean[j]), float64(inv[j]), float64(scale[j]), float64(shift[j])
				want := [3]float64{float64(before[0][j]), float64(before[1][j]), float64(before[2][j])}
				for i := range rows {
					v, g := float64(x[i*ld+j]), float64(d[i*ld+j])
					want[0] += v * g
					want[1] += (v - m) * (v - m)
					back := (g - m - v*f) * s
					want[2] += back
					if !close32(hat[i*ld+j], (v-m)*f, 10) || !close32(y[i*ld+j], (v-m)*f*s+b, 10) || !close32(grad[i*ld+j], back, 10) {
						t.Fatalf("row %d, column %d of %d×%d: %v, %v, %v", i, j, rows, ld, hat[i*ld+j], y[i*ld+j], grad[i*ld+j])
					}
				}
				for k, got := range []float32{product[j], spread[j], sum[j]} {
					if !close32(got, want[k], 100) {
						t.Fatalf("column %d of %d×%d: sum %d is %v, want %v", j, rows, ld, k, got, want[k])
					}
				}
			}
		}
	})
}

func TestMisuse(t *testing.T) {
	b := NewPacked(8, 16, nil)
	of := func(n int) []float32 { return make([]float32, n) }
	for name, f := range map[string]func(){
		"no inner dimension": func() { Mul(1, 0, of(9), 1, 1, b, of(16), 16, nil, false) },
		"short a":            func() { Mul(2, 8, of(15), 8, 1, b, of(32), 16, nil, false) },
		"short c":            func() { Mul(2, 8, of(16), 8, 1, b, of(31), 16, nil, false) },
		"short bias":         func() { Mul(1, 8, of(8), 8, 1, b, of(16), 16, of(15), false) },
		"tall b":             func() { Mul(1, 9, of(9), 9, 1, b, of(16), 16, nil, false) },
		"short b":            func() { MulInto(2, 3, of(6), 1, 2, of(47), 16, b, false) },
		"odd tanh":           func() { Tanh(of(15)) },
		"short rows":         func() { ColumnSums(2, 16, of(31), of(16)) },
		"short moments": func() {
			Adam(of(16), of(15), of(16), of(16), 1, 0, 1, 1)
		},
		"odd cells": func() {
			LSTM(1, 15, of(60), 60, of(15), of(15), of(15), of(15), 15)
		},
		"short gates": func() {
			LSTM(1, 16, of(63), 64, of(16), of(16), of(16), of(16), 16)
		},
		"short outputs": func() {
			LSTMGrad(2, 16, of(128), 64, of(32), of(32), of(32), of(31), 16)
		},
		"unknown set": func() { choose("sse9") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", name)
				}
			}()
			f()
		}()
	}
}

func TestFlushDenormals(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("denormal numbers are kept here")
	}
	tiny := Alloc(Width)
	tiny[0] = 1e-40
	ones := Alloc(Width)
	ones[0] = 0.5
	FlushDenormals(func() {
		db := Alloc(Width)
		TanhGrad(1, Width, tiny, ones, db)
	})
	if tiny[0] != 0 {
		t.Errorf("%v was not flushed", tiny[0])
	}
	x := float32(1e-38)
	if x /= 100; x == 0 {
		t.Error("denormals are flushed outside")
	}
}

// TestGenerated: the assembly is what the generator writes.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the generator")
	}
	dir := t.TempDir()
	cmd := exec.Command("go", "run", ".", "-pkg", "kernel", "-out", dir+"/k.s", "-stubs", dir+"/k.go")
	cmd.Dir = "gen"
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		offline := func(word string) bool { return strings.Contains(string(out), word) }
		if offline("dial") || offline("proxy") || offline("lookup") {
			t.Skipf("the generator's modules are not available: %s", out)
		}
		t.Fatalf("%v: %s", err, out)
	}
	for made, kept := range map[string]string{"k.s": "kernel_amd64.s", "k.go": "kernel_amd64.go"} {
		a, err1 := os.ReadFile(dir + "/" + made)
		b, err2 := os.ReadFile(kept)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		// the first line holds the command
		_, restA, _ := strings.Cut(string(a), "\n")
		_, restB, _ := strings.Cut(string(b), "\n")
		if restA != restB {
			t.Errorf("%s is not what the generator writes", kept)
		}
	}
}

// BenchmarkMul is the shares of its peak that products of a small auto-encoder reach; -bench 'Mul|FMA'.
func BenchmarkMul(b *testing.B) {
	was := use
	defer func() { use = was }()
	for _, s := range available() {
		for _, shape := range [][3]int{{64, 122, 80}, {64, 80, 40}, {64, 12, 40}} {
			b.Run(fmt.Sprintf("%s/%d×%d·%d", s.name, shape[0], shape[1], shape[2]), func(b *testing.B) {
				use = s
				m, k, n := shape[0], shape[1], shape[2]
				w, a, c := NewPacked(k, n, nil), Alloc(m*k), Alloc(m*Pad(n))
				for b.Loop() {
					Mul(m, k, a, k, 1, w, c, Pad(n), nil, false)
				}
				b.ReportMetric(2*float64(m*k*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
			})
		}
	}
}

// TestPeak: every implementation adds as often as it says.
func TestPeak(t *testing.T) {
	for _, s := range available() {
		for _, n := range []int{1, 2, 1000} {
			if got := s.peak(n, 3); got != float32(9*n) {
				t.Errorf("%s: 9 added %d times gives %v", s.name, n, got)
			}
		}
	}
	if got := MulAdds(10); got != float64(20*use.each) {
		t.Errorf("%v operations in 10 rounds of %d", got, use.each)
	}
}
