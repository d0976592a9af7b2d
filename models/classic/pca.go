package classic

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/factor"
	"plumbline/numeric/kernel"
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
// Weighted, it is PyOD's: with z the row standardised by mean and deviation of the columns, v_j the eigenvectors of
// their correlations with the largest entry positive, and w_j the share of the variance along each,
//
//	score(x) = Σ_j ‖z − v_j‖ / w_j
//
// which takes eigenvectors for points, and changes with their signs. All components count, but those with a share of at
// most 1e-12.
//
// Fit costs nd² + d³, each scored row 2dk, weighted d².
type PCA struct {
	// below 1 the share of the variance that the components explain, from 1 on their number; 0.95 by habit
	Components float64 `yaml:"components" jsonschema:"exclusiveMinimum=0"`
	// PyOD's score from all components, those of little variance before others; without regard to components
	Weighted bool `yaml:"weighted"`
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
	m := models.RowMethod{
		Name: pca, Spec: c, Env: env, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (models.RowLearned, error) { return fitPCA(ctx, spec, env, s) },
		Load: loadPCA,
	}
	if spec.Weighted {
		m.Fit = func(ctx context.Context, s *data.Set) (models.RowLearned, error) { return fitPCAPoints(ctx, env, s) }
		m.Load = loadPCAPoints
		return m.Explainer(), nil
	}
	return pcaDetector{m.Expecter()}, nil
}

// pcaDetector is the detector, but for the weighted form, which rebuilds nothing.
type pcaDetector struct{ expecting }

type expecting interface {
	models.Detector
	models.Exporter
	models.Explainer
	models.Expecter
}

// Reconstruction is the score, over the columns.
func (d pcaDetector) Reconstruction(ctx context.Context, s *data.Set) ([]float64, error) {
	out, err := d.Score(ctx, s)
	for i := range out {
		out[i] /= float64(s.D)
	}
	return out, err
}

var _ models.Reconstructor = pcaDetector{}

type pcaState struct {
	mean    []float64 // d
	vectors []float64 // k×d, row-major
	k       int

	onto, back *kernel.Panels[float64] // the vectors, and their columns; nil without any
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
	return newPCA(mean, vectors[:k*s.D], k), nil
}

// principal gives the eigenvalues of the covariance in falling order, their eigenvectors as rows, and the
// mean.
func principal(ctx context.Context, s *data.Set, workers int) (values, vectors, mean []float64, err error) {
	mean, err = columnMeans(ctx, s, workers)
	if err != nil {
		return nil, nil, nil, err
	}
	cov, err := cluster.Covariance(ctx, models.RowMatrix(s), mean, nil, workers)
	if err != nil {
		return nil, nil, nil, err
	}
	values, vectors, err = factor.Eigen(cov, s.D)
	return values, vectors, mean, err
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

func newPCA(mean, vectors []float64, k int) *pcaState {
	d := len(mean)
	m := &pcaState{mean: mean, vectors: vectors, k: k}
	if k == 0 {
		return m
	}
	m.onto, m.back = kernel.PackRows(vectors, k, d), kernel.NewPanels[float64](d, k)
	row := make([]float64, k)
	for j := range d {
		for c := range row {
			row[c] = vectors[c*d+j]
		}
		m.back.Set(j, row)
	}
	return m
}

// score projects a tile's rows onto the components and back again.
func (m *pcaState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	const width = 16
	d, k := s.D, m.k
	return eachTile(ctx, s, m.mean, workers, func() func(lo, hi int, z []float64) {
		var onto, back *kernel.Tile[float64]
		if k > 0 {
			onto, back = kernel.NewTile[float64](d), kernel.NewTile[float64](k)
		}
		y := make([]float64, kernel.TileRows*k)
		return func(lo, hi int, z []float64) {
			n := hi - lo
			if k > 0 {
				onto.UseForProducts(z, n)
				for p := range m.onto.Count() {
					c := onto.Products(m.onto, p)
					for i := range n {
						copy(y[i*k+p*width:(i+1)*k], c[i*width:i*width+m.onto.Size(p)])
					}
				}
				back.UseForProducts(y[:n*k], n)
				for p := range m.back.Count() {
					c := back.Products(m.back, p)
					for i := range n {
						rest := z[i*d+p*width : i*d+p*width+m.back.Size(p)]
						for j := range rest {
							rest[j] -= c[i*width+j]
						}
					}
				}
			}
			for i := range n {
				out[lo+i] = kernel.SquaredLength(z[i*d : (i+1)*d])
			}
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

// ExplainRow: the squared residuals, which add up to the score.
func (m *pcaState) ExplainRow(row []float32, out []float64) {
	m.residual(row, out)
	for j, v := range out {
		out[j] = v * v
	}
}

// pcaMeta is the JSON part of the saved state.
type pcaMeta struct {
	Components int `json:"components"`
}

func (m *pcaState) RowState() (any, models.Arrays) {
	return pcaMeta{m.k}, models.Arrays{"mean": m.mean, "vectors": m.vectors}
}

func loadPCA(st models.State) (models.RowLearned, error) {
	var meta pcaMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	d, k := st.Columns, meta.Components
	if k < 0 || k >= d {
		return nil, fmt.Errorf("%d components of %d columns", k, d)
	}
	mean, err := models.FiniteArray[float64](st.Arrays, "mean", d)
	if err != nil {
		return nil, err
	}
	vectors, err := models.FiniteArray[float64](st.Arrays, "vectors", k*d)
	if err != nil {
		return nil, err
	}
	return newPCA(mean, vectors, k), nil
}
