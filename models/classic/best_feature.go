package classic

import (
	"context"
	"math"

	"plumbline/data"
	"plumbline/models"
)

// BestFeature is the largest standardised deviation of a row in any one column. With z as for [ZNorm],
//
//	score(x) = max_j |z_j|
//
// A control: it asks whether one column alone gives an attack away. The column is chosen for each row by
// its values and the training rows; labels have no say in it. (A column chosen once, as the one with the
// largest deviation among the training rows, would only be the one with the longest benign tail.)
type BestFeature struct{}

const bestFeature = "best_feature"

func init() {
	models.Register(models.Info{
		Name:     bestFeature,
		Doc:      "Control: largest standardised deviation of a row in any one column.",
		Paper:    "none: the simplest rule an analyst would write",
		Control:  true,
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &BestFeature{} },
	})
}

// New builds an unfitted detector.
func (c *BestFeature) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(bestFeature, c); err != nil {
		return nil, err
	}
	return models.RowMethod{
		Name: bestFeature, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			m, err := fitMoments(ctx, s, env.Parallel())
			return bestFeatureState{m}, err
		},
		Load: func(st models.State) (models.RowLearned, error) {
			m, err := loadMoments(st)
			return bestFeatureState{m}, err
		},
	}.Explainer(), nil
}

type bestFeatureState struct{ *moments }

func (m bestFeatureState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return models.EachRow(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		return func(row []float32) float64 {
			var top float64
			for j, v := range row {
				top = max(top, math.Abs(m.z(j, v)))
			}
			return top
		}
	})
}

// ExplainRow: every column's deviation, the largest of which is the score.
func (m bestFeatureState) ExplainRow(row []float32, out []float64) {
	for j, v := range row {
		out[j] = math.Abs(m.z(j, v))
	}
}
