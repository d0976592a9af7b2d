package cluster

import "math"

// Sums are the sums and sizes of groups of rows, in float64. Where blocks of rows are added up by several goroutines,
// each has its own, and these are then added in the order of the blocks, so that the goroutines decide no bit.
type Sums struct {
	D     int
	X     []float64 // k×D, row-major
	Sizes []int
}

// NewSums is k empty groups of rows of d numbers.
func NewSums(k, d int) *Sums { return &Sums{D: d, X: make([]float64, k*d), Sizes: make([]int, k)} }

// Of is the sum of group c.
func (s *Sums) Of(c int) []float64 { return s.X[c*s.D : (c+1)*s.D] }

// AddRow adds a row to group c.
func AddRow[T Number](s *Sums, c int, row []T) {
	s.Sizes[c]++
	for j, sum := 0, s.Of(c); j < len(sum); j++ {
		sum[j] += float64(row[j])
	}
}

// takeRow takes a row of group c away.
func takeRow[T Number](s *Sums, c int, row []T) {
	s.Sizes[c]--
	for j, sum := 0, s.Of(c); j < len(sum); j++ {
		sum[j] -= float64(row[j])
	}
}

// Add adds other groups, one to one.
func (s *Sums) Add(o *Sums) {
	for i, v := range o.X {
		s.X[i] += v
	}
	for c, n := range o.Sizes {
		s.Sizes[c] += n
	}
}

// clear empties the groups.
func (s *Sums) clear() {
	clear(s.X)
	clear(s.Sizes)
}

// Centres are the means of the groups, one step of Lloyd's iterations from the centres before: that of an empty group
// stays, and so does a coordinate whose mean is beyond ±limit or NaN.
func (s *Sums) Centres(before [][]float32, limit float64) [][]float32 {
	out := make([][]float32, len(before))
	for c := range out {
		out[c] = append([]float32(nil), before[c]...)
		if s.Sizes[c] == 0 {
			continue
		}
		for j, sum := range s.Of(c) {
			if mean := sum / float64(s.Sizes[c]); math.Abs(mean) <= limit {
				out[c][j] = float32(mean)
			}
		}
	}
	return out
}
