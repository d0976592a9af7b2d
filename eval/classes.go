package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// FewRows is the size below which a class's numbers are flagged as resting on few samples.
const FewRows = 30

// ClassMetrics is how one attack class fares: its samples against all benign ones.
type ClassMetrics struct {
	Class  string  `json:"class"`
	N      int     `json:"n"`      // attacks of this class
	AUROC  float64 `json:"auroc"`  // against every benign sample; NaN when there is none
	Recall float64 `json:"recall"` // share above the threshold; NaN when there is no threshold
	Few    bool    `json:"few"`    // N < FewRows
}

// PerClass splits the attacks of a ranking by class: class[i] indexes names and belongs to sample i of the
// scores that were ranked, attack[i] is its truth. Benign samples of any class are the other side of each comparison. The
// order is by size, largest first, then by name. O(n).
func (r *Ranking) PerClass(attack []bool, class []uint32, names []string, threshold float64) ([]ClassMetrics, error) {
	if len(attack) != len(r.group) || len(class) != len(r.group) {
		return nil, fmt.Errorf("%w: %d scores, %d labels, %d classes", ErrScores, len(r.group), len(attack), len(class))
	}
	// Twice the number of benign samples that a score beats, ties counting half, for each group.
	beats := make([]uint64, len(r.Score))
	var above uint64
	for g, n := range r.Neg {
		beats[g] = 2*(uint64(r.N)-above-uint64(n)) + uint64(n)
		above += uint64(n)
	}
	type sums struct {
		n, flagged int
		u2         float64
	}
	per := make([]sums, len(names))
	for i, g := range r.group {
		if !attack[i] {
			continue
		}
		if int(class[i]) >= len(names) {
			return nil, fmt.Errorf("%w: sample %d has class %d of %d", ErrScores, i, class[i], len(names))
		}
		s := &per[class[i]]
		s.n++
		s.u2 += float64(beats[g])
		if r.Score[g] > threshold {
			s.flagged++
		}
	}
	var out []ClassMetrics
	for c, s := range per {
		if s.n == 0 {
			continue
		}
		m := ClassMetrics{Class: names[c], N: s.n, Few: s.n < FewRows}
		m.AUROC = ratio(s.u2, 2*float64(s.n)*float64(r.N))
		m.Recall = float64(s.flagged) / float64(s.n)
		if math.IsNaN(threshold) {
			m.Recall = math.NaN()
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b ClassMetrics) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Class, b.Class))
	})
	return out, nil
}
