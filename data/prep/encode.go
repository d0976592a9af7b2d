package prep

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
	"plumbline/numeric/cluster"
	"plumbline/numeric/elementary"
)

// Settings of ENCODE that its authors fixed.
const (
	encodeClusters     = 35 // for values that stand for themselves
	encodeBinClusters  = 5  // for values in bins
	encodeNeighbours   = 10 // classes of the value before and the value after
	encodeRuns         = 10 // of k-means; the best silhouette counts
	encodeSame         = 0.5
	encodeWidth        = 2 + 2*encodeNeighbours
	silhouetteRows     = 2000 // that a silhouette is taken over, drawn where there are more
	encodeSeed         = 0x656e636f6465
	encodeMaxIteration = 300
)

// encode learns classes of values by the company they keep (Cao, Panichella, Verwer, Blaise and Rebecchi,
// ENCODE: Encoding NetFlows for network anomaly detection, 2022). Within the sequences of the level, a value is
// described by
//
//	log₁₀(1 + how often it occurs), how often it follows itself,
//	how often a value of each tenth of all followers follows it, and the same for the values before it
//
// and the descriptions are clustered by k-means, the best of ten runs by its silhouette. With bins, values
// are put into percentiles first, and values within ½ of each other count as the same. What was never seen
// gets the class of the most values. v is the values, ascending.
func (s SymbolSpec) encode(t *data.Table, c *data.Column, rows []int32, v []float64, ts TraceSpec, p *part) error {
	if len(v) == 0 {
		return fmt.Errorf("column %s has no values in training", s.Column)
	}
	if len(s.Level) > 0 {
		ts.Key = s.Level
	}
	sorted, _, ends, err := ts.sortByKey(t, rows)
	if err != nil {
		return err
	}
	k := s.Clusters
	if s.Bins > 0 {
		p.Limits = slices.Compact(percentiles(v, s.Bins))
		if k == 0 {
			k = encodeBinClusters
		}
	} else {
		p.Values = slices.Compact(slices.Clone(v))
		if k == 0 {
			k = encodeClusters
		}
	}
	p.Codes = make([]int, max(len(p.Limits), len(p.Values))) // for p.at
	d := p.describe(c, sorted, ends, len(v))
	if p.Codes, err = clusterRows(d, min(k, len(p.Codes))); err != nil {
		return err
	}
	sizes := make([]int, k)
	for _, code := range p.Codes {
		sizes[code]++
	}
	p.Other = slices.Index(sizes, slices.Max(sizes))
	return nil
}

// at is the description that a value counts for.
func (p *part) at(v float64) int {
	if len(p.Values) > 0 {
		k, _ := slices.BinarySearch(p.Values, v)
		return k
	}
	k, _ := slices.BinarySearch(p.Limits, v)
	return k
}

// describe is a row of encodeWidth numbers for each value or bin. The rows of the table are in the order of
// their sequences; a missing value is nobody's neighbour.
func (p *part) describe(c *data.Column, rows, ends []int32, n int) [][]float64 {
	type pair struct{ before, after float64 }
	out := make([][]float64, len(p.Codes))
	for i := range out {
		out[i] = make([]float64, encodeWidth)
	}
	pairs := make([]pair, 0, n)
	from := int32(0)
	for _, end := range ends {
		for i := from; i < end; i++ {
			v := c.Num[rows[i]] + 0
			if v != v {
				continue
			}
			out[p.at(v)][0]++
			if i+1 == end {
				continue
			}
			if next := c.Num[rows[i+1]] + 0; next == next {
				pairs = append(pairs, pair{v, next})
			}
		}
		from = end
	}
	for _, row := range out {
		row[0] = elementary.Log10(row[0] + 1)
	}
	if len(pairs) == 0 {
		return out
	}
	before, after := make([]float64, len(pairs)), make([]float64, len(pairs))
	for i, q := range pairs {
		before[i], after[i] = q.before, q.after
	}
	slices.Sort(before)
	slices.Sort(after)
	beforeLimits, afterLimits := percentiles(before, encodeNeighbours), percentiles(after, encodeNeighbours)
	for _, q := range pairs {
		a, b := out[p.at(q.before)], out[p.at(q.after)]
		same := q.before == q.after
		if len(p.Limits) > 0 {
			same = math.Abs(q.before-q.after) <= encodeSame
		}
		if same {
			a[1]++
		}
		k, _ := slices.BinarySearch(afterLimits, q.after)
		a[2+k]++
		k, _ = slices.BinarySearch(beforeLimits, q.before)
		b[2+encodeNeighbours+k]++
	}
	return out
}

// clusterRows is the k-means class of each row, of the run with the best silhouette. Classes are numbered in the
// order of their first rows.
func clusterRows(x [][]float64, k int) ([]int, error) {
	if k < 2 {
		return make([]int, len(x)), nil
	}
	r := rand.New(rand.NewPCG(encodeSeed, uint64(k)))
	some := r.Perm(len(x))[:min(len(x), silhouetteRows)]
	ctx, m := context.Background(), cluster.Rows(x)
	settings := cluster.KMeans{K: k, MaxIter: encodeMaxIteration, Empty: cluster.DropEmpty}
	var best []int32
	top := math.Inf(-1)
	for range encodeRuns {
		found, err := cluster.Fit(ctx, settings, m, r)
		if err != nil {
			return nil, err
		}
		v, err := cluster.Silhouette(ctx, m, found.Labels, k, some, 1)
		if err != nil {
			return nil, err
		}
		if best == nil || v > top {
			best, top = found.Labels, v
		}
	}
	number := make([]int, k)
	for i := range number {
		number[i] = -1
	}
	next := 0
	out := make([]int, len(x))
	for i, c := range best {
		if number[c] < 0 {
			number[c] = next
			next++
		}
		out[i] = number[c]
	}
	return out, nil
}
