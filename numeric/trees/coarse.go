package trees

import "math"

// binned is the rows of a node in a bin: weights by class, and number.
type binned struct {
	weight [2]float64
	rows   int
}

// coarseRows is from how many rows on a node of two classes is searched by bins first.
const coarseRows = 64

// coarseColumns is how many columns are searched together.
const coarseColumns = 16

// coarse finds the best split of many rows of two classes by a column, by way of its bins: the thresholds between bins
// are judged from the sums of the bins, and rows are put in order only where a threshold within their bin may be
// better. The judgement of a split is convex in the two weights to its left, so that within a bin it is at most what it
// is where all rows of one class are to the left and none of the other.
type coarse struct {
	g      *Grower
	column int
	rows   []int32
	edge   float64 // best gain of a threshold between bins
	bins   [maxBins]binned
	open   [maxBins]bool // bins that a threshold is sought in
}

// count sums the rows up by bin, and says whether they differ in the column.
func (s *coarse) count() bool {
	g := s.g
	clear(s.bins[:])
	of := g.bin[s.column]
	class, weight := g.class[:len(s.rows)], g.weight[:len(s.rows)]
	for k, i := range s.rows {
		b := &s.bins[of[i]]
		b.weight[class[k]&1] += weight[k]
		b.rows++
	}
	if b := of[s.rows[0]]; s.bins[b].rows == len(s.rows) && (!g.wide[s.column][b] || !s.spread()) {
		return false
	}
	s.edge = math.Inf(-1)
	seen, l0, l1 := 0, 0.0, 0.0
	for b := range s.bins {
		own := &s.bins[b]
		if own.rows == 0 {
			continue
		}
		if seen > 0 && seen >= g.MinLeaf && len(s.rows)-seen >= g.MinLeaf {
			s.edge = max(s.edge, g.gainOfTwo(l0, l1))
		}
		seen += own.rows
		l0, l1 = l0+own.weight[0], l1+own.weight[1]
	}
	return true
}

// spread says whether the values of rows in one bin differ enough for a threshold.
func (s *coarse) spread() bool {
	code := s.g.Code[s.column]
	low, high := code[s.rows[0]], code[s.rows[0]]
	for _, i := range s.rows {
		low, high = min(low, code[i]), max(high, code[i])
	}
	return s.g.apart(s.column, low, high)
}

// gainOfTwo is gain for two classes with these weights to the left.
func (g *Grower) gainOfTwo(l0, l1 float64) float64 {
	r0, r1 := g.total[0]-l0, g.total[1]-l1
	if g.Entropy {
		return xlogx(l0) + xlogx(r0) + (xlogx(l1) + xlogx(r1)) - xlogx(l0+l1) - xlogx(r0+r1)
	}
	return (float64(l0*l0)+float64(l1*l1))/(l0+l1) + (float64(r0*r0)+float64(r1*r1))/(r0+r1)
}

// within opens the bins in which a threshold may have a gain of so much, and says whether there are any.
func (s *coarse) within(gain float64) (some bool) {
	gain -= float64(1e-12 * math.Abs(gain)) // rounding
	g, wide := s.g, s.g.wide[s.column]
	l0, l1 := 0.0, 0.0
	for b := range s.bins {
		own := &s.bins[b]
		r0, r1 := l0+own.weight[0], l1+own.weight[1]
		s.open[b] = own.rows > 1 && wide[b] && (g.gainOfTwo(r0, l1) > gain || g.gainOfTwo(l0, r1) > gain ||
			g.MinLeaf > 1 && (g.gainOfTwo(l0, l1) > gain || g.gainOfTwo(r0, r1) > gain)) // which edges did not judge
		some = some || s.open[b]
		l0, l1 = r0, r1
	}
	return some
}

// improve is the best split if it is better than the one that is given, which else it returns. No split that is judged
// below the floor need be found.
func (s *coarse) improve(best chosen, floor float64) chosen {
	g := s.g
	floor = max(floor, best.gain)
	some := s.within(floor)
	if !some && s.edge < floor {
		return best
	}
	of, code := g.bin[s.column], g.Code[s.column]
	keys := g.keys[:0]
	if some {
		for k, i := range s.rows {
			if s.open[of[i]] {
				keys = append(keys, uint64(code[i])<<32|uint64(uint32(k)))
			}
		}
		g.keys = keys
		keys = g.sorted(keys, uint32(len(g.Values[s.column])))
	}
	seen, l0, l1 := 0, 0.0, 0.0
	better := func() bool {
		if seen == 0 || seen < g.MinLeaf || len(s.rows)-seen < g.MinLeaf {
			return false
		}
		gain := g.gainOfTwo(l0, l1)
		if !(gain > best.gain) {
			return false
		}
		best = chosen{column: s.column, gain: gain, left: seen}
		return true
	}
	for b := range s.bins {
		own := &s.bins[b]
		if own.rows == 0 {
			continue
		}
		if better() {
			best.edge = b
		}
		if !s.open[b] {
			seen += own.rows
			l0, l1 = l0+own.weight[0], l1+own.weight[1]
			continue
		}
		last := uint32(keys[0] >> 32)
		for _, key := range keys[:own.rows] {
			at, k := uint32(key>>32), uint32(key)
			if at != last {
				if g.apart(s.column, last, at) && better() {
					best.below, best.at = last+1, g.halfway(s.column, last, at)
				}
				last = at
			}
			seen++
			if w := g.weight[k]; g.class[k] == 0 {
				l0 += w
			} else {
				l1 += w
			}
		}
		keys = keys[own.rows:]
	}
	return best
}

// settle finds the threshold of a split between two bins, which is halfway between the rows on both sides.
func (g *Grower) settle(c *chosen, rows []int32) {
	of, code := g.bin[c.column], g.Code[c.column]
	low, high := uint32(0), uint32(math.MaxUint32)
	for _, i := range rows {
		if int(of[i]) < c.edge {
			low = max(low, code[i])
		} else {
			high = min(high, code[i])
		}
	}
	c.below, c.at = low+1, g.halfway(c.column, low, high)
}
