package stat

import (
	"cmp"
	"slices"
)

// MidRanks are 1-based ranks by growing value, equal values sharing their mean rank.
func MidRanks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	rank := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, o := range order[i:j] {
			rank[o] = float64(i+j+1) / 2
		}
		i = j
	}
	return rank
}

// TieSum is Σ(t³−t) over the groups of t equal values: what ties take from the variance of ranks.
func TieSum(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	sum := 0.0
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j] == s[i] {
			j++
		}
		t := float64(j - i)
		sum += float64(t*t*t) - t
		i = j
	}
	return sum
}
