package embed

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/elementary"
	"plumbline/numeric/neighbour"
)

// affinity is a symmetric sparse matrix of probabilities of pairs, which sum to 1.
type affinity struct {
	from   []int // of row i: from[i] to from[i+1]
	column []int32
	value  []float64
}

// affinities are those of the rows.
func (t TSNE) affinities(ctx context.Context, x []float32, n, d, workers int) (*affinity, error) {
	perplexity := min(t.Perplexity, float64(n-1)/3)
	k := min(n-1, int(float64(3*perplexity)+1))
	near := make([]neighbour.Neighbour, n*k)
	p := make([]float64, n*k)
	err := neighbour.New(x, n, d).Nearest(ctx, x, k, workers, 0, func(i int, found []neighbour.Neighbour) {
		own := near[i*k : (i+1)*k]
		copy(own, found)
		conditional(own, perplexity, p[i*k:(i+1)*k])
	})
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return symmetric(near, p, n, k), nil
}

// conditional is the probabilities of the neighbours of a row. The inverse of 2σ² is found by halving intervals, until
// the entropy is that of the perplexity to 1e-5.
func conditional(near []neighbour.Neighbour, perplexity float64, p []float64) {
	least := float64(near[0].Distance * near[0].Distance)
	want := elementary.Log(perplexity)
	low, high, beta := 0.0, math.Inf(1), 1.0
	scale := 0.0
	for _, o := range near {
		scale += float64(o.Distance*o.Distance) - least
	}
	if scale > 0 {
		beta = float64(len(near)) / scale
	}
	for range 200 {
		sum, mean := 0.0, 0.0
		for j, o := range near {
			far := float64(o.Distance*o.Distance) - least
			p[j] = elementary.Exp(-beta * far)
			sum += p[j]
			mean += float64(p[j] * far)
		}
		for j := range p {
			p[j] /= sum
		}
		off := elementary.Log(sum) + beta*mean/sum - want
		if math.Abs(off) < 1e-5 || scale == 0 {
			return
		}
		if off > 0 {
			low = beta
			if beta *= 2; !math.IsInf(high, 1) {
				beta = (low + high) / 2
			}
		} else {
			high = beta
			beta = (low + high) / 2
		}
	}
}

// symmetric is (p_j|i + p_i|j)/2n.
func symmetric(near []neighbour.Neighbour, p []float64, n, k int) *affinity {
	type entry struct {
		column int32
		value  float64
	}
	rows := make([][]entry, n)
	for i := range n {
		for e := i * k; e < (i+1)*k; e++ {
			v := p[e] / (2 * float64(n))
			if v < 1e-300 {
				continue
			}
			j := near[e].Row
			rows[i] = append(rows[i], entry{j, v})
			rows[j] = append(rows[j], entry{int32(i), v})
		}
	}
	a := &affinity{from: make([]int, n+1)}
	for i, row := range rows {
		slices.SortFunc(row, func(a, b entry) int { return int(a.column) - int(b.column) })
		for _, e := range row {
			if last := len(a.column) - 1; last >= a.from[i] && a.column[last] == e.column {
				a.value[last] += e.value
			} else {
				a.column, a.value = append(a.column, e.column), append(a.value, e.value)
			}
		}
		a.from[i+1] = len(a.column)
	}
	return a
}
