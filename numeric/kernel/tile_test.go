package kernel

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// tiled is a tile of rows x, panels of rows y, and both again in float64.
type tiled[T Real] struct {
	tile   *Tile[T]
	panels *Panels[T]
	x, y   [][]float64
}

// newTiled draws rows of length about spread.
func newTiled[T Real](r *rand.Rand, m, n, d int, spread float64) *tiled[T] {
	out := &tiled[T]{tile: NewTile[T](d), panels: NewPanels[T](n, d)}
	draw := func() (row []T, wide []float64) {
		for range d {
			v := T(r.NormFloat64() * spread / math.Sqrt(float64(d)))
			row, wide = append(row, v), append(wide, float64(v))
		}
		return
	}
	var flat, norms []T
	for range m {
		row, wide := draw()
		flat, norms = append(flat, row...), append(norms, T(SquaredLength(row)))
		out.x = append(out.x, wide)
	}
	for i := range n {
		row, wide := draw()
		if i%7 == 3 && i < m {
			copy(row, flat[i*d:(i+1)*d])
			copy(wide, out.x[i])
		}
		out.panels.Set(i, row)
		out.y = append(out.y, wide)
	}
	out.tile.Use(flat, norms)
	return out
}

func (c *tiled[T]) product(i, j int) (sum float64) {
	for k, v := range c.x[i] {
		sum += v * c.y[j][k]
	}
	return sum
}

func (c *tiled[T]) square(i, j int) (sum float64) {
	for k, v := range c.x[i] {
		sum += (v - c.y[j][k]) * (v - c.y[j][k])
	}
	return sum
}

// rounding is the relative rounding of T.
func rounding[T Real]() float64 {
	if size[T]() == 4 {
		return 1.0 / (1 << 24)
	}
	return 1.0 / (1 << 53)
}

// shapes are numbers of rows x, rows y and columns.
var shapes = [][3]int{{1, 1, 1}, {48, 64, 76}, {13, 33, 5}, {7, 17, 122}, {5, 100, 3}, {47, 31, 16}}

func TestTiles(t *testing.T) {
	each(t, func(t *testing.T) {
		t.Run("float32", testTiles[float32])
		t.Run("float64", testTiles[float64])
	})
}

func testTiles[T Real](t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	w := PanelRows[T]()
	for _, shape := range shapes {
		m, n, d := shape[0], shape[1], shape[2]
		c := newTiled[T](r, m, n, d, 1.5)
		eps := rounding[T]() * float64(d+10)
		check := func(name string, k int, got []T, tol float64, want func(i, j int) float64) {
			t.Helper()
			if len(got) != m*w {
				t.Fatalf("%s: %d numbers for %d rows", name, len(got), m)
			}
			for i := range m {
				for j := range c.panels.Size(k) {
					exact := want(i, k*w+j)
					if v := float64(got[i*w+j]); !(math.Abs(v-exact) <= tol*math.Max(1, math.Abs(exact))) {
						t.Fatalf("%v: %s of rows %d and %d is %v, want %v", shape, name, i, k*w+j, v, exact)
					}
				}
			}
		}
		acc, wantAcc := make([]float64, n+w), make([]float64, n)
		weights := make([]float64, m)
		for i := range weights {
			weights[i] = r.Float64() * 3
		}
		for k := range c.panels.Count() {
			check("product", k, c.tile.Products(c.panels, k), 40*eps, c.product)
			half := (d + 1) / 2
			check("product of the first half", k, c.tile.Prefix(c.panels, k, half), 40*eps, func(i, j int) (sum float64) {
				for q := range half {
					sum += c.x[i][q] * c.y[j][q]
				}
				return sum
			})
			check("squared distance", k, c.tile.Squares(c.panels, k), 40*eps, c.square)
			check("kernel", k, c.tile.RBF(c.panels, k), 40*eps, func(i, j int) float64 { return math.Exp(-c.square(i, j)) })
			check("power", k, c.tile.Power(c.panels, k, 0.5, 1, 3), 200*eps,
				func(i, j int) float64 { return math.Pow(0.5*c.product(i, j)+1, 3) })
			check("affine map", k, c.tile.Power(c.panels, k, 2, -1, 1), 40*eps,
				func(i, j int) float64 { return 2*c.product(i, j) - 1 })
			check("sigmoid", k, c.tile.Sigmoid(c.panels, k, 0.3, 0.1), max(40*eps, 5*rounding[T]()),
				func(i, j int) float64 { return math.Tanh(0.3*c.product(i, j) + 0.1) })
			c.tile.RBFSum(c.panels, k, weights, acc[k*w:])
			limits := make([]T, m)
			for i := range limits {
				limits[i] = T(r.Float64() * 6)
			}
			squares, masks := c.tile.Below(c.panels, k, limits)
			check("distance with its mask", k, squares, 40*eps, c.square)
			for i, mask := range masks {
				for j := range w {
					if set := mask>>j&1 == 1; set != (squares[i*w+j] <= limits[i]) || set && j >= c.panels.Size(k) {
						t.Fatalf("row %d, limit %v: bit %d of %x at distance %v", i, limits[i], j, mask, squares[i*w+j])
					}
				}
				if bits.Len32(mask) > w {
					t.Fatalf("mask %x of %d rows", mask, w)
				}
			}
		}
		for j := range n {
			for i := range m {
				wantAcc[j] += weights[i] * math.Exp(-c.square(i, j))
			}
			if math.Abs(acc[j]-wantAcc[j]) > 100*eps*float64(m) {
				t.Fatalf("%v: sum of row %d is %v, want %v", shape, j, acc[j], wantAcc[j])
			}
		}
		row := make([]T, d)
		for i := range n {
			if want := c.square(0, i); math.Abs(c.tile.Apart(0, c.panels, i)-want) > 1e-14*want ||
				c.tile.Norm(0) != T(SquaredLength(c.x[0])) {
				t.Fatalf("rows 0 and %d are %v apart, want %v", i, c.tile.Apart(0, c.panels, i), want)
			}
			c.panels.Row(i, row)
			for j, v := range row {
				if float64(v) != c.y[i][j] {
					t.Fatalf("row %d comes back as %v, was %v", i, row, c.y[i])
				}
			}
		}
	}
}

// TestExponentials: over the whole range, to a few roundings.
func TestExponentials(t *testing.T) {
	each(t, func(t *testing.T) {
		t.Run("float32", testExponentials[float32])
		t.Run("float64", testExponentials[float64])
	})
}

// leastExponent is what exponents are raised to.
func leastExponent[T Real]() float64 {
	if size[T]() == 4 {
		return -86
	}
	return -707
}

func testExponentials[T Real](t *testing.T) {
	worst, least := 0.0, leastExponent[T]()
	tile := NewTile[T](1)
	p := NewPanels[T](PanelRows[T](), 1)
	for i := range p.N {
		p.Set(i, []T{T(math.Sqrt(float64(i)+0.3) / 7)})
	}
	for step := range 4000 {
		x := T(math.Sqrt(-least*1.1) * float64(step) / 4000)
		tile.Use([]T{x}, []T{x * x})
		squares := slices.Clone(tile.Squares(p, 0))
		for j, e := range tile.RBF(p, 0) {
			want := math.Exp(max(-float64(squares[j]), least))
			worst = max(worst, math.Abs(float64(e)-want)/want)
		}
	}
	if worst > 4*rounding[T]() {
		t.Errorf("relative error %v, %v roundings", worst, worst/rounding[T]())
	}
}

func TestNearest(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 1))
		for _, shape := range shapes {
			m, n, d := shape[0], shape[1], shape[2]
			c := newTiled[float32](r, m, n, d, 2)
			half := make([]float32, m)
			for i := range half {
				half[i] = c.tile.norms[i] / 2
			}
			found := NewNearest(c.panels)
			for range 2 { // the second time after forgetting
				found.Reset(0, c.panels.Count())
				for k := range c.panels.Count() {
					found.Choose(c.tile, c.panels, k, half, 100)
				}
			}
			for j := range n {
				best, second := math.Inf(1), math.Inf(1)
				for i := range m {
					v := c.square(i, j)
					if v < best {
						best, second = v, best
					} else {
						second = min(second, v)
					}
				}
				at := int(found.Index[j]) - 100
				if at < 0 || at >= m || math.Abs(c.square(at, j)-best) > 1e-5*(1+best) {
					t.Fatalf("%v: row %d: nearest is %d", shape, j, at)
				}
				norm := SquaredLength(c.y[j])
				if got := 2*float64(found.Best[j]) + norm; math.Abs(got-best) > 1e-5*(1+best) {
					t.Fatalf("row %d: best %v, want %v", j, got, best)
				}
				if got := 2*float64(found.Second[j]) + norm; m > 1 && math.Abs(got-second) > 1e-5*(1+second) {
					t.Fatalf("row %d: second %v, want %v", j, got, second)
				}
			}
		}
	})
}

// TestLogSum: sums of terms of which each alone would vanish or whose order of size varies.
func TestLogSum(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 1))
		for _, spread := range []float64{0.1, 1, 30, 1000} {
			sum := NewLogSum(3)
			var want [40]float64
			var all [40][]float64
			panels := newTiled[float64](r, 1, 40, 6, spread).panels
			y := make([][]float64, 40)
			for j := range y {
				y[j] = make([]float64, 6)
				panels.Row(j, y[j])
			}
			for range 3 {
				c := newTiled[float64](r, 20, 40, 6, spread)
				for k := range panels.Count() {
					sum.Add(c.tile, panels, k)
				}
				for j := range y {
					c.y[j] = y[j]
					for i := range c.x {
						all[j] = append(all[j], -c.square(i, j))
					}
				}
			}
			for j, terms := range all {
				top := slices.Max(terms)
				for _, v := range terms {
					want[j] += math.Exp(v - top)
				}
				want[j] = top + math.Log(want[j])
				if got := sum.Log(j); math.Abs(got-want[j]) > 1e-13*max(1, math.Abs(want[j])) {
					t.Fatalf("spread %v: row %d: %v, want %v", spread, j, got, want[j])
				}
			}
		}
	})
}

func TestAddGram(t *testing.T) {
	each(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 4))
		for _, shape := range [][3]int{{1, 1, 16}, {9, 16, 16}, {30, 17, 32}, {100, 40, 48}} {
			rows, d, ld := shape[0], shape[1], shape[2]
			x, c := make([]float64, rows*ld), make([]float64, d*ld)
			for i := range rows {
				for j := range d {
					x[i*ld+j] = r.NormFloat64()
				}
			}
			AddGram(rows, d, x, ld, c)
			AddGram(rows, d, x, ld, c)
			for a := range d {
				for b := a; b < d; b++ {
					want := 0.0
					for i := range rows {
						want += 2 * x[i*ld+a] * x[i*ld+b]
					}
					if got := c[a*ld+b]; math.Abs(got-want) > 1e-12*float64(rows) {
						t.Fatalf("%v: product of columns %d and %d is %v, want %v", shape, a, b, got, want)
					}
				}
			}
		}
	})
}

// TestAddProducts: a with strides of rows and of columns, blocks of larger matrices, to rounding; all implementations
// give the same bits.
func TestAddProducts(t *testing.T) {
	was := use
	defer func() { use = was }()
	first := map[[3]int][]float64{}
	for _, s := range available() {
		use = s
		for _, shape := range [][3]int{{1, 1, 16}, {5, 3, 32}, {33, 40, 48}, {100, 17, 16}} {
			m, k, cols := shape[0], shape[1], shape[2]
			lda, ldb, ldc := m+3, cols+8, cols+5
			r := rand.New(rand.NewPCG(uint64(m), 4))
			a, b, c := make([]float64, k*lda), make([]float64, k*ldb), make([]float64, m*ldc)
			for _, x := range [][]float64{a, b, c} {
				for i := range x {
					x[i] = r.NormFloat64()
				}
			}
			want := slices.Clone(c)
			for i := range m {
				for j := range cols {
					for p := range k {
						want[i*ldc+j] += a[p*lda+i] * b[p*ldb+j]
					}
				}
			}
			byRows := make([]float64, m*k)
			for i := range m {
				for p := range k {
					byRows[i*k+p] = a[p*lda+i]
				}
			}
			again := slices.Clone(c)
			AddProducts(m, k, a, 1, lda, b, ldb, cols, c, ldc)
			AddProducts(m, k, byRows, k, 1, b, ldb, cols, again, ldc)
			for i, v := range c {
				if !(math.Abs(v-want[i]) <= 1e-13*float64(k)) || v != again[i] {
					t.Fatalf("%s %v: number %d is %v and %v, want %v", s.name, shape, i, v, again[i], want[i])
				}
			}
			if first[shape] == nil {
				first[shape] = c
			}
			if !slices.Equal(first[shape], c) {
				t.Errorf("%s %v: other bits", s.name, shape)
			}
		}
	}
	AddProducts(0, 3, nil, 1, 1, nil, 16, 16, nil, 16)
}

// TestTilesSameBits: all implementations give the same bits, and a number does not depend on where its rows
// stand in tile and panel.
func TestTilesSameBits(t *testing.T) {
	t.Run("float32", testTilesSameBits[float32])
	t.Run("float64", testTilesSameBits[float64])
}

func testTilesSameBits[T Real](t *testing.T) {
	was := use
	defer func() { use = was }()
	var first [][]T
	for _, s := range available() {
		use = s
		var all [][]T
		c := newTiled[T](rand.New(rand.NewPCG(1, 1)), 45, 50, 37, 2)
		w := PanelRows[T]()
		for k := range c.panels.Count() {
			acc := make([]float64, w)
			weights := make([]float64, 45)
			for i := range weights {
				weights[i] = float64(i) / 7
			}
			c.tile.RBFSum(c.panels, k, weights, acc)
			sums := make([]T, w)
			for i, v := range acc {
				sums[i] = T(v)
			}
			all = append(all, sums, slices.Clone(c.tile.Squares(c.panels, k)), slices.Clone(c.tile.RBF(c.panels, k)),
				slices.Clone(c.tile.Power(c.panels, k, 0.7, 0.2, 3)))
		}
		if first == nil {
			first = all
		}
		for i := range all {
			for j, v := range all[i] {
				if v != first[i][j] && (v == v || first[i][j] == first[i][j]) {
					t.Fatalf("%s: block %d, number %d is %v, elsewhere %v", s.name, i, j, v, first[i][j])
				}
			}
		}
		// Another place: row 5 alone against a panel that begins with row 40.
		d := 37
		alone, moved := NewTile[T](d), NewPanels[T](3, d)
		row, y := make([]T, d), make([]T, d)
		copy(row, c.tile.x[5*d:6*d])
		c.panels.Row(40, y)
		moved.Set(2, y)
		alone.Use(row, []T{T(SquaredLength(row))})
		if a, b := alone.RBF(moved, 0)[2], c.tile.RBF(c.panels, 40/w)[5*w+40%w]; a != b {
			t.Errorf("%s: %v alone, %v among others", s.name, a, b)
		}
	}
}

func TestTileMisuse(t *testing.T) {
	tile, p := NewTile[float32](4), NewPanels[float32](5, 4)
	product := func(a, b, cols, c int) func() {
		return func() {
			AddProducts(2, 2, make([]float64, a), 2, 1, make([]float64, b), 16, cols, make([]float64, c), 16)
		}
	}
	for name, f := range map[string]func(){
		"rows without numbers": func() { NewPanels[float64](3, 0) },
		"other width":          func() { tile.Products(NewPanels[float32](5, 3), 0) },
		"panel":                func() { tile.Products(p, 1) },
		"depth":                func() { tile.Prefix(p, 0, 5) },
		"rows":                 func() { tile.Use(make([]float32, 7), make([]float32, 2)) },
		"too many rows":        func() { tile.Use(make([]float32, 400), make([]float32, TileRows+1)) },
		"degree":               func() { tile.Power(p, 0, 1, 1, 0) },
		"gram":                 func() { AddGram(3, 4, make([]float64, 48), 15, make([]float64, 64)) },
		"product, a":           product(3, 32, 16, 32),
		"product, b":           product(4, 31, 16, 32),
		"product, c":           product(4, 32, 16, 31),
		"product, columns":     product(4, 32, 8, 32),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	tile.Use(nil, nil)
	if got := tile.RBF(p, 0); len(got) != 0 {
		t.Errorf("no rows give %d numbers", len(got))
	}
}

func TestApart(t *testing.T) {
	for n := range 13 {
		a, b, want := make([]float32, n), make([]float64, n+2), 0.0
		for j := range a {
			a[j], b[j] = float32(j*j), 1.5-float64(j)
			want += (float64(j*j) - b[j]) * (float64(j*j) - b[j])
		}
		if got := Apart(a, b); got != want { // multiples of a quarter: exact in any order
			t.Errorf("%d numbers: %v, want %v", n, got, want)
		}
	}
}

func TestMiddles(t *testing.T) {
	got := Middles([]float32{1, 5, 0, 2, 5, 7, 3, 6, 1e30, 4, 5, 7, 9, 5, 7}, 5, 3)
	if want := []float64{3, 5, 7}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	long := make([]float64, 5000)
	for i := range long {
		long[i] = float64(i)
	}
	if got := Middles(long, 5000, 1)[0]; got < 2400 || got > 2600 {
		t.Errorf("%v in the middle of 5000 numbers", got)
	}
	if got := Middles([]float64(nil), 0, 2); len(got) != 2 {
		t.Errorf("no rows: %v", got)
	}
}

// BenchmarkTile is the speed of tiles at the width of CIC-IDS flows.
func BenchmarkTile(b *testing.B) {
	was := use
	defer func() { use = was }()
	for _, s := range available() {
		use = s
		b.Run(s.name+"/float32", benchmarkTile[float32])
		b.Run(s.name+"/float64", benchmarkTile[float64])
	}
}

func benchmarkTile[T Real](b *testing.B) {
	const m, n, d = 48, 4096, 76
	c := newTiled[T](rand.New(rand.NewPCG(1, 1)), m, n, d, 1)
	acc, weights, limits := make([]float64, PanelRows[T]()), make([]float64, m), make([]T, m)
	for _, e := range []struct {
		name string
		f    func(k int)
	}{
		{"product", func(k int) { c.tile.Products(c.panels, k) }},
		{"square", func(k int) { c.tile.Squares(c.panels, k) }},
		{"rbf", func(k int) { c.tile.RBF(c.panels, k) }},
		{"rbfSum", func(k int) { c.tile.RBFSum(c.panels, k, weights, acc) }},
		{"below", func(k int) { c.tile.Below(c.panels, k, limits) }},
	} {
		b.Run(fmt.Sprint(e.name), func(b *testing.B) {
			for b.Loop() {
				for k := range c.panels.Count() {
					e.f(k)
				}
			}
			b.ReportMetric(2*float64(m*n*d)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(m*n)/float64(b.N), "ns/pair")
		})
	}
}
