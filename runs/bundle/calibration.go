package bundle

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
)

// keptScores is how many scores of each half a calibration keeps: the highest, and of the others some.
const keptScores = 2000

// Calibration is calibration.json: the scores of benign units that the model was not fitted on, which p-values are
// taken from. Of more than 4,000 the 2,000 highest are kept, and others at equal distances.
type Calibration struct {
	N      int       `json:"n"`      // scores
	Scores []float64 `json:"scores"` // ascending
	// Ranks are the places of Scores among all N, from 0; nil: all are there.
	Ranks []int `json:"ranks,omitempty"`
}

// NewCalibration keeps scores, which have to be finite.
func NewCalibration(scores []float64) *Calibration {
	all := slices.Sorted(slices.Values(scores))
	c := &Calibration{N: len(all), Scores: all}
	rest := len(all) - keptScores
	if rest <= keptScores {
		return c
	}
	c.Scores = nil
	keep := func(rank int) { c.Scores, c.Ranks = append(c.Scores, all[rank]), append(c.Ranks, rank) }
	for i := range keptScores {
		keep(i * rest / keptScores)
	}
	for rank := rest; rank < len(all); rank++ {
		keep(rank)
	}
	return c
}

// P is the conformal p-value of a score (see [eval.ConformalP]): among exchangeable benign units at most a share α has
// a p-value up to α. Where not all scores were kept, it is one of all or a little larger. NaN: there are no scores.
func (c *Calibration) P(score float64) float64 {
	if c == nil || c.N == 0 {
		return math.NaN()
	}
	below := sort.SearchFloat64s(c.Scores, score)
	if c.Ranks != nil && below > 0 {
		below = c.Ranks[below-1] + 1
	}
	return float64(1+c.N-below) / float64(c.N+1)
}

// UnmarshalJSON reads and checks a saved calibration.
func (c *Calibration) UnmarshalJSON(raw []byte) error {
	type plain Calibration
	var q plain
	if err := json.Unmarshal(raw, &q); err != nil {
		return err
	}
	switch {
	case !slices.IsSorted(q.Scores):
		return fmt.Errorf("%w: its scores are not in order", ErrDamaged)
	case q.Ranks == nil && q.N != len(q.Scores), q.Ranks != nil && len(q.Ranks) != len(q.Scores):
		return fmt.Errorf("%w: %d scores of %d with %d ranks", ErrDamaged, len(q.Scores), q.N, len(q.Ranks))
	}
	for i, r := range q.Ranks {
		if r < 0 || r >= q.N || i > 0 && r <= q.Ranks[i-1] {
			return fmt.Errorf("%w: ranks are not in order", ErrDamaged)
		}
	}
	*c = Calibration(q)
	return nil
}
