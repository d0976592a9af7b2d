package classic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"plumbline/data"
	"plumbline/models"
)

// PCA is the distance from the subspace of the principal components: with μ the mean of the training rows
// and V (d×k) the eigenvectors of their covariance with the k largest eigenvalues,
//
//	score(x) = ‖(x−μ) − V Vᵀ(x−μ)‖²
//
// (Shyu, Chen, Sarinnapakorn and Chang, A novel anomaly detection scheme based on principal component
// classifier, ICDM Workshops 2003, uses the components themselves; the squared reconstruction error is
// common practice.) k is given, or the smallest number of components that together have more than the
// given share of the variance. At least one direction is always left over, since with all of them every
// score would be 0.
//
// Fit costs nd² + d³, each scored row 2dk.
type PCA struct {
	// below 1 the share of the variance that the components explain, from 1 on their number; 0.95 by habit
	Components float64 `yaml:"components" jsonschema:"exclusiveMinimum=0"`
}

const pca = "pca"

func init() {
	models.Register(models.Info{
		Name: pca,
		Doc:  "Squared distance from the subspace of the principal components of the training rows.",
		Paper: "Shyu, Chen, Sarinnapakorn and Chang, A novel anomaly detection scheme based on principal " +
			"component classifier, ICDM Workshops 2003",
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &PCA{Components: 0.95} },
	})
}

// New builds an unfitted detector.
func (c *PCA) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(pca, c); err != nil {
		return nil, err
	}
	if c.Components >= 1 && c.Components != math.Trunc(c.Components) {
		return nil, fmt.Errorf("%s: %w: components: %v is neither a share below 1 nor a whole number", pca,
			models.ErrSpec, c.Components)
	}
	spec := *c
	return method{
		name: pca, spec: c, env: env, min: 1,
		fit:  func(ctx context.Context, s *data.Set) (learned, error) { return fitPCA(ctx, spec, env, s) },
		load: loadPCA,
	}.explainer(), nil
}

type pcaState struct {
	mean    []float64 // d
	vectors []float64 // k×d, row-major
	k       int
}

func fitPCA(ctx context.Context, c PCA, env models.Env, s *data.Set) (*pcaState, error) {
	values, vectors, mean, err := principal(ctx, s, env.Parallel())
	if err != nil {
		return nil, err
	}
	k := c.count(values)
	if c.Components >= 1 && float64(k) < c.Components {
		env.Logger().Warn("pca: one direction must be left over", "components", c.Components, "used", k, "columns", s.D)
	}
	return &pcaState{mean: mean, vectors: vectors[:k*s.D], k: k}, nil
}

// principal gives the eigenvalues of the covariance in falling order, their eigenvectors as rows, and the
// mean.
func principal(ctx context.Context, s *data.Set, workers int) (values, vectors, mean []float64, err error) {
	m, err := fitMoments(ctx, s, workers)
	if err != nil {
		return nil, nil, nil, err
	}
	cov, err := covariance(ctx, s, m.mean, workers)
	if err != nil {
		return nil, nil, nil, err
	}
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(s.D, cov), true) {
		return nil, nil, nil, errors.New("the eigenvalues of the covariance do not converge")
	}
	rising := eig.Values(nil)
	var columns mat.Dense
	eig.VectorsTo(&columns)
	order := make([]int, s.D)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rising[b], rising[a]) })
	for _, i := range order {
		values = append(values, rising[i])
		for j := range s.D {
			vectors = append(vectors, columns.At(j, i))
		}
	}
	return values, vectors, m.mean, nil
}

// count is k for eigenvalues in falling order.
func (c *PCA) count(values []float64) int {
	left := len(values) - 1
	if c.Components >= 1 {
		return int(min(c.Components, float64(left)))
	}
	var total, sum float64
	for _, v := range values {
		total += max(v, 0)
	}
	if total == 0 {
		return 0
	}
	for k, v := range values {
		if sum += max(v, 0); sum/total > c.Components {
			return min(k+1, left)
		}
	}
	return left
}

func (m *pcaState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return scoreRows(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		rest := make([]float64, s.D)
		return func(row []float32) float64 {
			m.residual(row, rest)
			var sum float64
			for _, v := range rest {
				sum += float64(v * v)
			}
			return sum
		}
	})
}

// residual fills rest with what the components leave over of a row.
func (m *pcaState) residual(row []float32, rest []float64) {
	for j, v := range row {
		rest[j] = float64(v) - m.mean[j]
	}
	// Taking one component away after the other is the same as all at once, as they are orthogonal.
	for c := range m.k {
		v := m.vectors[c*len(row) : (c+1)*len(row)]
		var t float64
		for j, x := range rest {
			t += float64(x * v[j])
		}
		for j := range rest {
			rest[j] -= float64(t * v[j])
		}
	}
}

// explain: the squared residuals, which add up to the score.
func (m *pcaState) explain(row []float32, out []float64) {
	m.residual(row, out)
	for j, v := range out {
		out[j] = v * v
	}
}

// pcaMeta is the JSON part of the saved state.
type pcaMeta struct {
	Components int `json:"components"`
}

func (m *pcaState) state() (any, models.Arrays) {
	return pcaMeta{m.k}, models.Arrays{"mean": m.mean, "vectors": m.vectors}
}

func loadPCA(st models.State) (learned, error) {
	var meta pcaMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	d, k := st.Columns, meta.Components
	if k < 0 || k >= d {
		return nil, fmt.Errorf("%d components of %d columns", k, d)
	}
	m := &pcaState{k: k}
	if m.mean, err = models.FiniteArray[float64](st.Arrays, "mean", d); err != nil {
		return nil, err
	}
	if m.vectors, err = models.FiniteArray[float64](st.Arrays, "vectors", k*d); err != nil {
		return nil, err
	}
	return m, nil
}
