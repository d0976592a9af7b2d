package hypothesis

import (
	"cmp"
	"math"
	"slices"
)

// Holm adjusts logarithms of P values for being several, as eval.Holm does P values: the family's error is kept
// (Scandinavian Journal of Statistics 6, 1979). NaN stay NaN and do not count.
func Holm(logP []float64) []float64 {
	out, order := ranked(logP)
	least := math.Inf(-1)
	for k, i := range order {
		least = max(least, min(0, logP[i]+math.Log(float64(len(order)-k))))
		out[i] = least
	}
	return out
}

// BenjaminiHochberg adjusts logarithms of P values so that rejecting those up to q keeps the share of false rejections
// at q (Journal of the Royal Statistical Society B 57, 1995). NaN stay NaN and do not count.
func BenjaminiHochberg(logP []float64) []float64 {
	out, order := ranked(logP)
	most, m := 0.0, float64(len(order))
	for k := len(order) - 1; k >= 0; k-- {
		i := order[k]
		most = min(most, logP[i]+math.Log(m/float64(k+1)))
		out[i] = most
	}
	return out
}

// ranked is a copy, and the places of what is not NaN, ascending.
func ranked(logP []float64) (out []float64, order []int) {
	for i, v := range logP {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(logP[i], logP[j]) })
	return slices.Clone(logP), order
}
