package models

import (
	"context"

	"plumbline/data"
)

// AttackScorer is a [Fitted] whose scores are probabilities of an attack, and which tells no classes apart.
type AttackScorer[L Learned] struct{ *Fitted[L] }

// Probabilities are those of benign and attack.
func (d AttackScorer[L]) Probabilities(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	_, classes, p, err := d.ScoreProbabilities(ctx, s)
	return classes, p, err
}

// ScoreProbabilities is the scores, and the probabilities that they are.
func (d AttackScorer[L]) ScoreProbabilities(ctx context.Context, s *data.Set) (scores []float64, classes []string,
	p [][]float64, err error) {
	if scores, err = d.Score(ctx, s); err != nil {
		return nil, nil, nil, err
	}
	classes, p = AttackProbabilities(scores)
	return scores, classes, p, nil
}

var _ ScoringClassifier = AttackScorer[RowScorer]{}
