package automata

import (
	"fmt"
	"math"
)

// Perplexity is how well log-probabilities q (natural logarithms, one for each word) match the true
// probabilities p of the words, 2^−Σ p·log₂ q with both normalised to sum to 1 over the words: the measure
// of the PAutomaC competition (Verwer, Eyraud, de la Higuera, Machine Learning 96, 2014). The smallest
// value, that of q = p, is Perplexity(p, ln p).
func Perplexity(p, logq []float64) (float64, error) {
	if len(p) != len(logq) || len(p) == 0 {
		return math.NaN(), fmt.Errorf("automata: perplexity: %d probabilities for %d words", len(logq), len(p))
	}
	sum, top := 0.0, math.Inf(-1)
	for i := range p {
		if !(p[i] >= 0) || math.IsNaN(logq[i]) {
			return math.NaN(), fmt.Errorf("automata: perplexity: word %d has probabilities %v and e^%v", i, p[i], logq[i])
		}
		sum += p[i]
		top = math.Max(top, logq[i])
	}
	z := 0.0
	for _, l := range logq {
		z += math.Exp(l - top)
	}
	norm := top + math.Log(z)
	bits := 0.0
	for i := range p {
		if p[i] > 0 {
			bits -= p[i] / sum * (logq[i] - norm) / math.Ln2
		}
	}
	return math.Exp2(bits), nil
}
