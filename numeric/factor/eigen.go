// Package factor decomposes dense matrices in float64: eigenvectors of symmetric ones, Cholesky factors and their
// inverses, the triangle of a QR decomposition. Matrices are row-major slices. Every sum has one order and no product
// is fused with a sum but by numeric/kernel, of which the products of large matrices are, so that all processors give
// the same bits.
package factor

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// ErrEigen says that the search for eigenvalues did not end, as with values that are not finite.
var ErrEigen = errors.New("the eigenvalues of the matrix do not converge")

// Eigen gives the eigenvalues of a symmetric d×d matrix in falling order, and unit eigenvectors as the rows of a d×d
// matrix, whose signs are arbitrary. symmetric is not changed. Householder reflections make it tridiagonal, the
// implicit QL method with Wilkinson's shifts diagonal (Golub and Van Loan, Matrix Computations, 4th edition, 8.3).
// The cost is about 4d³ multiplications.
func Eigen(symmetric []float64, d int) (values, vectors []float64, err error) {
	if d == 0 {
		return nil, nil, nil
	}
	for _, v := range symmetric {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, ErrEigen
		}
	}
	a := slices.Clone(symmetric)
	diagonal, beside, q := tridiagonal(a, d)
	if !implicitQL(diagonal, beside, q, d) {
		return nil, nil, ErrEigen
	}
	order := make([]int, d)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(diagonal[j], diagonal[i]) })
	vectors = make([]float64, 0, d*d)
	for _, i := range order {
		values = append(values, diagonal[i])
		vectors = append(vectors, q[i*d:(i+1)*d]...)
	}
	return values, vectors, nil
}

// tridiagonal is T and Q with A = QᵀTQ: the diagonal of T, what stands beside it (beside[i] between i and i+1), and Q.
// a is overwritten.
func tridiagonal(a []float64, d int) (diagonal, beside, q []float64) {
	diagonal, beside = make([]float64, d), make([]float64, d)
	betas, p := make([]float64, d), make([]float64, d)
	for k := 0; k < d-2; k++ {
		// The reflection of column k below its diagonal onto its first element; row k holds the same numbers, and keeps v.
		v := a[k*d+k+1 : (k+1)*d]
		largest := 0.0
		for _, x := range v {
			largest = max(largest, math.Abs(x))
		}
		if largest == 0 {
			continue // betas[k] is 0: no reflection
		}
		sum := 0.0
		for i := range v {
			v[i] /= largest
			sum += float64(v[i] * v[i])
		}
		alpha := -math.Copysign(math.Sqrt(sum), v[0])
		head := v[0] - alpha
		beta := -head / alpha // 2/‖v‖² once v[0] is 1
		for i := range v {
			v[i] /= head
		}
		v[0] = 1
		betas[k], beside[k] = beta, float64(alpha*largest)

		// A ← A − v wᵀ − w vᵀ with w = p − (β pᵀv/2) v, p = βAv.
		m := d - k - 1
		w := p[:m]
		for i := range m {
			w[i] = float64(beta * dot(a[(k+1+i)*d+k+1:(k+2+i)*d], v))
		}
		half := float64(beta*dot(w, v)) / 2
		for i := range m {
			w[i] -= float64(half * v[i])
		}
		for i := range m {
			row := a[(k+1+i)*d+k+1 : (k+2+i)*d]
			vi, wi := v[i], w[i]
			for j, x := range row {
				row[j] = x - float64(vi*w[j]) - float64(wi*v[j])
			}
		}
	}
	for i := range d {
		diagonal[i] = a[i*d+i]
	}
	if d > 1 {
		beside[d-2] = a[(d-2)*d+d-1]
	}
	return diagonal, beside, reflections(a, betas, d)
}

// reflections is Q of tridiagonal: the product of the reflections, from the last to the first, transposed. Row k of a
// has the k-th vector right of its diagonal.
func reflections(a, betas []float64, d int) []float64 {
	q, sums := make([]float64, d*d), make([]float64, d)
	for i := range d {
		q[i*d+i] = 1
	}
	// Qᵀ = H_0 H_1 … is made from its last factor on; with row i of q being row i of Q, H_k acts from the right, on
	// columns: q ← q − β (q v) vᵀ. Rows and columns up to k are still those of the unit matrix.
	for k := d - 3; k >= 0; k-- {
		if betas[k] == 0 {
			continue
		}
		v := a[k*d+k+1 : (k+1)*d]
		for i := k + 1; i < d; i++ {
			sums[i] = float64(betas[k] * dot(q[i*d+k+1:(i+1)*d], v))
		}
		for i := k + 1; i < d; i++ {
			row, s := q[i*d+k+1:(i+1)*d], sums[i]
			for j, x := range v {
				row[j] -= float64(s * x)
			}
		}
	}
	return q
}

// implicitQL makes a tridiagonal matrix diagonal by plane rotations, which are applied to the rows of q too. It says
// whether that came to an end.
func implicitQL(diagonal, beside, q []float64, d int) bool {
	const rounds = 60 // for one eigenvalue, which takes two on average
	norm := 0.0
	for i := range d {
		norm = max(norm, math.Abs(diagonal[i])+math.Abs(beside[i]))
	}
	none := norm / (1 << 54) // what rounding leaves of the largest elements
	for l := range d {
		for round := 0; ; round++ {
			m := l
			for ; m < d-1; m++ {
				if math.Abs(beside[m]) <= none {
					break
				}
			}
			if m == l {
				break
			}
			if round == rounds {
				return false
			}
			rotate(diagonal, beside, q, d, l, m)
		}
	}
	return true
}

// rotate is one round of the QL method on rows l to m.
func rotate(diagonal, beside, q []float64, d, l, m int) {
	g := (diagonal[l+1] - diagonal[l]) / (2 * beside[l])
	r := hypot(g, 1)
	g = diagonal[m] - diagonal[l] + beside[l]/(g+math.Copysign(r, g)) // Wilkinson's shift
	s, c, shifted := 1.0, 1.0, 0.0
	for i := m - 1; i >= l; i-- {
		f, b := float64(s*beside[i]), float64(c*beside[i])
		r = hypot(f, g)
		beside[i+1] = r
		if r == 0 { // the matrix falls apart here
			diagonal[i+1] -= shifted
			beside[m] = 0
			return
		}
		s, c = f/r, g/r
		g = diagonal[i+1] - shifted
		r = float64((diagonal[i]-g)*s) + float64(2*c*b)
		shifted = float64(s * r)
		diagonal[i+1] = g + shifted
		g = float64(c*r) - b
		lower, upper := q[i*d:(i+1)*d], q[(i+1)*d:(i+2)*d]
		for j, x := range lower {
			y := upper[j]
			upper[j] = float64(s*x) + float64(c*y)
			lower[j] = float64(c*x) - float64(s*y)
		}
	}
	diagonal[l] -= shifted
	beside[l] = g
	beside[m] = 0
}

// hypot is √(a² + b²) without overflow; that of package math is assembly on some processors.
func hypot(a, b float64) float64 {
	a, b = math.Abs(a), math.Abs(b)
	if a < b {
		a, b = b, a
	}
	if b == 0 {
		return a
	}
	f := b / a
	return float64(a * math.Sqrt(1+float64(f*f)))
}

// dot is Σ a_i b_i in four sums, which are added in pairs.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	n := min(len(a), len(b))
	a, b = a[:n], b[:n]
	i := 0
	for ; i+4 <= n; i += 4 {
		s0 += float64(a[i] * b[i])
		s1 += float64(a[i+1] * b[i+1])
		s2 += float64(a[i+2] * b[i+2])
		s3 += float64(a[i+3] * b[i+3])
	}
	for ; i < n; i++ {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}
