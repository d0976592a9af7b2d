package automata

import (
	"math"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

func traces(alphabet int, words ...[]int32) *data.Set {
	s := &data.Set{Kind: data.Traces, N: len(words), Alphabet: make([]string, alphabet)}
	for _, w := range words {
		s.Traces = append(s.Traces, data.Trace{Symbols: w})
	}
	return s
}

// TestMarkovByHand: from the words ab and aa over {a, b}, n(start) = 2 (a twice), n(a) = 2 (a once, b once).
func TestMarkovByHand(t *testing.T) {
	train := traces(2, []int32{0, 1}, []int32{0, 0})
	test := traces(2, []int32{0, 1}, []int32{1, 0}, []int32{0, data.UnknownSymbol}, nil)
	start := -math.Log((2.0 + 1) / (2 + 3))
	for _, c := range []struct {
		aggregate string
		want      []float64
	}{
		{"sum", []float64{start - math.Log(2.0/5), -math.Log(1.0/5) + math.Log(3), start - math.Log(1.0/5), 0}},
		{"last", []float64{-math.Log(2.0 / 5), math.Log(3), -math.Log(1.0 / 5), 0}},
		{"mean", []float64{(start - math.Log(2.0/5)) / 2, (-math.Log(1.0/5) + math.Log(3)) / 2,
			(start - math.Log(1.0/5)) / 2, 0}},
		{"max", []float64{-math.Log(2.0 / 5), -math.Log(1.0 / 5), -math.Log(1.0 / 5), 0}},
	} {
		spec := &MarkovSpec{Order: 1, Smoothing: 1, Aggregate: c.aggregate}
		modeltest.Near(t, c.aggregate, modeltest.FitScore(t, spec, models.Env{}, train, test), c.want, 1e-12)
	}
}
