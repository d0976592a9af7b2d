package stat

import "math"

// Float is what moments are taken of; sums are kept in float64 throughout.
type Float interface{ ~float32 | ~float64 }

// Mean is the arithmetic mean, NaN without values.
func Mean[T Float](v []T) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x)
	}
	return sum / float64(len(v))
}

// MeanVariance is the mean and the population variance, the mean squared distance from the mean. Both are NaN
// without values. Two passes: values far from 0 lose no digits.
func MeanVariance[T Float](v []T) (mean, variance float64) {
	mean = Mean(v)
	return mean, squares(v, mean) / float64(len(v))
}

// MeanSD is the mean and the sample standard deviation, whose divisor is n−1. The deviation is NaN for fewer than
// two values, the mean without any.
func MeanSD[T Float](v []T) (mean, sd float64) {
	mean = Mean(v)
	if len(v) < 2 {
		return mean, math.NaN()
	}
	return mean, math.Sqrt(squares(v, mean) / float64(len(v)-1))
}

// squares is Σ (v−mean)².
func squares[T Float](v []T, mean float64) float64 {
	sum := 0.0
	for _, x := range v {
		d := float64(x) - mean
		sum += float64(d * d)
	}
	return sum
}
