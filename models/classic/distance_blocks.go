package classic

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
