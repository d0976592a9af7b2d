package eda

import (
	"math"
	"slices"

	"plumbline/data"
	"plumbline/numeric/hypothesis"
	"plumbline/numeric/sketch"
)

// heldLevels is how many texts of a column that does not fit are counted one by one: those that came first.
const heldLevels = 1 << 12

// streamed is a column that does not fit, by label: sketches of its order, moments, how many different values there
// are, and the values of the sample's rows.
type streamed struct {
	numeric  bool
	ranks    [2]*sketch.Ranks
	moments  [2]running
	missing  [2]float64
	distinct *sketch.Distinct
	sample   []float64

	levels map[string]int // texts that are counted, as places in counts
	texts  []string
	counts [][2]float64
	others [2]float64 // rows of texts that are not

	result *hypothesis.Sample // by finish
}

func newStreamed(c *column, seed uint64) *streamed {
	s := &streamed{numeric: c.numeric(), distinct: sketch.NewDistinct(), levels: map[string]int{}}
	for side := range s.ranks {
		s.ranks[side] = sketch.NewRanks(rankK, seed+uint64(side))
	}
	return s
}

func (s *streamed) value(v float64, side int) {
	if v-v != 0 {
		s.missing[side]++
		return
	}
	s.number(v, side, 1)
}

func (s *streamed) number(v float64, side int, n uint64) {
	s.ranks[side].AddTimes(v, n)
	s.moments[side].add(v, float64(n))
	s.distinct.Add(sketch.Mix(math.Float64bits(v + 0)))
}

func (s *streamed) level(text string, side int, n uint64) {
	s.distinct.Add(hashText(text))
	k, ok := s.levels[text]
	if !ok && len(s.texts) < heldLevels {
		k, ok = len(s.texts), true
		s.levels[text] = k
		s.texts, s.counts = append(s.texts, text), append(s.counts, [2]float64{})
	}
	if !ok {
		s.others[side] += float64(n)
		return
	}
	s.counts[k][side] += float64(n)
}

// add takes the values of a block.
func (s *streamed) add(from *data.Column, attack []bool, sampled []int32) {
	side := func(i int) int {
		if attack != nil && attack[i] {
			return 1
		}
		return 0
	}
	switch {
	case from.Num != nil:
		for i, v := range from.Num {
			s.value(v, side(i))
		}
	case from.Nanos != nil:
		for i, v := range from.Nanos {
			if v == data.NoTime {
				s.missing[side(i)]++
			} else {
				s.value(seconds(v), side(i))
			}
		}
	default:
		n := make([][2]uint64, len(from.Levels))
		for i, k := range from.Code {
			if k == data.Missing {
				s.missing[side(i)]++
			} else {
				n[k][side(i)]++
			}
		}
		for k, by := range n {
			for at, times := range by {
				if times > 0 {
					s.level(from.Levels[k], at, times)
				}
			}
		}
	}
	for _, i := range sampled {
		v := math.NaN()
		switch {
		case from.Num != nil:
			v = from.Num[i]
		case from.Nanos != nil && from.Nanos[i] != data.NoTime:
			v = seconds(from.Nanos[i])
		case from.Code != nil && from.Code[i] != data.Missing:
			v = textNumber(from.Levels[from.Code[i]])
		}
		s.sample = append(s.sample, v)
	}
}

// finish makes the counts of a column that is known by its sketches.
func (s *streamed) finish(c *column) {
	if s.result != nil || c.order != nil {
		return // a report was made before
	}
	if !s.numeric {
		c.texts = append([]string{""}, s.texts...)
		c.counts = make([][2]uint32, len(c.texts))
		for k, n := range s.counts {
			c.counts[k+1] = [2]uint32{uint32(n[0]), uint32(n[1])}
		}
		for k := range s.counts {
			c.order = append(c.order, uint32(k+1))
		}
		return
	}
	s.result = &hypothesis.Sample{Counts: make([][]float64, 2)}
	a, an := s.ranks[0].Values()
	b, bn := s.ranks[1].Values()
	s.result.Values = slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
	for side, v := range [][]float64{a, b} {
		s.result.Counts[side] = make([]float64, len(s.result.Values))
		n := [][]float64{an, bn}[side]
		for i, x := range v {
			at, _ := slices.BinarySearch(s.result.Values, x)
			s.result.Counts[side][at] += n[i]
		}
	}
	s.ranks = [2]*sketch.Ranks{}
}

// running is moments of values as they come (Pébay 2008): sums of powers of the distance from their mean.
type running struct{ n, mean, two, three, four, low, high float64 }

// add adds a value k times.
func (r *running) add(v, k float64) {
	if r.n == 0 {
		r.low, r.high = v, v
	}
	r.low, r.high = min(r.low, v), max(r.high, v)
	n := r.n + k
	d := v - r.mean
	by := d * k / n
	t := float64(d * by * r.n) // Σ d² that the difference of the means makes
	r.four += t*d*d*(float64(r.n*r.n)-float64(r.n*k)+float64(k*k))/(n*n) + float64(6*by*by*r.two) - float64(4*by*r.three)
	r.three += t*d*(r.n-k)/n - float64(3*by*r.two)
	r.two += t
	r.mean += by
	r.n = n
}

// moments is what the sums say.
func (r *running) moments() hypothesis.Moments {
	m := hypothesis.Moments{N: r.n, Mean: math.NaN(), SD: math.NaN(), Skewness: math.NaN(), Kurtosis: math.NaN()}
	if r.n > 0 {
		m.Mean = r.mean
	}
	if r.n > 1 {
		m.SD = math.Sqrt(r.two / (r.n - 1))
	}
	if r.two > 0 {
		m.Skewness = r.three / r.n / math.Pow(r.two/r.n, 1.5)
		m.Kurtosis = r.four*r.n/(r.two*r.two) - 3
	}
	return m
}

// merged is the moments of two sets of values together.
func merged(a, b running) running {
	switch {
	case a.n == 0:
		return b
	case b.n == 0:
		return a
	}
	n, d := a.n+b.n, b.mean-a.mean
	t := d * d * a.n * b.n / n
	return running{
		n: n, mean: a.mean + d*b.n/n, two: a.two + b.two + t,
		three: a.three + b.three + t*d*(a.n-b.n)/n + 3*d*(float64(a.n*b.two)-float64(b.n*a.two))/n,
		four: a.four + b.four + t*d*d*(float64(a.n*a.n)-float64(a.n*b.n)+float64(b.n*b.n))/(n*n) +
			6*d*d*(float64(a.n*a.n*b.two)+float64(b.n*b.n*a.two))/(n*n) +
			4*d*(float64(a.n*b.three)-float64(b.n*a.three))/n,
		low: min(a.low, b.low), high: max(a.high, b.high),
	}
}
