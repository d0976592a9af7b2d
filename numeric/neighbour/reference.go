package neighbour

import (
	"math"
	"sync"

	"plumbline/numeric/kernel"
)

// Neighbour is a row and its Euclidean distance.
type Neighbour struct {
	Row      int32
	Distance float64
}

// Reference is the rows that neighbours are looked for among. It may be used by any number of goroutines.
type Reference struct {
	N, D int
	X    []float32 // N×D row-major, finite; neither copied nor changed

	shift  []float64 // taken from every column first: it decides how much the products lose to cancellation
	panels *kernel.Panels[float32]
	huge   bool // squared lengths that products in float32 may overflow at

	doubles func() *kernel.Panels[float64] // the same in float64, once it is needed
}

// New prepares n rows of d columns to be searched. It takes nd numbers of memory beside x, and twice as many more
// once float32 leaves something in doubt.
func New(x []float32, n, d int) *Reference {
	r := &Reference{N: n, D: d, X: x, shift: kernel.Middles(x, n, d), panels: kernel.NewPanels[float32](n, d)}
	row := make([]float32, d)
	for i := range n {
		shifted(r.Row(i), r.shift, row)
		r.panels.Set(i, row)
		r.huge = r.huge || !(r.panels.Norm(i) < overflowing)
	}
	r.doubles = sync.OnceValue(func() *kernel.Panels[float64] {
		p, row := kernel.NewPanels[float64](n, d), make([]float64, d)
		for i := range n {
			shifted(r.Row(i), r.shift, row)
			p.Set(i, row)
		}
		return p
	})
	return r
}

// overflowing is where squared lengths come too near to the largest float32.
const overflowing = 1e30

// Row is row i as it was given.
func (r *Reference) Row(i int) []float32 { return r.X[i*r.D : (i+1)*r.D] }

// shifted writes row − shift to dst.
func shifted[T kernel.Real](row []float32, shift []float64, dst []T) {
	for j, v := range row {
		dst[j] = T(float64(v) - shift[j])
	}
}

// Distance is ‖a−b‖ over the length of a, in float64.
func Distance(a, b []float32) float64 { return math.Sqrt(kernel.Apart(a, b)) }

// doubt bounds how far a squared distance in float32 may be from the true one, for two rows of d numbers with the
// given squared lengths after the shift. With u the rounding of float32, the shifted rows are off by u of their
// lengths, which moves the square of their distance by at most 2u(|x|+|y|)·|x−y| ≤ 4u(|x|²+|y|²); the product is
// off by du|x||y|, twice counted; and the lengths and the three sums are off by u of at most 2(|x|²+|y|²) each.
func doubt(d int, one, other float64) float64 {
	const u = 1.0 / (1 << 24)
	return float64(u * float64(d+14) * (one + other))
}

// reach is the largest squared length of a row that may be within a distance of one of the given squared length.
func reach(norm, distance float64) float64 {
	far := math.Sqrt(norm) + distance
	return float64(far * far)
}
