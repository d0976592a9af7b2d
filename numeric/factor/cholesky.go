package factor

import (
	"errors"
	"math"

	"plumbline/numeric/kernel"
)

// ErrSingular says that a matrix is not positive definite, as far as float64 tells.
var ErrSingular = errors.New("the matrix is not positive definite")

// InverseRoot is the lower triangular d×d matrix W for which WᵀW is the inverse of a symmetric positive definite one:
// the inverse of its Cholesky factor. The triangle below the diagonal of the matrix is read; it is not changed. The
// cost is d³/3 multiplications. Columns without an inverse are ErrSingular.
func InverseRoot(matrix []float64, d int) ([]float64, error) {
	if d >= blockedFrom {
		return blockedInverseRoot(matrix, d)
	}
	return plainInverseRoot(matrix, d)
}

// block is how many rows of a large matrix go through a product together, a multiple of the kernels' columns;
// blockedFrom is from where on that pays.
const (
	block       = 32
	blockedFrom = 128
)

// blockedInverseRoot has what is left of rows and of the inverse after each block of rows in products of matrices: with
// R = Lᵀ by rows,
//
//	R_KK by rows · A_IJ −= R_KIᵀ R_KJ for I, J > K · W_I = L_II⁻¹ (1_I − Σ_K<I R_KIᵀ W_K)
func blockedInverseRoot(matrix []float64, d int) ([]float64, error) {
	const cols = 16
	ld := (d + cols - 1) / cols * cols
	r := make([]float64, d*ld) // on and above the diagonal; what is below is not read
	for i := range d {
		for j, v := range matrix[i*d : i*d+i+1] {
			r[j*ld+i] = v
		}
	}
	minus := make([]float64, d*ld) // −R right of the diagonal blocks
	for from := 0; from < d; from += block {
		to := min(from+block, d)
		for p := from; p < to; p++ {
			row := r[p*ld+p : p*ld+d]
			for q := from; q < p; q++ {
				subtract(row, r[q*ld+p], r[q*ld+p:q*ld+d])
			}
			if !(row[0] > 0) || math.IsInf(row[0], 0) {
				return nil, ErrSingular
			}
			row[0] = math.Sqrt(row[0])
			for j := 1; j < len(row); j++ {
				row[j] /= row[0]
			}
			for j := to; j < d; j++ {
				minus[p*ld+j] = -r[p*ld+j]
			}
		}
		for h := to; h < ld && to < d; h += cols {
			kernel.AddProducts(min(d, h+cols)-to, to-from, minus[from*ld+to:], 1, ld, r[from*ld+h:], ld, cols,
				r[to*ld+h:], ld)
		}
	}
	w := make([]float64, d*ld)
	for from := 0; from < d; from += block {
		to := min(from+block, d)
		for h := 0; h < from; h += cols {
			kernel.AddProducts(to-from, from-h, minus[h*ld+from:], 1, ld, w[h*ld+h:], ld, cols, w[from*ld+h:], ld)
		}
		for i := from; i < to; i++ {
			row := w[i*ld : i*ld+i+1]
			for k := from; k < i; k++ {
				subtract(row[:k+1], r[k*ld+i], w[k*ld:k*ld+k+1])
			}
			row[i] = 1
			if !divide(row, r[i*ld+i]) {
				return nil, ErrSingular
			}
		}
	}
	out := make([]float64, d*d)
	for i := range d {
		copy(out[i*d:i*d+i+1], w[i*ld:])
	}
	return out, nil
}

// subtract takes f times a row from another.
func subtract(row []float64, f float64, other []float64) {
	other = other[:len(row)]
	for j, v := range other {
		row[j] -= float64(f * v)
	}
}

// divide says whether the row is finite afterwards.
func divide(row []float64, by float64) bool {
	for j := range row {
		if row[j] /= by; math.IsInf(row[j], 0) || math.IsNaN(row[j]) {
			return false
		}
	}
	return true
}

func plainInverseRoot(matrix []float64, d int) ([]float64, error) {
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
			subtract(row[:k+1], l[i*d+k], w[k*d:k*d+k+1])
		}
		row[i] = 1
		if !divide(row, l[i*d+i]) {
			return nil, ErrSingular
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
