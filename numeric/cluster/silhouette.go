package cluster

import "math"

// Silhouette is the mean silhouette of some rows among themselves (Rousseeuw 1987), with Euclidean
// distances; a row alone in its class counts 0.
func Silhouette(x [][]float64, of []int, k int, some []int) float64 {
	total := 0.0
	sum, n := make([]float64, k), make([]float64, k)
	for _, i := range some {
		clear(sum)
		clear(n)
		for _, j := range some {
			if i != j {
				sum[of[j]] += math.Sqrt(square(x[i], x[j]))
				n[of[j]]++
			}
		}
		own := of[i]
		if n[own] == 0 {
			continue
		}
		a, b := sum[own]/n[own], math.Inf(1)
		for c := range sum {
			if c != own && n[c] > 0 {
				b = min(b, sum[c]/n[c])
			}
		}
		if m := max(a, b); m > 0 && !math.IsInf(b, 1) {
			total += (b - a) / m
		}
	}
	return total / float64(len(some))
}
