package classic

import (
	"context"
	"math"

	"plumbline/data"
	"plumbline/models"
)

// ZNorm is the length of the standardised row. With the mean μ_j and the population standard deviation
// σ_j of every column over the training rows (1 where the column is constant),
//
//	z_j      = (x_j − μ_j) / σ_j
//	score(x) = √Σ_j z_j²
//
// A control: it knows nothing of how columns go together, so that a model that does not beat it has
// learned nothing that matters on the data at hand.
type ZNorm struct{}

const znorm = "znorm"

func init() {
	models.Register(models.Info{
		Name:     znorm,
		Doc:      "Control: length of the standardised row.",
		Paper:    "none: the baseline that autoencoder papers leave out",
		Control:  true,
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &ZNorm{} },
	})
}

// New builds an unfitted detector.
func (c *ZNorm) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(znorm, c); err != nil {
		return nil, err
	}
	return models.RowMethod{
		Name: znorm, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			m, err := fitMoments(ctx, s, env.Parallel())
			return znormState{m}, err
		},
		Load: func(st models.State) (models.RowLearned, error) {
			m, err := loadMoments(st)
			return znormState{m}, err
		},
	}.Explainer(), nil
}

type znormState struct{ *moments }

func (m znormState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return models.EachRow(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		return func(row []float32) float64 {
			var sum float64
			for j, v := range row {
				z := m.z(j, v)
				sum += float64(z * z)
			}
			return math.Sqrt(sum)
		}
	})
}

// ExplainRow: the squared standardised values, which add up to the square of the score.
func (m znormState) ExplainRow(row []float32, out []float64) {
	for j, v := range row {
		z := m.z(j, v)
		out[j] = z * z
	}
}
