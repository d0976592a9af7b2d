package eval

import (
	"math"
	"math/rand/v2"

	"plumbline/numeric/stat"
)

const (
	manyUnits  = 200_000 // above, intervals come from variances by ranks instead of resampled units
	fewAttacks = 1000    // with fewer, the normal approximation is left to resampling at any size
)

// Intervals is the 95 % intervals of AUROC and average precision over the choice of the judged units: up to 200,000
// units [Ranking.Bootstrap]; above, where the two agree within the error of resampling, [Ranking.AUROCError] and
// [Ranking.APError] on the logit scale, in O(n). With fewer than 1000 attacks among them, the bootstrap is kept, and
// drawn by groups. resamples of less than 2 ask for none.
func (r *Ranking) Intervals(resamples int, seed uint64) (auroc, ap Interval) {
	switch {
	case resamples < 2 || r.P == 0 || r.N == 0:
		return noInterval, noInterval
	case r.P+r.N <= manyUnits:
		return r.Bootstrap(resamples, seed)
	case r.P < fewAttacks:
		m := r.merge()
		i := m.bootstrap(resamples, seed, m.drawGroups, (*Ranking).ROCAUC, (*Ranking).AveragePrecision)
		return i[0], i[1]
	}
	return Share.around(r.ROCAUC(), z975*r.AUROCError()), Share.around(r.AveragePrecision(), z975*r.APError())
}

// AUROCError is the standard error of AUROC over the choice of the samples, by DeLong's variance: that of the share
// of benign samples that an attack outscores over the attacks, plus that of the share of attacks that outscore a
// benign sample over the benign ones (see [DeLong]). NaN with fewer than two of either. O(n).
func (r *Ranking) AUROCError() float64 {
	benign, attacks := r.beaten()
	p, n := float64(r.P), float64(r.N)
	return math.Hypot(groupError(benign, r.Pos, r.P)/(2*n), groupError(attacks, r.Neg, r.N)/(2*p))
}

// APError is the standard error of the average precision over the choice of the samples, attacks and benign ones
// drawn apart so that the prevalence stays, by the infinitesimal jackknife (Efron and Tibshirani, An Introduction to
// the Bootstrap, 1993, §21.3): the derivative of
//
//	AP = 1/P Σ_g Pos_g TP_g / (TP_g + FP_g)        TP_g, FP_g: attacks and benign samples scored at least as high
//
// by the weight of one sample with score s is, times P and but for a constant that the fixed class sizes take,
//
//	attack   TP_s/(TP_s+FP_s) + Σ_{g ≤ s} Pos_g FP_g / (TP_g+FP_g)²
//	benign                    − Σ_{g ≤ s} Pos_g TP_g / (TP_g+FP_g)²
//
// and the variance of AP is that of a mean of such terms for each class. NaN with fewer than two of either. O(n).
func (r *Ranking) APError() float64 {
	ofAttack, ofBenign := make([]float64, len(r.Score)), make([]float64, len(r.Score))
	tp, fp := r.P, r.N
	var a, b float64
	for g := len(r.Score) - 1; g >= 0; g-- {
		t, all := float64(tp), float64(tp+fp)
		if all > 0 { // every group of a ranking of samples has some
			a += float64(r.Pos[g]) * float64(fp) / all / all
			b += float64(r.Pos[g]) * t / all / all
			ofAttack[g] = t/all + a
			ofBenign[g] = b
		}
		tp -= int(r.Pos[g])
		fp -= int(r.Neg[g])
	}
	p, n := float64(r.P), float64(r.N)
	return math.Hypot(groupError(ofAttack, r.Pos, r.P), groupError(ofBenign, r.Neg, r.N)*n/p)
}

// groupError is the standard error of the mean of values that groups of samples share: s/√n with the sample standard
// deviation s.
func groupError(value []float64, size []int32, n int) float64 {
	if n < 2 {
		return math.NaN()
	}
	mean := 0.0
	for g, k := range size {
		mean += float64(float64(k) * value[g])
	}
	mean /= float64(n)
	sum := 0.0
	for g, k := range size {
		if k > 0 {
			d := value[g] - mean
			sum += float64(float64(k) * float64(d*d))
		}
	}
	return math.Sqrt(sum / float64(n-1) / float64(n))
}

// merge joins neighbouring groups that hold no attack: neither AUROC nor average precision looks at the order among
// them. The groups left are at most twice the attacks and one.
func (r *Ranking) merge() *Ranking {
	m := &Ranking{P: r.P, N: r.N}
	for g, s := range r.Score {
		if k := len(m.Score) - 1; k >= 0 && r.Pos[g] == 0 && m.Pos[k] == 0 {
			m.Neg[k] += r.Neg[g]
			continue
		}
		m.Score = append(m.Score, s)
		m.Pos = append(m.Pos, r.Pos[g])
		m.Neg = append(m.Neg, r.Neg[g])
	}
	return m
}

// drawGroups replaces the counts of a ranking with those of a resample of r, as [drawGroups].
func (r *Ranking) drawGroups(rng *rand.PCG, to *Ranking) {
	drawGroups(rng, to.Pos, r.Pos, r.P)
	drawGroups(rng, to.Neg, r.Neg, r.N)
}

// drawGroups counts n samples drawn with replacement by group, given the size of each group, without drawing them
// one by one: of those that are left, a binomial number falls into each group in turn.
func drawGroups(rng *rand.PCG, count, size []int32, n int) {
	left, of := n, n
	for g, k := range size {
		c := stat.Binomial(rng, left, float64(k)/float64(of))
		count[g] = int32(c)
		left -= c
		if of -= int(k); of == 0 {
			clear(count[g+1:])
			return
		}
	}
}
