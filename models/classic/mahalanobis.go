package classic

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/kernel"
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
	return method{
		name: mahalanobis, spec: c, env: env, min: 1,
		fit: func(ctx context.Context, s *data.Set) (learned, error) {
			return fitMahalanobis(ctx, spec, s, env.Parallel())
		},
		load: loadMahalanobis,
	}.detector(), nil
}

// mahalanobisState is the mean and a matrix W with WᵀW = (Σ + εI)⁻¹, so that the score is ‖W(x−μ)‖².
type mahalanobisState struct {
	mean     []float64 // d
	w        []float64 // d×d row-major
	triangle bool      // W is 0 above the diagonal
	p        *kernel.Panels[float64]
}

func newMahalanobis(mean, w []float64, triangle bool) *mahalanobisState {
	return &mahalanobisState{mean, w, triangle, panelsOf(w, len(mean), len(mean))}
}

// fitMahalanobis takes W from the Cholesky factor of Σ + εI, or, where rounding leaves that without one, from its
// eigenvalues, those below 0 raised to it.
func fitMahalanobis(ctx context.Context, c Mahalanobis, s *data.Set, workers int) (*mahalanobisState, error) {
	mean, err := columnMeans(ctx, s, workers)
	if err != nil {
		return nil, err
	}
	cov, err := covariance(ctx, s, mean, workers)
	if err != nil {
		return nil, err
	}
	d := s.D
	ridged := slices.Clone(cov)
	for j := range d {
		ridged[j*d+j] += c.Ridge
	}
	var factor mat.Cholesky
	if factor.Factorize(mat.NewSymDense(d, ridged)) {
		var lower, inverse mat.TriDense
		factor.LTo(&lower)
		if err := inverse.InverseTri(&lower); err == nil {
			w := make([]float64, d*d)
			for i := range d {
				for j := range i + 1 {
					w[i*d+j] = inverse.At(i, j)
				}
			}
			return newMahalanobis(mean, w, true), nil
		}
	}
	values, vectors, err := eigen(cov, d)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		for j := range d {
			vectors[i*d+j] /= math.Sqrt(max(v, 0) + c.Ridge)
		}
	}
	return newMahalanobis(mean, vectors, false), nil
}

func (m *mahalanobisState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	const width = 16
	return eachTile(ctx, s, m.mean, workers, func() func(lo, hi int, z []float64) {
		tile := kernel.NewTile[float64](s.D)
		return func(lo, hi int, z []float64) {
			clear(out[lo:hi])
			tile.Use(z, noNorms[:hi-lo])
			for k := range m.p.Count() {
				depth := s.D
				if m.triangle {
					depth = min(depth, (k+1)*width)
				}
				for i, v := range tile.Prefix(m.p, k, depth) {
					out[lo+i/width] += float64(v * v)
				}
			}
		}
	})
}

// mahalanobisMeta is the JSON part of the saved state.
type mahalanobisMeta struct {
	Triangle bool `json:"triangle"`
}

func (m *mahalanobisState) state() (any, models.Arrays) {
	return mahalanobisMeta{m.triangle}, models.Arrays{"mean": m.mean, "whitening": m.w}
}

func loadMahalanobis(st models.State) (learned, error) {
	var meta mahalanobisMeta
	if err := st.Meta(&meta); err != nil {
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
	return newMahalanobis(mean, w, meta.Triangle), nil
}
