package similarity

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

// TestRows: the values by the definition, in float32 and float64, and of rows so long that distances are repaired.
func TestRows(t *testing.T) {
	const n, d = 150, 5
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		gamma, stretch float64
		single         bool
	}{{0.2, 1, true}, {0.2, 1, false}, {0.01, 1e6, false}} {
		x := make([]float64, n*d)
		for i := range x {
			x[i] = r.NormFloat64()
			if i%d == 0 {
				x[i] *= c.stretch
			}
			if i >= d && i/d%10 == 0 && i%d == 0 { // near to the row before
				x[i] = x[i-d] + 1
			}
		}
		f := Function{Kind: RBF, Gamma: c.gamma}
		p := New(f, x, n, d, nil, c.single)
		idx := []int{0, 149, 9, 10, 20, 31, 47, 48, 63, 64, 65, 90, 100, 101}
		out := make([][]float32, len(idx))
		for i := range out {
			out[i] = make([]float32, n)
		}
		if err := p.Rows(2).Fill(context.Background(), idx, out); err != nil {
			t.Fatal(err)
		}
		for k, i := range idx {
			for j, v := range out[k] {
				want := f.Value(x[i*d:(i+1)*d], x[j*d:(j+1)*d])
				if math.Abs(float64(v)-want) > 3e-6 {
					t.Fatalf("stretch %v: K(%d, %d) is %v, want %v", c.stretch, i, j, v, want)
				}
			}
		}
	}
}
