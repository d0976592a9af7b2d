package runs

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
)

// classifying is a classifier that keeps the probabilities which its scores were made of.
type classifying struct {
	models.ScoringClassifier
	models.Detector
	classes []string
	p       [][]float64
}

// Score is the scores of the test part, which is scored once.
func (c *classifying) Score(ctx context.Context, s *data.Set) (scores []float64, err error) {
	scores, c.classes, c.p, err = c.ScoreProbabilities(ctx, s)
	return scores, err
}

// Probabilities are those of the last Score.
func (c *classifying) Probabilities(context.Context, *data.Set) ([]string, [][]float64, error) {
	return c.classes, c.p, nil
}

// once is a detector whose probabilities, if they are asked for, come with the scores where the model has them so.
func (j *job) once(det models.Detector, test *data.Set) models.Detector {
	c, ok := det.(models.ScoringClassifier)
	if !ok || !j.bySample(test) || j.exp.Protocol.Prequential() {
		return det
	}
	return &classifying{ScoringClassifier: c, Detector: det}
}

// bySample says whether samples are what is judged.
func (j *job) bySample(test *data.Set) bool {
	return test.Kind == data.Vectors && j.data.Test.Keys == nil
}

// classify judges the probabilities of a classifier: of the classes where samples are what is judged, elsewhere those
// of an attack, which the scores of units are.
func (j *job) classify(
	ctx context.Context, det models.Detector, test *data.Set, scores []float64, m *eval.Metrics,
) error {
	c, ok := det.(models.Classifier)
	if !ok || j.exp.Aggregate.Unit == "share" { // a share of flows is no probability
		return nil
	}
	classes, p := models.AttackProbabilities(scores)
	if j.bySample(test) {
		var err error
		if classes, p, err = c.Probabilities(ctx, test); err != nil {
			return fmt.Errorf("probabilities: %w", err)
		}
	}
	judged, err := eval.Classify(classes, p, j.data.Test.Truth)
	if err != nil {
		return fmt.Errorf("probabilities: %w", err)
	}
	m.Classify(judged)
	return nil
}
