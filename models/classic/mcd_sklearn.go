package classic

import (
	"fmt"
	"math"
	"math/rand/v2"

	"plumbline/data"
	"plumbline/numeric/cluster"
	"plumbline/numeric/elementary"
	"plumbline/numeric/factor"
)

// What scikit-learn fixes.
const (
	sklearnSmall  = 500 // rows up to which there are no samples
	sklearnTrials = 30  // starts there
	sklearnMerged = 1500
)

// searchAsSklearn is the best set of h rows by scikit-learn's search.
func (m *densest) searchAsSklearn(s *data.Set, h int, r *rand.Rand) (half, error) {
	if s.N <= sklearnSmall {
		tried, err := m.trials(s, h, sklearnTrials, r)
		if err != nil {
			return half{}, err
		}
		return m.finish(s, h, tried, 1)
	}
	part := func(n int) int { return int(math.Ceil(float64(n) * float64(h) / float64(s.N))) }
	subsets := s.N / mcdSubset
	size := s.N / subsets
	order := r.Perm(s.N)
	var pool []half
	for i := range subsets {
		tried, err := m.trials(s.Subset(order[i*size:(i+1)*size]), part(size), max(mcdBest, mcdTrials/subsets), r)
		if err != nil {
			return half{}, err
		}
		pool = append(pool, tried...)
	}
	merged := s.Subset(r.Perm(s.N)[:min(s.N, sklearnMerged)])
	if s.N < sklearnMerged {
		return m.finish(merged, h, pool, 1)
	}
	if err := m.steps(merged, part(merged.N), pool, mcdSteps, false); err != nil {
		return half{}, err
	}
	return m.finish(s, h, lowestSpread(pool, mcdBest), 1)
}

// Rounding: what may be left of a variance that is none.
const (
	rounding64 = 0x1p-52 // of a share of the largest variance, for each column
	rounding32 = 0x1p-48 // of a square, where values are float32
)

// pseudoInverse is the normal distribution with the Moore-Penrose inverse of a covariance, and the logarithm of its
// determinant: −∞ where a column does not vary at all. Eigenvalues that are no more than what rounding leaves count as
// none, those that values of float32 leave among them; in the determinant they have that size. That makes sets with
// more such directions denser, and orders those with as many by the others, where scikit-learn has the noise of an LU
// decomposition for it.
func pseudoInverse(mean, cov []float64) (*cluster.Gaussian, float64, error) {
	d := len(mean)
	trace, largest, flat := 0.0, 0.0, false
	for j := range d {
		v := cov[j*d+j]
		trace += v
		largest = max(largest, v+float64(mean[j]*mean[j]))
		flat = flat || v == 0
	}
	limit := float64(float64(d)*rounding64*trace) + float64(rounding32*largest)
	if !flat {
		// The trace of the inverse, Σ W², is at least 1 over the least eigenvalue.
		g, err := cluster.NewGaussian(mean, cov)
		if err == nil && sumOfSquares(g.W)*limit < 1 {
			return g, -2 * g.LogDet, nil
		}
	}
	values, vectors, err := factor.Eigen(cov, d)
	if err != nil {
		return nil, 0, fmt.Errorf("mcd: %w", err)
	}
	spread := 0.0
	root := make([]float64, d*d) // root'root is the inverse, its columns in reverse order
	for k, v := range values {
		spread += elementary.Log(max(v, limit))
		if v <= limit {
			continue
		}
		for j := range d {
			root[k*d+d-1-j] = vectors[k*d+j] / math.Sqrt(v)
		}
	}
	if flat {
		spread = math.Inf(-1)
	}
	return cluster.Whitened(mean, lowerRoot(root, cov, d)), spread, nil
}

// lowerRoot is the lower triangular W with WᵀW = BᵀB, and nothing on its diagonal below 0, from B with its columns in
// reverse order: of B = QR both indices of R reversed. Columns without variance are 0.
func lowerRoot(reversed, cov []float64, d int) []float64 {
	r := factor.Triangle(reversed, d)
	w := make([]float64, d*d)
	for i := range d {
		from := r[(d-1-i)*d:]
		sign := math.Copysign(1, from[d-1-i])
		for j := range i + 1 {
			if cov[j*d+j] > 0 {
				w[i*d+j] = sign * from[d-1-j]
			}
		}
	}
	return w
}

func sumOfSquares(x []float64) (sum float64) {
	for _, v := range x {
		sum += float64(v * v)
	}
	return sum
}
