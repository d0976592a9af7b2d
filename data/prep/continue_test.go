package prep

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestAdvance: windows that are cut as events come are those of the whole, and none reaches before the base.
func TestAdvance(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		w := Window{Kind: "count", Length: 1 + r.IntN(9), Growing: r.IntN(2) == 0}
		w.Stride = 1 + r.IntN(w.Length)
		if !w.Continues() {
			t.Fatal(w)
		}
		total := 1 + r.IntN(40)
		var want, got []Span
		for _, s := range w.windows(total, nil) {
			want = append(want, Span{s.from, s.to})
		}
		var c Cursor
		for n := 0; n < total; {
			n = min(total, n+r.IntN(7))
			base := c.Base
			end := n == total && r.IntN(2) == 0
			for _, s := range w.Advance(&c, n, end) {
				if s.From < base || s.To > n {
					t.Fatalf("%+v: window %v with events %d to %d", w, s, base, n)
				}
				got = append(got, s)
			}
			if end {
				break
			}
			if n == total {
				got = append(got, w.Advance(&c, n, true)...)
				break
			}
		}
		order := func(a, b Span) int { return (a.To-b.To)*100 + a.From - b.From }
		slices.SortFunc(want, order)
		slices.SortFunc(got, order)
		if !slices.Equal(want, got) {
			t.Fatalf("%+v, %d events: %v, want %v", w, total, got, want)
		}
	}
}
