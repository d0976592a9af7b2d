package eval

import (
	"fmt"
	"math"
)

// Segment is how scores fare in one stretch of a stream. What is undefined is NaN.
type Segment struct {
	First   int     // place of its first unit, from 0
	Samples int     // units
	Attacks int     // of them
	AUROC   float64 // within the segment
	FPR     float64 // share of its benign units above the threshold
	Recall  float64 // share of its attacks above the threshold
}

// Along judges scores in at most n segments of equal length (the last may be shorter), in the order in which they came.
// threshold may be NaN.
func Along(scores []float64, attack []bool, threshold float64, n int) ([]Segment, error) {
	if n < 1 || len(attack) != len(scores) {
		return nil, fmt.Errorf("%w: %d segments of %d scores with %d labels", ErrScores, n, len(scores), len(attack))
	}
	length := (len(scores) + n - 1) / n
	var out []Segment
	for from := 0; from < len(scores); from += length {
		to := min(from+length, len(scores))
		r, err := Rank(scores[from:to], attack[from:to])
		if err != nil {
			return nil, err
		}
		s := Segment{First: from, Samples: to - from, Attacks: r.P, AUROC: r.ROCAUC(), FPR: math.NaN(), Recall: math.NaN()}
		if !math.IsNaN(threshold) {
			flags := r.At(threshold)
			s.FPR, s.Recall = flags.FPR(), flags.Recall()
		}
		out = append(out, s)
	}
	return out, nil
}
