package isolation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestWalkers: many rows at a time, and one in many trees, have the paths that each row has in each tree, of trees of
// every shape, with infinite and missing values.
func TestWalkers(t *testing.T) {
	const n, d = 1203, 7
	r := rand.New(rand.NewPCG(11, 1))
	x := make([]float32, n*d)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if i%d == 3 {
			x[i] = 2 // never cut
		}
		if i%d == 5 && r.IntN(20) > 0 {
			x[i] = 0 // cut off early
		}
	}
	odd := append([]float32(nil), x...)
	for i := range odd {
		if r.IntN(50) == 0 {
			odd[i] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
				float32(math.Copysign(0, -1))}[r.IntN(4)]
		}
	}
	for _, rows := range []int{1, 2, 3, 8, 100, 256, 1100} { // the last are deeper than what is laid out
		g := NewGrower(x, n, Settings{Rows: rows, MaxFeatures: 0.9})
		var trees []Tree
		for range 10 {
			trees = append(trees, g.Grow(r))
		}
		w := NewWalkers(trees)
		if laid := w.places != nil; laid != (rows > 1 && rows <= 1<<walkersDepth) {
			t.Errorf("trees of %d rows are laid out: %v", rows, laid)
		}
		for _, of := range [][]float32{x, odd} {
			var room []Four
			for _, some := range []int{0, 1, 3, 4, 5, 7, n} {
				sums := make([]float64, some)
				for i := range sums {
					sums[i] = 7 // is not counted
				}
				room = w.Sums(of[:some*d], d, sums, room)
				for i, got := range sums {
					want := 0.0
					for t := range trees {
						want += trees[t].Walk(of[i*d : (i+1)*d])
					}
					if got != want {
						t.Fatalf("trees of %d rows, row %d of %d: %v, want %v", rows, i, some, got, want)
					}
				}
			}
		}
	}
	chain := Tree{Nodes: []Node{{0, 3, 2}, {-1, 0, 0}, {0, 5, 4}, {-1, 0, 0}, {-1, 0, 0}}, Path: []float64{0, 1, 1, 2, 3}}
	sums := make([]float64, 4)
	NewWalkers([]Tree{chain}).Sums([]float32{3, 4, 5, 6}, 1, sums, nil)
	if got := fmt.Sprint(sums); got != "[1 2 2 3]" {
		t.Errorf("a chain by hand: %s", got)
	}
}

// BenchmarkWalk is 100 trees of 256 rows on 8,192 rows of 122 columns, most of them 0, in blocks of 256: a row and a
// tree after the other, four rows at a time, and one row in four trees at a time.
func BenchmarkWalk(b *testing.B) {
	const n, d, count, block = 8192, 122, 100, 256
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n*d)
	for i := range x {
		if j := i % d; j < 38 || r.IntN(20) == 0 {
			x[i] = float32(r.ExpFloat64())
		}
	}
	g := NewGrower(x, n, Settings{Rows: 256, MaxFeatures: 1})
	var trees []Tree
	for range count {
		trees = append(trees, g.Grow(r))
	}
	w := NewWalkers(trees)
	sums := make([]float64, n)
	var room []Four
	for name, some := range map[string]func(from, to int){
		"walk": func(from, to int) {
			for t := range trees {
				for i := from; i < to; i++ {
					sums[i] += trees[t].Walk(x[i*d : (i+1)*d])
				}
			}
		},
		"many": func(from, to int) { room = w.Sums(x[from*d:to*d], d, sums[from:to], room) },
		"single": func(from, to int) {
			for i := from; i < to; i++ {
				w.Sums(x[i*d:(i+1)*d], d, sums[i:i+1], nil)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for from := 0; from < n; from += block {
					some(from, from+block)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
		})
	}
}
