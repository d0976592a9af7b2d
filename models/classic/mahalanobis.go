package classic

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
)

// Mahalanobis is the squared Mahalanobis distance from the mean of the training rows. With Σ their
// covariance (divided by n), λ_j its eigenvalues and v_j its eigenvectors,
//
//	score(x) = (x−μ)ᵀ (Σ + εI)⁻¹ (x−μ) = Σ_j (v_jᵀ(x−μ))² / (λ_j + ε)
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
			values, vectors, mean, err := principal(ctx, s, env.Parallel())
			if err != nil {
				return nil, err
			}
			m := &mahalanobisState{mean: mean, vectors: vectors, variance: values}
			for j, v := range values {
				m.variance[j] = max(v, 0) + spec.Ridge
			}
			return m, nil
		},
		load: loadMahalanobis,
	}.detector(), nil
}

type mahalanobisState struct {
	mean     []float64 // d
	vectors  []float64 // d×d, an eigenvector a row
	variance []float64 // d, λ + ε
}

func (m *mahalanobisState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return scoreRows(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		diff := make([]float64, s.D)
		return func(row []float32) float64 {
			for j, v := range row {
				diff[j] = float64(v) - m.mean[j]
			}
			var sum float64
			for j, variance := range m.variance {
				t := dot(m.vectors[j*s.D:(j+1)*s.D], diff)
				sum += float64(t*t) / variance
			}
			return sum
		}
	})
}

// dot is Σ a b, in four sums side by side.
func dot(a, b []float64) float64 {
	var s, t, u, v float64
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		s += float64(a[0] * b[0])
		t += float64(a[1] * b[1])
		u += float64(a[2] * b[2])
		v += float64(a[3] * b[3])
	}
	for j, x := range a {
		s += float64(x * b[j])
	}
	return (s + t) + (u + v)
}

func (m *mahalanobisState) state() (any, models.Arrays) {
	return nil, models.Arrays{"mean": m.mean, "vectors": m.vectors, "variance": m.variance}
}

func loadMahalanobis(st models.State) (learned, error) {
	d := st.Columns
	mean, err := models.FiniteArray[float64](st.Arrays, "mean", d)
	if err != nil {
		return nil, err
	}
	m := &mahalanobisState{mean: mean}
	if m.vectors, err = models.FiniteArray[float64](st.Arrays, "vectors", d*d); err != nil {
		return nil, err
	}
	if m.variance, err = models.FiniteArray[float64](st.Arrays, "variance", d); err != nil {
		return nil, err
	}
	for j, v := range m.variance {
		if !(v > 0) {
			return nil, fmt.Errorf("variance %d is %v", j, v)
		}
	}
	return m, nil
}
