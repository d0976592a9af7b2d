package classic

import (
	"context"
	"math"

	"plumbline/data"
	"plumbline/models"
)

// Centroid is the Euclidean distance from the mean of the training rows:
//
//	score(x) = ‖x − μ‖
//
// The simplest detector that looks at all columns in the scale that preprocessing gave them; [ZNorm] is
// the same after standardising them.
type Centroid struct{}

const centroid = "centroid"

func init() {
	models.Register(models.Info{
		Name:     centroid,
		Doc:      "Distance from the mean of the training rows.",
		Paper:    "none: the nearest-centroid rule with one class",
		Control:  true,
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &Centroid{} },
	})
}

// New builds an unfitted detector.
func (c *Centroid) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(centroid, c); err != nil {
		return nil, err
	}
	return models.RowMethod{
		Name: centroid, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			m, err := fitMoments(ctx, s, env.Parallel())
			return centroidState{m}, err
		},
		Load: func(st models.State) (models.RowLearned, error) {
			m, err := loadMoments(st)
			return centroidState{m}, err
		},
	}.Explainer(), nil
}

type centroidState struct{ *moments }

func (m centroidState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return models.EachRow(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		return func(row []float32) float64 {
			var sum float64
			for j, v := range row {
				diff := float64(v) - m.mean[j]
				sum += float64(diff * diff)
			}
			return math.Sqrt(sum)
		}
	})
}

// ExplainRow: the squared differences, which add up to the square of the score.
func (m centroidState) ExplainRow(row []float32, out []float64) {
	for j, v := range row {
		diff := float64(v) - m.mean[j]
		out[j] = diff * diff
	}
}
