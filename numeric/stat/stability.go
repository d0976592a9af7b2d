package stat

import "plumbline/numeric/elementary"

// StabilityIndex is the population stability index of two counts over the same bins, Σ (q−p)·ln(q/p), each bin with
// half a row more than it has. Above a quarter a population is commonly said to have shifted.
func StabilityIndex(before, now []float64) (sum float64) {
	var n, m, bins float64
	for i := range before {
		if before[i]+now[i] > 0 {
			n, m, bins = n+before[i], m+now[i], bins+1
		}
	}
	for i := range before {
		if before[i]+now[i] == 0 {
			continue
		}
		p, q := (before[i]+0.5)/(n+bins/2), (now[i]+0.5)/(m+bins/2)
		sum += float64((q - p) * elementary.Log(q/p))
	}
	return sum
}
