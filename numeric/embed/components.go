package embed

import (
	"context"
	"fmt"
	"math"

	"plumbline/numeric/cluster"
	"plumbline/numeric/factor"
)

// Components is the first k principal components of a row-major n×d matrix of finite numbers, as a row-major n×k
// matrix: v_j·(x − µ) with the eigenvectors of the covariance by falling eigenvalue, of the two signs that which makes
// the entry of largest magnitude positive. Where k > d, the components that there are not are 0.
func Components(ctx context.Context, x []float32, n, d, k, workers int) ([]float64, error) {
	if n < 1 || d < 1 || k < 1 || len(x) != n*d {
		return nil, fmt.Errorf("embed: %d values are no %d×%d", len(x), n, d)
	}
	mean := make([]float64, d)
	for i, v := range x {
		mean[i%d] += float64(v) / float64(n)
	}
	cov, err := cluster.Covariance(ctx, cluster.Matrix[float32]{N: n, D: d, X: x}, mean, nil, workers)
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	_, vectors, err := factor.Eigen(cov, d)
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	out := make([]float64, n*k)
	for j := range min(k, d) {
		v := vectors[j*d : (j+1)*d]
		top := 0
		for c := range v {
			if math.Abs(v[c]) > math.Abs(v[top]) {
				top = c
			}
		}
		sign := math.Copysign(1, v[top])
		for i := range n {
			sum := 0.0
			for c, e := range v {
				sum += float64(e * (float64(x[i*d+c]) - mean[c]))
			}
			out[i*k+j] = sign * sum
		}
	}
	return out, nil
}
