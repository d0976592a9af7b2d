package nn

import (
	"math"

	"plumbline/numeric/elementary"
)

// What is dropped and drawn in training belongs to the seed, the step, the layer and the row's place in its
// batch, so that it is the same whoever computes it, and on both engines.

// splitMix is a stream of numbers (SplitMix64; Steele, Lea and Flood 2014).
type splitMix uint64

func newSplitMix(seed uint64, step, layer, place int) splitMix {
	s := splitMix(seed)
	for _, v := range [...]int{step, layer, place} {
		s = splitMix(s.next() ^ uint64(v))
	}
	return s
}

func (s *splitMix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uniform is uniform in (0, 1].
func (s *splitMix) uniform() float64 { return (float64(s.next()>>11) + 1) / (1 << 53) }

// Mask fills out with 0 for a share of the values and 1/(1−share) for the others: what a layer's values of the
// row at a place of its batch are multiplied by at a step, counted from 0.
func Mask(out []float32, share float64, seed uint64, step, layer, place int) {
	s := newSplitMix(seed, step, layer, place)
	keep := float32(1 / (1 - share))
	for j := range out {
		out[j] = keep
		if s.uniform() <= share {
			out[j] = 0
		}
	}
}

// StandardNormal fills out with numbers from N(0, 1) for the row at a place of its batch at a step (Box and Muller
// 1958).
func StandardNormal(out []float32, seed uint64, step, place int) {
	s := newSplitMix(seed, step, -1, place)
	for j := 0; j < len(out); j += 2 {
		size, angle := math.Sqrt(-2*elementary.Log(s.uniform())), 2*math.Pi*s.uniform()
		out[j] = float32(size * elementary.Cos(angle))
		if j+1 < len(out) {
			out[j+1] = float32(size * elementary.Sin(angle))
		}
	}
}
