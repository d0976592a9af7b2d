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
	Class   string  `json:"class"`
	Samples int     `json:"samples"`
	Recall  float64 `json:"recall"` // share above the threshold; NaN when there is no threshold
	AUROC   float64 `json:"auroc"`  // against all benign samples; NaN when there is none
	Few     bool    `json:"few"`    // Samples < FewRows
}

// Truth is what is known of the samples that were scored.
type Truth struct {
	Attack []bool
	Class  []uint32 // index into Names; nil: no classes
	Names  []string
}

// PerClass splits the attacks of a ranking by class; truth is that of the samples that were ranked, in their order.
// Benign samples, of whatever class, are the other side of each comparison. The order is that of class
// names. nil without classes. O(n).
func (r *Ranking) PerClass(truth Truth, threshold float64) ([]ClassMetrics, error) {
	if truth.Class == nil {
		return nil, nil
	}
	if len(truth.Attack) != len(r.group) || len(truth.Class) != len(r.group) {
		return nil, fmt.Errorf("%w: %d scores, %d labels, %d classes",
			ErrScores, len(r.group), len(truth.Attack), len(truth.Class))
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
	per := make([]sums, len(truth.Names))
	for i, g := range r.group {
		if !truth.Attack[i] {
			continue
		}
		if int(truth.Class[i]) >= len(truth.Names) {
			return nil, fmt.Errorf("%w: sample %d has class %d of %d", ErrScores, i, truth.Class[i], len(truth.Names))
		}
		s := &per[truth.Class[i]]
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
		m := ClassMetrics{Class: truth.Names[c], Samples: s.n, Few: s.n < FewRows}
		m.AUROC = ratio(s.u2, 2*float64(s.n)*float64(r.N))
		m.Recall = float64(s.flagged) / float64(s.n)
		if math.IsNaN(threshold) {
			m.Recall = math.NaN()
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b ClassMetrics) int {
		return cmp.Compare(a.Class, b.Class)
	})
	return out, nil
}
