package eval

import (
	"fmt"
	"math"
)

// Brier is the mean squared difference between the probability of attack and the truth (0 or 1): 0 is
// perfect, .25 is what p = ½ everywhere gets. Probabilities outside [0,1] are an error; none gives NaN.
func Brier(p []float64, attack []bool) (float64, error) {
	if err := checkProbabilities(p, attack); err != nil {
		return math.NaN(), err
	}
	var sum float64
	for i, v := range p {
		if attack[i] {
			v = 1 - v
		}
		sum += float64(v * v)
	}
	return ratio(sum, float64(len(p))), nil
}

// LogLoss is the mean of −ln of the probability given to the truth, in nats. Probabilities are kept 2⁻⁵² away from 0
// and 1, as in scikit-learn, so that one certain mistake costs 36 nats and not infinity.
func LogLoss(p []float64, attack []bool) (float64, error) {
	const eps = 0x1p-52
	if err := checkProbabilities(p, attack); err != nil {
		return math.NaN(), err
	}
	var sum float64
	for i, v := range p {
		if !attack[i] {
			v = 1 - v
		}
		sum -= math.Log(min(max(v, eps), 1-eps))
	}
	return ratio(sum, float64(len(p))), nil
}

func checkProbabilities(p []float64, attack []bool) error {
	if len(attack) != len(p) {
		return fmt.Errorf("%w: %d probabilities, %d labels", ErrScores, len(p), len(attack))
	}
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("%w: probability %d is %v, want 0 to 1", ErrScores, i, v)
		}
	}
	return nil
}
