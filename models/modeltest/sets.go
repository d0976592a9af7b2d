package modeltest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"plumbline/data"
)

// width is the number of columns of the generated vectors, traceWidth that of the events of traces.
const (
	width      = 6
	traceWidth = 3
)

// train is what the model is fitted on: benign samples, and attacks too for models that need labels.
func (s *subject) train() *data.Set { return s.generate(240, 1) }

// other is training data that train has nothing in common with but its shape.
func (s *subject) other() *data.Set {
	o := s.generate(160, 2)
	for i := range o.X {
		o.X[i] = 3 - 2*o.X[i]
	}
	for i := range o.Traces {
		t := &o.Traces[i]
		slices.Reverse(t.Symbols)
		for j := range t.Events {
			t.Events[j] = 3 - 2*t.Events[j]
		}
	}
	return o
}

func (s *subject) generate(benign int, seed uint64) *data.Set {
	attacks := 0
	if s.info.Needs.Labels.Any() {
		attacks = benign / 3
	}
	return generate(s.info.Needs.Input, benign, attacks, seed)
}

// test is benign samples and attacks.
func (s *subject) test() *data.Set { return generate(s.info.Needs.Input, 120, 80, 3) }

// generate makes n benign samples and some attacks of two classes, in random order, with labels.
func generate(kind data.Kind, benign, attacks int, seed uint64) *data.Set {
	rng := rand.New(rand.NewPCG(seed, uint64(kind)))
	n := benign + attacks
	s := &data.Set{
		Kind: kind, N: n,
		Attack: make([]bool, n), Class: make([]uint32, n), Classes: []string{"benign", "left", "right"},
	}
	for i, j := range rng.Perm(n) {
		if j >= benign {
			s.Attack[i], s.Class[i] = true, uint32(1+j%2)
		}
	}
	if kind == data.Traces {
		fillTraces(s, rng)
	} else {
		fillVectors(s, rng)
	}
	return s
}

// fillVectors draws benign rows near a subspace of three dimensions,
//
//	x_{2k} = z_k + .1 ε,  x_{2k+1} = z_k + .1 ε'        z, ε, ε' standard normal
//
// and attacks that leave it by six units in one column up and in another down: a line, a column's
// range, the distance from the mean and that from the subspace tell each of them.
func fillVectors(s *data.Set, rng *rand.Rand) {
	s.D = width
	s.X = make([]float32, s.N*width)
	for j := range width {
		s.Features = append(s.Features, data.Feature{Name: fmt.Sprintf("c%d", j)})
	}
	for i := range s.N {
		s.Rows = append(s.Rows, int32(i))
		row := s.Row(i)
		for k := range width / 2 {
			z := rng.NormFloat64()
			row[2*k] = float32(z + 0.1*rng.NormFloat64())
			row[2*k+1] = float32(z + 0.1*rng.NormFloat64())
		}
		switch s.Class[i] {
		case 1:
			row[0] += 6
			row[3] -= 6
		case 2:
			row[2] += 6
			row[5] -= 6
		}
	}
}

// fillTraces draws benign traces that walk a cycle a b c d, now and then staying where they are, and
// attacks that jump between e and f, which no benign trace has, and now and then back into the cycle. The
// events of a symbol lie around a point of its own, those of e and f six units off.
func fillTraces(s *data.Set, rng *rand.Rand) {
	s.D = traceWidth
	s.Features = data.Quantities("bytes", "packets", "duration")
	s.Alphabet = []string{"a", "b", "c", "d", "e", "f"}
	var row int32
	for i := range s.N {
		t := data.Trace{Key: fmt.Sprintf("host%d", i)}
		sym := int32(rng.IntN(4))
		for range 12 + rng.IntN(8) {
			switch {
			case s.Attack[i] && rng.IntN(4) > 0:
				sym = 4 + int32(rng.IntN(2))
			case s.Attack[i]:
				sym = int32(rng.IntN(4))
			case rng.IntN(10) > 0:
				sym = (sym + 1) % 4
			}
			t.Symbols = append(t.Symbols, sym)
			t.Rows = append(t.Rows, row)
			row++
			for j := range traceWidth {
				centre := float64((int(sym)*(j+2))%5) / 2
				if sym >= 4 {
					centre += 6
				}
				t.Events = append(t.Events, float32(centre+0.1*rng.NormFloat64()))
			}
		}
		s.Traces = append(s.Traces, t)
	}
}

// clone is a copy that shares no memory.
func clone(s *data.Set) *data.Set {
	if s == nil {
		return nil
	}
	c := *s
	c.X = slices.Clone(s.X)
	c.Features = slices.Clone(s.Features)
	c.Alphabet = slices.Clone(s.Alphabet)
	c.Attack = slices.Clone(s.Attack)
	c.Class = slices.Clone(s.Class)
	c.Classes = slices.Clone(s.Classes)
	c.Rows = slices.Clone(s.Rows)
	c.Traces = slices.Clone(s.Traces)
	for i := range c.Traces {
		t := &c.Traces[i]
		t.Events, t.Symbols, t.Rows = slices.Clone(t.Events), slices.Clone(t.Symbols), slices.Clone(t.Rows)
	}
	return &c
}

// scramble overwrites the values of a set in place.
func scramble(s *data.Set) {
	for i := range s.X {
		s.X[i] = float32(100 + i%7)
	}
	for i := range s.Traces {
		t := &s.Traces[i]
		for j := range t.Symbols {
			t.Symbols[j] = int32((i + j) % len(s.Alphabet))
		}
		for j := range t.Events {
			t.Events[j] = float32(100 + j%7)
		}
	}
	for i := range s.Attack {
		s.Attack[i] = !s.Attack[i]
	}
	for i := range s.Features {
		s.Features[i] = data.Feature{Name: "overwritten", Source: "overwritten", Kind: data.Level, Level: "overwritten"}
	}
	for i := range s.Alphabet {
		s.Alphabet[i] = "overwritten"
	}
}

// first is the first n samples.
func first(s *data.Set, n int) *data.Set {
	idx := make([]int, min(n, s.N))
	for i := range idx {
		idx[i] = i
	}
	return s.Subset(idx)
}

// Samples is what the suite tries models on: benign samples and some attacks of two classes, in random order, with
// labels.
func Samples(kind data.Kind, benign, attacks int, seed uint64) *data.Set {
	return generate(kind, benign, attacks, seed)
}
