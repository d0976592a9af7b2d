package neighbour

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"plumbline/numeric/kernel"
)

// rows are n rows of d numbers of some kind.
func rows(kind string, n, d int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n*d)
	for i := range n {
		row := x[i*d : (i+1)*d]
		for j := range row {
			switch kind {
			case "integers": // many equal distances
				row[j] = float32(r.IntN(3))
			case "far": // from the origin and from their mean, near to each other
				row[j] = float32(1000*(i%2)) + float32(r.NormFloat64())*1e-3
			case "huge": // squares overflow
				row[j] = float32(r.NormFloat64() * []float64{1, 1e20, 3e37}[i%3])
			default:
				row[j] = float32(r.NormFloat64())
			}
		}
		if kind == "copies" && i > 10 && i%3 > 0 {
			copy(row, x[i%7*d:(i%7+1)*d])
		}
	}
	return x
}

var kinds = []string{"normal", "copies", "integers", "far", "huge"}

// TestNearest: against sorting all distances; among equal distances the row decides.
func TestNearest(t *testing.T) {
	const n, d = 260, 5
	for _, kind := range kinds {
		x, other := rows(kind, n, d, 1), rows(kind, 200, d, 2)
		ref := New(x, n, d)
		for _, k := range []int{1, 7, n - 1} {
			for _, self := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s,k=%d,self=%v", kind, k, self), func(t *testing.T) {
					q, start := other, -1
					if self {
						q, start = x[30*d:], 30
					}
					got := make([][]Neighbour, len(q)/d)
					err := ref.Nearest(context.Background(), q, k, 3, start,
						func(i int, near []Neighbour) { got[i] = slices.Clone(near) })
					if err != nil {
						t.Fatal(err)
					}
					for i := range got {
						var all []Neighbour
						for j := range n {
							if !self || i+30 != j {
								all = append(all, Neighbour{int32(j), Distance(q[i*d:(i+1)*d], ref.Row(j))})
							}
						}
						slices.SortFunc(all, compare)
						if !slices.Equal(got[i], all[:k]) {
							for j := range k {
								if got[i][j] != all[j] {
									t.Fatalf("row %d, neighbour %d: %v, want %v", i, j, got[i][j], all[j])
								}
							}
						}
					}
				})
			}
		}
	}
}

// TestDoubt: the bound holds for what the products really give, and is not so wide that nothing is ever certain.
func TestDoubt(t *testing.T) {
	const n, d = 400, 76
	for _, kind := range []string{"normal", "far"} {
		x := rows(kind, n, d, 3)
		ref := New(x, n, d)
		s := newSearch(ref, ref.panels, 1)
		worst, certain := 0.0, 0
		for at := 0; at < n; at += 40 {
			var idx []int
			for i := at; i < at+40; i++ {
				idx = append(idx, i)
			}
			s.run(context.Background(), x, idx, -1)
			for k := range ref.panels.Count() {
				squares := s.tile.Squares(ref.panels, k)
				for c, i := range idx {
					for j := range ref.panels.Size(k) {
						true2 := kernel.Apart(ref.Row(i), ref.Row(k*32+j))
						off := float64(squares[c*32+j]) - true2
						worst = max(worst, max(off, -off)/doubt(d, float64(s.norms[c]), float64(ref.panels.Norm(k*32+j))))
					}
				}
			}
			for c, i := range idx {
				if _, ok := s.best(c, ref.Row(i), 1); ok {
					certain++
				}
			}
		}
		t.Logf("%s: largest error %.2g of the bound, %d of %d rows certain", kind, worst, certain, n)
		if worst > 1 || kind == "normal" && certain < n*9/10 {
			t.Errorf("%s: largest error is %v of the bound; %d of %d rows are certain", kind, worst, certain, n)
		}
	}
}

// TestWithin: against all distances, where many are exactly the limit.
func TestWithin(t *testing.T) {
	const n, d = 333, 4
	for _, kind := range kinds {
		x := rows(kind, n, d, 5)
		q := append(rows(kind, 100, d, 6), x[:20*d]...)
		ref := New(x, n, d)
		for _, distance := range []float64{0.5, 1, 2, 1e20} {
			var got, want [][2]int
			var lock sync.Mutex
			err := ref.Pairs(context.Background(), distance, 3, func() func(i, j int) {
				return func(i, j int) {
					lock.Lock()
					defer lock.Unlock()
					got = append(got, [2]int{i, j})
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				for j := i + 1; j < n; j++ {
					if Distance(ref.Row(i), ref.Row(j)) <= distance {
						want = append(want, [2]int{i, j})
					}
				}
			}
			same(t, kind+", pairs", distance, got, want)
			got, want = nil, nil
			err = ref.Within(context.Background(), q, distance, 2, func(i, j int) {
				lock.Lock()
				defer lock.Unlock()
				got = append(got, [2]int{i, j})
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range len(q) / d {
				for j := range n {
					if Distance(q[i*d:(i+1)*d], ref.Row(j)) <= distance {
						want = append(want, [2]int{i, j})
					}
				}
			}
			same(t, kind, distance, got, want)
		}
	}
}

func same(t *testing.T, kind string, distance float64, got, want [][2]int) {
	t.Helper()
	slices.SortFunc(got, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	if !slices.Equal(got, want) {
		t.Errorf("%s within %v: %d pairs, want %d", kind, distance, len(got), len(want))
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x := rows("normal", 100, 3, 1)
	ref := New(x, 100, 3)
	never := func(int, int) { t.Error("visited") }
	for _, err := range []error{
		ref.Nearest(ctx, x, 2, 1, -1, func(int, []Neighbour) { t.Error("visited") }),
		ref.Within(ctx, x, 1, 1, never),
		ref.Pairs(ctx, 1, 1, func() func(i, j int) { return never }),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}
