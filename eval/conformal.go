package eval

import (
	"slices"
	"sort"
)

// ConformalP is the conformal p-value of each score beside n ascending scores of benign units that no model was fitted
// on,
//
//	p = (1 + number of them ≥ score) / (n + 1)
//
// (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, §2.2, without smoothing of ties): among
// exchangeable benign units the probability of p ≤ α is at most α, for every α. Without benign scores all are 1.
func ConformalP(benign, scores []float64) []float64 {
	n := len(benign)
	out := make([]float64, len(scores))
	for i, s := range scores {
		below := sort.SearchFloat64s(benign, s)
		out[i] = float64(1+n-below) / float64(n+1)
	}
	return out
}

// conformalThreshold is what a score has to be above for its conformal p-value to be at most α: the ⌊α(n+1)⌋th largest
// of the ascending benign scores. Where that is none of them, they are too few for a false-positive rate of α, and no
// score above the largest is rare enough: the threshold is the largest and the promise is 1/(n+1).
func conformalThreshold(s []float64, alpha float64) (threshold float64, few bool) {
	n := len(s)
	k := int(alpha * float64(n+1) * (1 + 1e-12))
	if k < 1 {
		return s[n-1], true
	}
	return s[n-min(k, n)], false
}

// BenjaminiHochberg says which hypotheses are rejected at a false discovery rate of q (Benjamini and Hochberg, Journal
// of the Royal Statistical Society B 57, 1995): those of the k smallest P, k being the largest with p₍ₖ₎ ≤ k q / m.
// With conformal p-values, which share their benign scores, the share of benign units among the flagged ones is at most
// q in expectation too (Bates, Candès, Lei, Romano and Sesia, Testing for outliers with conformal p-values, Annals of
// Statistics 51, 2023, theorem 2).
func BenjaminiHochberg(p []float64, q float64) []bool {
	ascending := slices.Sorted(slices.Values(p))
	m, limit := len(p), -1.0
	for k, v := range ascending {
		if v <= float64(k+1)*q/float64(m) {
			limit = v
		}
	}
	out := make([]bool, m)
	for i, v := range p {
		out[i] = v <= limit
	}
	return out
}
