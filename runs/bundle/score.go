package bundle

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
)

// Score checks what Score promises: one finite number per sample.
func Score(ctx context.Context, det models.Detector, s *data.Set) ([]float64, error) {
	out, err := det.Score(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(out) != s.N {
		return nil, fmt.Errorf("the model gave %d scores for %d samples", len(out), s.N)
	}
	for i, v := range out {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("the score of sample %d is %v", i, v)
		}
	}
	return out, nil
}
