package factor

import (
	"errors"
	"math"
)

// ErrSingular says that a matrix is not positive definite, as far as float64 tells.
var ErrSingular = errors.New("the matrix is not positive definite")

// InverseRoot is the lower triangular d×d matrix W for which WᵀW is the inverse of a symmetric positive definite one:
// the inverse of its Cholesky factor. The triangle below the diagonal of the matrix is read; it is not changed. The
// cost is d³/3 multiplications. Columns without an inverse are ErrSingular.
func InverseRoot(matrix []float64, d int) ([]float64, error) {
	l := make([]float64, d*d)
	for i := range d {
		row := l[i*d : i*d+i]
		for j := range i {
			other := l[j*d : j*d+j]
			row[j] = (matrix[i*d+j] - dot(row[:j], other)) / l[j*d+j]
		}
		left := matrix[i*d+i] - dot(row, row)
		if !(left > 0) || math.IsInf(left, 0) {
			return nil, ErrSingular
		}
		l[i*d+i] = math.Sqrt(left)
	}
	// W L = 1 by rows: row i of W is e_i − Σ_k<i L_ik W_k, over L_ii.
	w := make([]float64, d*d)
	for i := range d {
		row := w[i*d : i*d+i+1]
		for k := range i {
			f := l[i*d+k]
			for j, v := range w[k*d : k*d+k+1] {
				row[j] -= float64(f * v)
			}
		}
		row[i] = 1
		pivot := l[i*d+i]
		for j := range row {
			row[j] /= pivot
			if math.IsInf(row[j], 0) || math.IsNaN(row[j]) {
				return nil, ErrSingular
			}
		}
	}
	return w, nil
}

// Triangle is the upper triangular d×d matrix R of the QR decomposition of a square one, BᵀB = RᵀR, by Householder
// reflections. b is overwritten. Signs of the rows of R are arbitrary.
func Triangle(b []float64, d int) []float64 {
	column := make([]float64, d)
	for k := range d {
		largest := 0.0
		for i := k; i < d; i++ {
			largest = max(largest, math.Abs(b[i*d+k]))
		}
		if largest == 0 {
			continue
		}
		v, sum := column[k:], 0.0
		for i := k; i < d; i++ {
			v[i-k] = b[i*d+k] / largest
			sum += float64(v[i-k] * v[i-k])
		}
		alpha := -math.Copysign(math.Sqrt(sum), v[0])
		v[0] -= alpha
		scale := -1 / float64(alpha*v[0]) // 2/‖v‖²
		for j := k; j < d; j++ {
			s := 0.0
			for i, x := range v {
				s += float64(x * b[(k+i)*d+j])
			}
			s = float64(s * scale)
			for i, x := range v {
				b[(k+i)*d+j] -= float64(s * x)
			}
		}
		for i := k + 1; i < d; i++ {
			b[i*d+k] = 0
		}
	}
	return b
}
