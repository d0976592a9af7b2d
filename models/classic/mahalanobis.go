package classic

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

// Mahalanobis is the squared Mahalanobis distance from the mean of the training rows. With Σ their
// covariance (divided by n),
//
//	score(x) = (x−μ)ᵀ (Σ + εI)⁻¹ (x−μ)
//
// (Mahalanobis, On the generalised distance in statistics, Proceedings of the National Institute of
// Sciences of India 2, 1936.) The ridge ε keeps directions without variance, of which one-hot columns have
// many, from deciding alone; it is on the scale of the squared columns.
//
// Fit costs nd² + d³, each scored row d².
type Mahalanobis struct {
	// added to the diagonal of the covariance; 1e-6, for columns of about unit scale
	Ridge float64 `yaml:"ridge" jsonschema:"exclusiveMinimum=0,maximum=1000000"`
}

const mahalanobis = "mahalanobis"

func init() {
	models.Register(models.Info{
		Name: mahalanobis,
		Doc:  "Squared Mahalanobis distance from the mean of the training rows.",
		Paper: "Mahalanobis, On the generalised distance in statistics, Proceedings of the National " +
			"Institute of Sciences of India, 1936",
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &Mahalanobis{Ridge: 1e-6} },
	})
}

// New builds an unfitted detector.
func (c *Mahalanobis) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(mahalanobis, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: mahalanobis, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			return fitMahalanobis(ctx, spec, env, s)
		},
		Load: loadGaussian,
	}.Expecter(), nil
}

// gaussianState is a normal distribution; the score is the squared distance from its mean by its covariance.
type gaussianState struct{ g *cluster.Gaussian }

// fitMahalanobis raises the ridge where rounding leaves the covariance without an inverse.
func fitMahalanobis(ctx context.Context, c Mahalanobis, env models.Env, s *data.Set) (*gaussianState, error) {
	mean, err := columnMeans(ctx, s, env.Parallel())
	if err != nil {
		return nil, err
	}
	cov, err := cluster.Covariance(ctx, models.RowMatrix(s), mean, nil, env.Parallel())
	if err != nil {
		return nil, err
	}
	g, ridge, err := ridged(mean, cov, c.Ridge)
	if err == nil && ridge > c.Ridge {
		env.Logger().Warn("mahalanobis: ridge raised: rounding leaves the covariance without an inverse",
			"from", c.Ridge, "to", ridge)
	}
	return &gaussianState{g}, err
}

// ridged is the distribution with the covariance plus ridge on its diagonal, or the next of 10, 100, … times as
// much that has an inverse.
func ridged(mean, cov []float64, ridge float64) (*cluster.Gaussian, float64, error) {
	d := len(mean)
	for {
		sum := slices.Clone(cov)
		for j := range d {
			sum[j*d+j] += ridge
		}
		g, err := cluster.NewGaussian(mean, sum)
		if err == nil || ridge > math.MaxFloat64/10 {
			return g, ridge, err
		}
		ridge *= 10
	}
}

func (m *gaussianState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return cluster.Squares(ctx, m.g, models.RowMatrix(s), workers, out)
}

func (m *gaussianState) RowState() (any, models.Arrays) {
	return struct{}{}, models.Arrays{"mean": m.g.Mean, "whitening": m.g.W}
}

func loadGaussian(st models.State) (models.RowLearned, error) {
	if err := st.Meta(&struct{}{}); err != nil {
		return nil, err
	}
	d := st.Columns
	mean, err := models.FiniteArray[float64](st.Arrays, "mean", d)
	if err != nil {
		return nil, err
	}
	w, err := models.FiniteArray[float64](st.Arrays, "whitening", d*d)
	if err != nil {
		return nil, err
	}
	for i := range d {
		if !(w[i*d+i] >= 0) { // 0 in a pseudo-inverse
			return nil, fmt.Errorf("whitening matrix with %v on its diagonal", w[i*d+i])
		}
	}
	return &gaussianState{cluster.Whitened(mean, w)}, nil
}
