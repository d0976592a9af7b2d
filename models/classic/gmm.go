package classic

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

// GMM is the density of a mixture of normal distributions: with weights π, means μ and covariances Σ of k
// components,
//
//	p(x) = Σ_c π_c N(x; μ_c, Σ_c)
//	score(x) = −log p(x)
//
// fitted by expectation-maximisation (Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM
// algorithm, Journal of the Royal Statistical Society B 39, 1977) from the groups of k-means; of several starts the
// one with the largest likelihood counts. The cluster of a row is the component that it most probably is of.
//
// Each iteration costs nkd², each scored row kd².
type GMM struct {
	// components; fewer where there are fewer different training rows
	Components int `yaml:"components" jsonschema:"minimum=1,maximum=1000"`
	// covariances: full, or diag for columns that vary independently within a component
	Covariance string `yaml:"covariance" jsonschema:"enum=full,enum=diag"`
	// added to the diagonals of the covariances; 1e-6 as in scikit-learn, for columns of about unit scale
	Reg float64 `yaml:"reg" jsonschema:"exclusiveMinimum=0,maximum=1000000"`
	// change of the mean log-likelihood that ends the iterations; 1e-3 as in scikit-learn
	Tol float64 `yaml:"tol" jsonschema:"minimum=0,maximum=1000"`
	// iterations at most; 100 as in scikit-learn
	MaxIter int `yaml:"max_iter" jsonschema:"minimum=1,maximum=1000000"`
	// starts, of which the best counts
	Restarts int `yaml:"restarts" jsonschema:"minimum=1,maximum=1000"`
}

const gmm = "gmm"

func init() {
	models.Register(models.Info{
		Name: gmm,
		Doc:  "Density of a mixture of normal distributions; the score is the negative log density.",
		Paper: "Dempster, Laird and Rubin, Maximum likelihood from incomplete data via the EM algorithm, Journal of " +
			"the Royal Statistical Society B, 1977",
		Needs:  models.Needs{Input: data.Vectors},
		Seeded: func(s models.Spec) bool { return s.(*GMM).Components > 1 },
		Defaults: func() models.Spec {
			return &GMM{Components: 8, Covariance: "full", Reg: 1e-6, Tol: 1e-3, MaxIter: 100, Restarts: 1}
		},
	})
}

// New builds an unfitted detector.
func (c *GMM) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(gmm, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: gmm, Spec: c, Env: env, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (models.RowLearned, error) { return fitGMM(ctx, spec, env, s) },
		Load: loadGMM,
	}.Clusterer(), nil
}

// gmmState is a mixture.
type gmmState struct{ *cluster.Mixture }

func fitGMM(ctx context.Context, c GMM, env models.Env, s *data.Set) (*gmmState, error) {
	settings := cluster.MixtureSettings{
		K: c.Components, Diagonal: c.Covariance == "diag", Reg: c.Reg, Tol: c.Tol, MaxIter: c.MaxIter,
		Workers: env.Parallel(),
	}
	restarts := c.Restarts
	if c.Components == 1 {
		restarts = 1
	}
	var best *cluster.Mixture
	for start := range restarts {
		mix, err := cluster.FitMixture(ctx, settings, models.RowMatrix(s), env.Rand(fmt.Sprint("gmm start ", start)))
		if err != nil {
			return nil, err
		}
		if best == nil || mix.Bound > best.Bound {
			best = mix
		}
		env.Progress(models.Epoch{N: start + 1, Of: restarts, Loss: -mix.Bound,
			ValidLoss: math.NaN(), Rate: math.NaN(), Samples: s.N})
	}
	return &gmmState{best}, nil
}

func (m *gmmState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	err := cluster.LogDensity(ctx, m.Mixture, models.RowMatrix(s), workers, out)
	for i, v := range out {
		out[i] = -v
	}
	return err
}

func (m *gmmState) GroupRows(ctx context.Context, s *data.Set, workers int, out []int32) error {
	return cluster.Component(ctx, m.Mixture, models.RowMatrix(s), workers, out)
}

func (m *gmmState) RowState() (any, models.Arrays) {
	arrays := models.Arrays{"weights": m.Weights}
	var means, whitening []float64
	for _, g := range m.Components {
		means, whitening = append(means, g.Mean...), append(whitening, g.W...)
	}
	arrays["means"], arrays["whitening"] = means, whitening
	return struct{}{}, arrays
}

func loadGMM(st models.State) (models.RowLearned, error) {
	if err := st.Meta(&struct{}{}); err != nil {
		return nil, err
	}
	weights, err := models.FiniteArray[float64](st.Arrays, "weights", -1)
	if err != nil {
		return nil, err
	}
	k, d := len(weights), st.Columns
	if k < 1 || k > 1000 {
		return nil, fmt.Errorf("%d components", k)
	}
	means, err := models.FiniteArray[float64](st.Arrays, "means", k*d)
	if err != nil {
		return nil, err
	}
	w, err := models.FiniteArray[float64](st.Arrays, "whitening", k*d*d)
	if err != nil {
		return nil, err
	}
	m := &cluster.Mixture{Weights: weights}
	for c := range k {
		of := w[c*d*d : (c+1)*d*d]
		for i := range d {
			if !(of[i*d+i] > 0) || !(weights[c] > 0) {
				return nil, fmt.Errorf("component %d: weight %v, %v on the diagonal", c+1, weights[c], of[i*d+i])
			}
		}
		m.Components = append(m.Components, cluster.Whitened(means[c*d:(c+1)*d], of))
	}
	return &gmmState{m}, nil
}
