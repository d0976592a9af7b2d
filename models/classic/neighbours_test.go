package classic

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// Neighbours against sorting all distances, with copies and with more neighbours than fit a panel.
func TestNearest(t *testing.T) {
	const n, d = 500, 4
	s := vectors(d, clouds(3, n, d))
	q := vectors(d, append(clouds(4, 100, d), flat([][]float64{{1e10, 0, 0, 0}, {3e38, -3e38, 0, 1}})...))
	for _, k := range []int{1, 7, 200, n - 1} {
		for _, self := range []bool{false, true} {
			t.Run(fmt.Sprintf("k=%d,self=%v", k, self), func(t *testing.T) {
				query, start := q, -1
				if self {
					query, start = s, 0
				}
				ref := newReference(s.X, n, d, modeOrMean(s.X, n, d))
				got := make([][]neighbour, query.N)
				err := ref.nearest(context.Background(), query.X, k, 2, start,
					func(i int, near []neighbour) { got[i] = slices.Clone(near) })
				if err != nil {
					t.Fatal(err)
				}
				for i := range got {
					var all []neighbour
					for j := range n {
						if !self || i != j {
							all = append(all, neighbour{int32(j), distance(query.Row(i), s.Row(j))})
						}
					}
					slices.SortFunc(all, compareNear)
					for j, want := range all[:k] {
						// Among rows that are equally far, any will do; the distances must be these.
						if got[i][j].dist != want.dist && i < 100 {
							t.Fatalf("row %d, neighbour %d: %v, want %v", i, j, got[i][j], want)
						}
					}
				}
			})
		}
	}
}
