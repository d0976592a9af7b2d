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

func (d Difference) MarshalJSON() ([]byte, error) { return marshal(d) }

// DeLong compares the AUROCs of two detectors that scored the same samples (DeLong, DeLong and Clarke-Pearson, Comparing the
// areas under two or more correlated receiver operating characteristic curves, Biometrics 1988; computed
// by mid-ranks in O(n log n) as Sun and Xu, IEEE Signal Processing Letters 2014). The samples are taken for
// independent and the two detectors for fixed: seeds do not enter.
func DeLong(a, b []float64, attack []bool) (Difference, error) {
	nan := math.NaN()
	d := Difference{A: nan, B: nan, Diff: nan, SE: nan, P: nan, Interval: noInterval}
	if len(a) != len(b) {
		return d, fmt.Errorf("%w: %d scores against %d", ErrScores, len(a), len(b))
	}
	ra, err := Rank(a, attack)
	if err != nil {
		return d, fmt.Errorf("first detector: %w", err)
	}
	rb, err := Rank(b, attack)
	if err != nil {
		return d, fmt.Errorf("second detector: %w", err)
	}
	d.A, d.B = ra.ROCAUC(), rb.ROCAUC()
	d.Diff = d.A - d.B
	if ra.P < 2 || ra.N < 2 {
		d.Warnings = append(d.Warnings, fmt.Sprintf("%d attacks and %d benign samples: the variance of an AUROC needs two of each", ra.P, ra.N))
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
	d.SE = math.Sqrt(sp*sp/float64(ra.P) + sn*sn/float64(ra.N))
	if d.SE == 0 {
		d.P = 1
		if d.Diff != 0 {
			d.P = 0
		}
		d.Interval = Interval{d.Diff, d.Diff}
		return d, nil
	}
	d.P = 2 * stat.NormalCDF(-math.Abs(d.Diff)/d.SE)
	z := stat.NormalQuantile(0.975)
	d.Interval = Interval{d.Diff - z*d.SE, d.Diff + z*d.SE}
	return d, nil
}

// components are DeLong's: for each attack the share of the benign samples that it outscores, for each benign
// sample the share of the attacks that outscore it, ties counting half, in the order of the samples.
func (r *Ranking) components(attack []bool) (pos, neg []float64) {
	below := make([]float64, len(r.Score)) // benign samples below the group, and half of those in it
	above := make([]float64, len(r.Score)) // attacks above the group, and half of those in it
	var p, n int
	for g := range r.Score {
		above[g] = float64(p) + float64(r.Pos[g])/2
		below[g] = float64(r.N-n-int(r.Neg[g])) + float64(r.Neg[g])/2
		p += int(r.Pos[g])
		n += int(r.Neg[g])
	}
	for i, g := range r.group {
		if attack[i] {
			pos = append(pos, below[g]/float64(r.N))
		} else {
			neg = append(neg, above[g]/float64(r.P))
		}
	}
	return pos, neg
}
