package eval

import "plumbline/numeric/stat"

// Quantile is [stat.Quantile].
func Quantile(ascending []float64, p float64) float64 { return stat.Quantile(ascending, p) }
