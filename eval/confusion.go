package eval

import "math"

// Confusion counts what a threshold does; positive means attack, or flagged.
type Confusion struct {
	TP int `json:"tp"` // attacks flagged
	FP int `json:"fp"` // benign samples flagged
	TN int `json:"tn"`
	FN int `json:"fn"`
}

// At counts the samples above and below a threshold: flagged means score > threshold.
func (r *Ranking) At(threshold float64) Confusion {
	var tp, fp int
	for g, s := range r.Score {
		if !(s > threshold) {
			break
		}
		tp += int(r.Pos[g])
		fp += int(r.Neg[g])
	}
	return Confusion{TP: tp, FP: fp, TN: r.N - fp, FN: r.P - tp}
}

// Confuse is [Ranking.At] for scores that need no ranking. Both slices have one length.
func Confuse(scores []float64, attack []bool, threshold float64) Confusion {
	var c Confusion
	for i, s := range scores {
		switch flagged := s > threshold; {
		case flagged && attack[i]:
			c.TP++
		case flagged:
			c.FP++
		case attack[i]:
			c.FN++
		default:
			c.TN++
		}
	}
	return c
}

// Accuracy is the share of samples that are told right. NaN without samples.
func (c Confusion) Accuracy() float64 {
	return ratio(float64(c.TP+c.TN), float64(c.TP+c.FP+c.TN+c.FN))
}

// Precision is the share of attacks among the flagged. NaN when nothing is flagged.
func (c Confusion) Precision() float64 { return ratio(float64(c.TP), float64(c.TP+c.FP)) }

// PrecisionAt is what the precision would be if the share of attacks were the prevalence, with the same recall and
// false-positive rate (Axelsson, The Base-Rate Fallacy and the Difficulty of Intrusion Detection, 2000),
//
//	P = recall·π / (recall·π + FPR·(1−π))
//
// NaN without attacks, without benign samples, and when nothing is flagged.
func (c Confusion) PrecisionAt(prevalence float64) float64 {
	hits := float64(c.Recall() * prevalence)
	return ratio(hits, hits+float64(c.FPR()*(1-prevalence)))
}

// CountFlags counts decisions by truth.
func CountFlags(flagged, attack []bool) (c Confusion) {
	for i, hit := range flagged {
		switch {
		case hit && attack[i]:
			c.TP++
		case hit:
			c.FP++
		case attack[i]:
			c.FN++
		default:
			c.TN++
		}
	}
	return c
}

// Recall is the share of the attacks that is flagged (true-positive rate). NaN without attacks.
func (c Confusion) Recall() float64 { return ratio(float64(c.TP), float64(c.TP+c.FN)) }

// Specificity is the share of the benign samples that is not flagged (1 − false-positive rate). NaN without
// benign samples.
func (c Confusion) Specificity() float64 { return ratio(float64(c.TN), float64(c.TN+c.FP)) }

// Flagged is the share of samples that are flagged. NaN without samples.
func (c Confusion) Flagged() float64 {
	return ratio(float64(c.TP+c.FP), float64(c.TP+c.FP+c.TN+c.FN))
}

// FPR is the share of the benign samples that is flagged. NaN without benign samples.
func (c Confusion) FPR() float64 { return ratio(float64(c.FP), float64(c.TN+c.FP)) }

// BalancedAccuracy is the mean of recall and specificity. NaN when either class is absent.
func (c Confusion) BalancedAccuracy() float64 { return (c.Recall() + c.Specificity()) / 2 }

// F1 is the harmonic mean of precision and recall, 2TP/(2TP+FP+FN): 0 when attacks are there and none is
// flagged. NaN when there are neither attacks nor flagged samples.
func (c Confusion) F1() float64 {
	return ratio(2*float64(c.TP), 2*float64(c.TP)+float64(c.FP)+float64(c.FN))
}

// MCC is Matthews' correlation between flag and truth, in [-1,1]. NaN when a class is absent or everything
// or nothing is flagged: a constant correlates with nothing.
func (c Confusion) MCC() float64 {
	tp, fp, tn, fn := float64(c.TP), float64(c.FP), float64(c.TN), float64(c.FN)
	// Roots are taken one by one: the product of four large counts would lose digits.
	den := math.Sqrt(tp+fp) * math.Sqrt(tp+fn) * math.Sqrt(tn+fp) * math.Sqrt(tn+fn)
	return ratio(float64(tp*tn)-float64(fp*fn), den)
}
