package eval

import (
	"fmt"
	"math"

	"plumbline/numeric/stat"
)

// Difference is how much better detector A ranks than detector B on the same samples.
type Difference struct {
	A        float64  `json:"a"`          // AUROC of A
	B        float64  `json:"b"`          // AUROC of B
	Diff     float64  `json:"difference"` // A − B
	SE       float64  `json:"se"`         // its standard error
	Interval Interval `json:"interval"`   // 95 %, of the difference
	P        float64  `json:"p"`          // two-sided, of no difference
	Warnings []string `json:"warnings,omitempty"`
}

// rankedPair is the rankings of the same samples by two detectors, and the difference of a statistic of them; its
// error, interval and P are undefined yet.
func rankedPair(a, b []float64, attack []bool, statistic func(*Ranking) float64) (ra, rb *Ranking, d Difference,
	err error) {
	nan := math.NaN()
	d = Difference{A: nan, B: nan, Diff: nan, SE: nan, P: nan, Interval: noInterval}
	if len(a) != len(b) {
		return nil, nil, d, fmt.Errorf("%w: %d scores against %d", ErrScores, len(a), len(b))
	}
	if ra, err = Rank(a, attack); err != nil {
		return nil, nil, d, fmt.Errorf("first detector: %w", err)
	}
	if rb, err = Rank(b, attack); err != nil {
		return nil, nil, d, fmt.Errorf("second detector: %w", err)
	}
	d.A, d.B = statistic(ra), statistic(rb)
	d.Diff = d.A - d.B
	return ra, rb, d, nil
}

// DeLong compares the AUROCs of two detectors that scored the same samples (DeLong, DeLong and Clarke-Pearson,
// Comparing the areas under two or more correlated receiver operating characteristic curves, Biometrics 1988;
// computed by mid-ranks in O(n log n) as Sun and Xu, IEEE Signal Processing Letters 2014). The samples are taken for
// independent and the two detectors for fixed: seeds do not enter. Where the difference has no variance on these
// samples (two detectors that rank every pair alike, or never err), its P and interval are undefined.
func DeLong(a, b []float64, attack []bool) (Difference, error) {
	ra, rb, d, err := rankedPair(a, b, attack, (*Ranking).ROCAUC)
	if err != nil {
		return d, err
	}
	if ra.P < 2 || ra.N < 2 {
		d.warn("%d attacks and %d benign samples: the variance of an AUROC needs two of each", ra.P, ra.N)
		return d, nil
	}
	// The variance of the difference is that of the differences of the two detectors' components.
	pos, neg := ra.components(attack)
	posB, negB := rb.components(attack)
	for i := range pos {
		pos[i] -= posB[i]
	}
	for i := range neg {
		neg[i] -= negB[i]
	}
	_, sp := stat.MeanSD(pos)
	_, sn := stat.MeanSD(neg)
	p, n := float64(ra.P), float64(ra.N)
	d.SE = math.Hypot(sp/(2*n)/math.Sqrt(p), sn/(2*p)/math.Sqrt(n))
	if equal(pos) && equal(neg) {
		d.SE = 0
		d.warn("the difference has no variance on these samples: its P and interval are undefined")
		return d, nil
	}
	d.P = 2 * stat.NormalCDF(-math.Abs(d.Diff)/d.SE)
	d.Interval = Interval{max(d.Diff-float64(z975*d.SE), -1), min(d.Diff+float64(z975*d.SE), 1)}
	return d, nil
}

func (d *Difference) warn(format string, args ...any) {
	d.Warnings = append(d.Warnings, fmt.Sprintf(format, args...))
}

// equal says whether all values are the same.
func equal(v []float64) bool {
	for _, x := range v {
		if x != v[0] {
			return false
		}
	}
	return true
}

// beaten gives DeLong's components by group, doubled so that they are whole numbers: how many benign samples one of
// its attacks outscores, and how many attacks outscore one of its benign samples, ties counting half.
func (r *Ranking) beaten() (benign, attacks []float64) {
	benign, attacks = make([]float64, len(r.Score)), make([]float64, len(r.Score))
	var p, n int
	for g := range r.Score {
		attacks[g] = float64(2*p + int(r.Pos[g]))
		benign[g] = float64(2*(r.N-n) - int(r.Neg[g]))
		p += int(r.Pos[g])
		n += int(r.Neg[g])
	}
	return benign, attacks
}

// components is beaten for each attack and for each benign sample, in the order of the samples.
func (r *Ranking) components(attack []bool) (pos, neg []float64) {
	benign, attacks := r.beaten()
	pos, neg = make([]float64, 0, r.P), make([]float64, 0, r.N)
	for i, g := range r.group {
		if attack[i] {
			pos = append(pos, benign[g])
		} else {
			neg = append(neg, attacks[g])
		}
	}
	return pos, neg
}
