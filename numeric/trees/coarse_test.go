package trees

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCoarse: with a third class that no row has, every threshold of every column is judged in order; with two, most
// are passed over by bins. Both have to grow the same trees.
func TestCoarse(t *testing.T) {
	const n, d = 1500, 8
	r := rand.New(rand.NewPCG(7, 1))
	x, y, w := make([]float32, n*d), make([]int32, n), make([]float64, n)
	for i := range n {
		row := x[i*d : (i+1)*d]
		row[0] = r.Float32()
		row[1] = float32(r.IntN(6))
		if r.IntN(3) == 0 { // a mass at one value
			row[2] = float32(r.NormFloat64())
		}
		row[3] = 3
		row[4] = 1 + float32(r.IntN(40))*3e-8 // closer than what trees tell apart
		row[5] = float32(r.IntN(2)) + float32(r.IntN(900))*1e-7
		row[6] = float32(r.ExpFloat64()) * float32(r.ExpFloat64())
		row[7] = row[0] // ties
		w[i] = float64(1 + r.IntN(3))
		if float64(row[0])*float64(row[6])+0.3*float64(row[2])+0.2*r.NormFloat64() > 0.4 {
			y[i] = 1
		}
	}
	for _, how := range []Growth{
		{MinSplit: 2, MinLeaf: 1},
		{MinSplit: 40, MinLeaf: 17},
		{Entropy: true, MinSplit: 2, MinLeaf: 1},
		{Entropy: true, MinSplit: 2, MinLeaf: 5, MaxDepth: 6},
	} {
		for features := range d + 1 {
			if features == 0 {
				continue
			}
			grown := func(k int) *Tree {
				grid, err := NewGrid(context.Background(), x, n, d, 1)
				if err != nil {
					t.Fatal(err)
				}
				rows := make([]int32, n)
				for i := range rows {
					rows[i] = int32(i)
				}
				g := &Grower{Growth: how, Grid: grid, Y: y, K: k, W: w, Features: features,
					Rand: rand.New(rand.NewPCG(uint64(features), 2))}
				tr, err := g.Grow(context.Background(), rows)
				if err != nil {
					t.Fatal(err)
				}
				tr.Value = nil
				return tr
			}
			two, three := grown(2), grown(3)
			if len(two.Column) < 20 {
				t.Errorf("%+v: a tree of %d nodes", how, len(two.Column))
			}
			if diff := cmp.Diff(three, two, cmp.AllowUnexported(Tree{})); diff != "" {
				t.Errorf("%+v, %d columns: by bins (+) and by rows (-):\n%s", how, features, diff)
			}
		}
	}
}
