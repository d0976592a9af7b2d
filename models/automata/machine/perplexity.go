package machine

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"plumbline/numeric/elementary"
)

// ReadSolution reads a solution file of the PAutomaC competition: the number of words in the first line, then
// the true probability of each word in a line. Errors name file:line:column.
func ReadSolution(r io.Reader, file string) ([]float64, error) {
	sc := bufio.NewScanner(r)
	announced, n := -1, 0
	var p []float64
	for sc.Scan() {
		n++
		text := strings.TrimSpace(sc.Text())
		col := strings.Index(sc.Text(), text) + 1
		switch {
		case n == 1:
			v, err := strconv.Atoi(text)
			if err != nil || v < 1 {
				return nil, fmt.Errorf("automata: %s:1:%d: number of words %q is not a whole number above 0", file, col, text)
			}
			announced = v
		case text == "" && len(p) == announced:
		default:
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || !(v >= 0 && v <= 1) {
				return nil, fmt.Errorf("automata: %s:%d:%d: %q is not a probability", file, n, col, text)
			}
			p = append(p, v)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("automata: %s:%d: %w", file, n+1, err)
	}
	if announced < 0 {
		return nil, fmt.Errorf("automata: %s: empty file", file)
	}
	if len(p) != announced {
		return nil, fmt.Errorf("automata: %s:%d:1: %d probabilities, the first line announces %d", file, n, len(p), announced)
	}
	return p, nil
}

// Perplexity is how well log-probabilities q (natural logarithms, one for each word) match the true
// probabilities p of the words, 2^−Σ p·log₂ q with both normalised to sum to 1 over the words: the measure
// of the PAutomaC competition (Verwer, Eyraud, de la Higuera, Machine Learning 96, 2014). The smallest
// value is [Optimum].
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
	if !(sum > 0) || math.IsInf(top, 0) {
		return math.NaN(), fmt.Errorf("automata: perplexity: probabilities that sum to %v, the largest given one is e^%v",
			sum, top)
	}
	z := 0.0
	for _, l := range logq {
		z += elementary.Exp(l - top)
	}
	norm := top + elementary.Log(z)
	bits := 0.0
	for i := range p {
		if p[i] > 0 {
			bits -= p[i] / sum * (logq[i] - norm) / math.Ln2
		}
	}
	return elementary.Exp2(bits), nil
}

// Optimum is the smallest perplexity on words of true probabilities p: that of p itself.
func Optimum(p []float64) (float64, error) {
	logp := make([]float64, len(p))
	for i, x := range p {
		logp[i] = elementary.Log(x)
	}
	return Perplexity(p, logp)
}
