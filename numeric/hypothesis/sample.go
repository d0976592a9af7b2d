package hypothesis

import "math"

// Sample is the values of groups: distinct ones, ascending, and of each group how often it has each. Values are finite.
type Sample struct {
	Values []float64
	Counts [][]float64 // by group, then by value
}

// Map is the sample of f of the values. f must grow strictly.
func (s *Sample) Map(f func(float64) float64) *Sample {
	out := &Sample{Values: make([]float64, len(s.Values)), Counts: s.Counts}
	for i, v := range s.Values {
		out.Values[i] = f(v)
	}
	return out
}

// N is how many values a group has.
func (s *Sample) N(group int) (n float64) {
	for _, c := range s.Counts[group] {
		n += c
	}
	return n
}

// Group is the sample of one group alone.
func (s *Sample) Group(group int) *Sample {
	return &Sample{Values: s.Values, Counts: s.Counts[group : group+1]}
}

// Moments is the moments of a group's values: the mean, the standard deviation with divisor n−1, and the skewness g₁
// and excess kurtosis g₂ of population moments. Undefined ones are NaN.
type Moments struct{ N, Mean, SD, Skewness, Kurtosis float64 }

// Moments takes the moments of a group in two passes.
func (s *Sample) Moments(group int) Moments {
	m := Moments{N: s.N(group)}
	count := s.Counts[group]
	for i, v := range s.Values {
		if count[i] > 0 {
			m.Mean += float64(count[i] / m.N * v)
		}
	}
	if m.N == 0 {
		m.Mean = math.NaN()
	}
	// deviations are scaled by the largest, whose fourth power may not be a float64
	scale := 0.0
	for i, v := range s.Values {
		if count[i] > 0 {
			scale = max(scale, math.Abs(v-m.Mean))
		}
	}
	var two, three, four float64
	for i, v := range s.Values {
		if count[i] > 0 && scale > 0 {
			d := (v - m.Mean) / scale
			w := float64(count[i] * d * d)
			two, three, four = two+w, three+float64(w*d), four+float64(w*d*d)
		}
	}
	m.SD, m.Skewness, m.Kurtosis = math.NaN(), math.NaN(), math.NaN()
	if m.N > 1 {
		m.SD = scale * math.Sqrt(two/(m.N-1))
	}
	if two > 0 {
		m.Skewness = three / m.N / math.Pow(two/m.N, 1.5)
		m.Kurtosis = four*m.N/(two*two) - 3
	}
	return m
}

// Quantile is the p quantile of a group by the definition of stat.Quantile, NaN where the group is empty.
func (s *Sample) Quantile(group int, p float64) float64 {
	n := s.N(group)
	if n == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	h := float64(p * (n - 1))
	low, w := math.Floor(h), h-math.Floor(h)
	below, a := 0.0, math.NaN()
	for i, c := range s.Counts[group] {
		if c == 0 {
			continue
		}
		below += c
		if math.IsNaN(a) && below > low {
			a = s.Values[i]
			if w == 0 {
				return a
			}
		}
		if below > low+1 {
			return min(max(float64((1-w)*a)+float64(w*s.Values[i]), a), s.Values[i])
		}
	}
	return a
}
