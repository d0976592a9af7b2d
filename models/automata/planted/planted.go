// Package planted draws words and traces from machines that are known, so that tests can ask whether they are learnt
// again.
package planted

import (
	"math/rand/v2"

	"plumbline/data"
	"plumbline/data/corpus"
)

// Traces draws traces of a machine of three states over events of three attributes, each a whole number from 0
// to 199, the third of them noise. A state draws the first two from ranges of its own, and goes on by guards:
//
//	0 (middle, low) first < 105: to 1, else to 2
//	1 (high, low)   second < 45: to 2, else stays
//	2 (any, high)   to 0
func Traces(n int, seed uint64) []data.Trace {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]data.Trace, n)
	for i := range out {
		state := 0
		for range 20 + r.IntN(20) {
			var x, y int
			switch state {
			case 0:
				x, y = 60+r.IntN(90), r.IntN(60)
			case 1:
				x, y = 140+r.IntN(60), r.IntN(90)
			case 2:
				x, y = r.IntN(200), 120+r.IntN(80)
			}
			out[i].Events = append(out[i].Events, float32(x), float32(y), float32(r.IntN(200)))
			switch {
			case state == 0 && x < 105:
				state = 1
			case state == 0:
				state = 2
			case state == 1 && y < 45:
				state = 2
			case state == 2:
				state = 0
			}
		}
	}
	return out
}

// Words draws words from a machine of three states over {a, b, c}: state 0 prefers a, 1 prefers b, 2
// prefers c; a keeps the state, b moves on, c moves back. One word in ten steps ends.
func Words(n int, seed uint64) *corpus.Corpus {
	r := rand.New(rand.NewPCG(seed, 1))
	c := &corpus.Corpus{Alphabet: []string{"a", "b", "c"}, Types: []string{"1"}}
	weights := [3][3]float64{{0.7, 0.2, 0.1}, {0.1, 0.7, 0.2}, {0.2, 0.1, 0.7}}
	for range n {
		var word []int32
		for q := 0; r.Float64() > 0.1; {
			u, a := r.Float64(), 0
			for a < 2 && u > weights[q][a] {
				u -= weights[q][a]
				a++
			}
			word = append(word, int32(a))
			q = (q + a) % 3 // c is two on, which is one back
		}
		c.Append(word, 0)
	}
	return c
}
