package eval

import (
	"errors"
	"fmt"
	"math"

	"plumbline/numeric/stat"
)

// ErrScores says that scores or labels cannot be judged: lengths that differ, NaN, infinities.
var ErrScores = errors.New("eval: unusable scores")

// Ranking is a set of scored samples, sorted and grouped by distinct score: all that threshold-free metrics
// need. Equal scores are one group, so no metric depends on the order of tied samples. It is read-only.
type Ranking struct {
	Score []float64 // distinct scores, descending
	Pos   []int32   // attacks with that score
	Neg   []int32   // benign samples with that score
	P, N  int       // sums of Pos and of Neg

	group []int32 // of each sample, an index into Score
}

// Rank sorts and groups scores (any order, ties allowed) with their truth: O(n), about 16 n bytes.
func Rank(scores []float64, attack []bool) (*Ranking, error) {
	if len(attack) != len(scores) {
		return nil, fmt.Errorf("%w: %d scores, %d labels", ErrScores, len(scores), len(attack))
	}
	if len(scores) > math.MaxInt32 {
		return nil, fmt.Errorf("%w: %d scores are more than %d", ErrScores, len(scores), math.MaxInt32)
	}
	if err := checkFinite(scores); err != nil {
		return nil, err
	}
	order := stat.Descending(scores)
	distinct := 0
	for k, i := range order {
		if k == 0 || scores[i] != scores[order[k-1]] {
			distinct++
		}
	}
	r := &Ranking{
		Score: make([]float64, 0, distinct), Pos: make([]int32, 0, distinct), Neg: make([]int32, 0, distinct),
		group: make([]int32, len(scores)),
	}
	for k, i := range order {
		if g := len(r.Score) - 1; k == 0 || scores[i] != r.Score[g] {
			r.Score = append(r.Score, scores[i])
			r.Pos = append(r.Pos, 0)
			r.Neg = append(r.Neg, 0)
		}
		g := len(r.Score) - 1
		r.group[i] = int32(g)
		if attack[i] {
			r.Pos[g]++
			r.P++
		} else {
			r.Neg[g]++
			r.N++
		}
	}
	return r, nil
}

func checkFinite(scores []float64) error {
	for i, v := range scores {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: the score of sample %d is %v", ErrScores, i, v)
		}
	}
	return nil
}

// Distinct is the number of different scores.
func (r *Ranking) Distinct() int { return len(r.Score) }

// ratio is a/b, NaN when b is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
