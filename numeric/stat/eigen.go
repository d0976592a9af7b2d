package stat

import (
	"cmp"
	"errors"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Eigen gives the eigenvalues of a symmetric d×d matrix in falling order, and the eigenvectors as rows.
func Eigen(symmetric []float64, d int) (values, vectors []float64, err error) {
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(d, symmetric), true) {
		return nil, nil, errors.New("the eigenvalues of the matrix do not converge")
	}
	rising := eig.Values(nil)
	var columns mat.Dense
	eig.VectorsTo(&columns)
	order := make([]int, d)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rising[b], rising[a]) })
	for _, i := range order {
		values = append(values, rising[i])
		for j := range d {
			vectors = append(vectors, columns.At(j, i))
		}
	}
	return values, vectors, nil
}
