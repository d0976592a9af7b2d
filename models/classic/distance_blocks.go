package classic

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Squared distances between many rows at once, as ‖x‖² + ‖y‖² − 2 x·y with the products x·y by matrix
// multiplication, 64 rows x against 128 rows y at a time.
//
// Rows are first mapped to (x − shift)·scale. Shifting does not change a distance, but it decides how
// many zeros there are (the multiplication skips the zeros of x, and one-hot or scaled traffic data are
// mostly one value a column) and how much is lost to cancellation.
const (
	panelRows = 128 // rows y of one multiplication
	blockRows = 64  // rows x of one; gonum multiplies blocks of this size on the calling goroutine
)

// affine is the map (x − shift)·scale.
type affine struct {
	shift []float64 // d
	scale float64
}

// distanceBlocks are n rows of d mapped numbers, laid out for multiplication: panel p holds the rows from
// p·panelRows on, column-major (d × panelRows), padded with zeros.
type distanceBlocks struct {
	n, d   int
	panels []float64
	norms  []float64 // n squared lengths
	top    float64   // largest of norms
}

// block is up to blockRows mapped rows, row-major, that meet one panel after the other.
type block struct {
	m     int
	x     []float64 // m×d
	norms []float64 // m
}

func newBlock(d int) *block {
	return &block{x: make([]float64, blockRows*d), norms: make([]float64, blockRows)}
}

// fill takes rows [lo, hi) of the row-major matrix x, at most blockRows.
func fill[T float32 | float64](b *block, f affine, x []T, d, lo, hi int) {
	b.m = hi - lo
	for i := range b.m {
		b.norms[i] = mapRow(f, x[(lo+i)*d:(lo+i+1)*d], b.x[i*d:(i+1)*d])
	}
}

// mapRow writes the mapped row to dst and returns its squared length.
func mapRow[T float32 | float64](f affine, row []T, dst []float64) float64 {
	var sum float64
	for j, v := range row {
		y := (float64(v) - f.shift[j]) * f.scale
		dst[j] = y
		sum += float64(y * y)
	}
	return sum
}

// newDistanceBlocks lays out the rows of the row-major n×d matrix x.
func newDistanceBlocks[T float32 | float64](f affine, x []T, n, d int) *distanceBlocks {
	p := emptyDistanceBlocks(n, d)
	row := make([]float64, d)
	for i := range n {
		norm := mapRow(f, x[i*d:(i+1)*d], row)
		p.put(i, row, norm)
	}
	return p
}

func emptyDistanceBlocks(n, d int) *distanceBlocks {
	panels := (n + panelRows - 1) / panelRows
	return &distanceBlocks{n: n, d: d, panels: make([]float64, panels*panelRows*d), norms: make([]float64, n)}
}

func (p *distanceBlocks) put(i int, row []float64, norm float64) {
	p.norms[i], p.top = norm, max(p.top, norm)
	base := i/panelRows*panelRows*p.d + i%panelRows
	for j, v := range row {
		p.panels[base+j*panelRows] = v
	}
}

// at copies row i to dst.
func (p *distanceBlocks) at(i int, dst []float64) {
	base := i/panelRows*panelRows*p.d + i%panelRows
	for j := range dst {
		dst[j] = p.panels[base+j*panelRows]
	}
}

// pick lays out the rows at idx, in that order.
func (p *distanceBlocks) pick(idx []int) *distanceBlocks {
	q := emptyDistanceBlocks(len(idx), p.d)
	row := make([]float64, p.d)
	for to, from := range idx {
		p.at(from, row)
		q.put(to, row, p.norms[from])
	}
	return q
}

// count is the number of panels, and size the number of rows in panel k.
func (p *distanceBlocks) count() int     { return len(p.panels) / max(1, panelRows*p.d) }
func (p *distanceBlocks) size(k int) int { return min(panelRows, p.n-k*panelRows) }

// Beyond this sum of squared lengths, cancellation leaves less than nine digits of a distance that
// matters to exp(−distance²); such pairs are computed again from differences.
const (
	cancelling = 1e6
	vanishing  = 750 // exp(−750) is 0
)

// negSquares fills out with −‖x−y‖² ≤ 0 for the rows x of b and y of panel k, row-major with stride
// panelRows. A number depends on its two rows alone, not on where they stand in block and panel.
func (p *distanceBlocks) negSquares(b *block, k int, out []float64) {
	w := p.size(k)
	gonum.Implementation{}.Dgemm(blas.NoTrans, blas.NoTrans, b.m, panelRows, p.d,
		1, b.x, p.d, p.panels[k*panelRows*p.d:(k+1)*panelRows*p.d], panelRows, 0, out, panelRows)
	norms := p.norms[k*panelRows : k*panelRows+w]
	for i := range b.m {
		row := out[i*panelRows : i*panelRows+w]
		nx := b.norms[i]
		for j, ny := range norms {
			v := 2*row[j] - (nx + ny)
			if v > 0 {
				v = 0
			}
			row[j] = v
		}
		if nx+p.top > cancelling {
			p.repair(b.x[i*p.d:(i+1)*p.d], nx, k, row)
		}
	}
}

// repair computes again what cancellation has spoilt in row, the negative squared distances of x from the
// rows of panel k.
func (p *distanceBlocks) repair(x []float64, nx float64, k int, row []float64) {
	for j, v := range row {
		if v > -vanishing && nx+p.norms[k*panelRows+j] > cancelling {
			row[j] = -p.square(x, k, j)
		}
	}
}

// square is ‖x−y‖² from differences, y being row j of panel k.
func (p *distanceBlocks) square(x []float64, k, j int) float64 {
	var sum float64
	base := k*panelRows*p.d + j
	for t, v := range x {
		diff := v - p.panels[base+t*panelRows]
		sum += float64(diff * diff)
	}
	return sum
}

// modeOrMean finds a shift for each column of the row-major n×d matrix x: the value that more than half of
// the rows have, where there is one (those entries become zeros), otherwise the mean.
func modeOrMean[T float32 | float64](x []T, n, d int) []float64 {
	// Boyer and Moore's majority vote, then a count.
	leader, votes := make([]T, d), make([]int, d)
	for i := range n {
		for j, v := range x[i*d : (i+1)*d] {
			switch {
			case votes[j] == 0:
				leader[j], votes[j] = v, 1
			case leader[j] == v:
				votes[j]++
			default:
				votes[j]--
			}
		}
	}
	count, sum := make([]int, d), make([]float64, d)
	for i := range n {
		for j, v := range x[i*d : (i+1)*d] {
			if v == leader[j] {
				count[j]++
			}
			sum[j] += float64(v)
		}
	}
	shift := make([]float64, d)
	for j := range shift {
		if shift[j] = sum[j] / float64(n); 2*count[j] > n {
			shift[j] = float64(leader[j])
		}
	}
	return shift
}
