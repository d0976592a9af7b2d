package machine

import (
	"math"
	"slices"
)

// Hyperrectangle is a guard: an event's attributes lie in it when Low[a] ≤ x[a] < High[a] for all a.
type Hyperrectangle struct{ Low, High []float32 }

func wholeSpace(d int) Hyperrectangle {
	b := Hyperrectangle{make([]float32, d), make([]float32, d)}
	for a := range d {
		b.Low[a], b.High[a] = float32(math.Inf(-1)), float32(math.Inf(1))
	}
	return b
}

// holds says whether an event is in it.
func (b *Hyperrectangle) holds(x []float32) bool {
	for a, v := range x {
		if v < b.Low[a] || v >= b.High[a] {
			return false
		}
	}
	return true
}

// cut is what lies below v in attribute a, and what lies from v on.
func (b *Hyperrectangle) cut(a int, v float32) (below, above Hyperrectangle) {
	below = Hyperrectangle{slices.Clone(b.Low), slices.Clone(b.High)}
	above = Hyperrectangle{slices.Clone(b.Low), slices.Clone(b.High)}
	below.High[a], above.Low[a] = v, v
	return below, above
}

// joined is the union of two hyperrectangles, if that is one.
func (b *Hyperrectangle) joined(o *Hyperrectangle) (Hyperrectangle, bool) {
	differ := -1
	for a := range b.Low {
		if b.Low[a] == o.Low[a] && b.High[a] == o.High[a] {
			continue
		}
		if differ >= 0 || b.High[a] != o.Low[a] && o.High[a] != b.Low[a] {
			return Hyperrectangle{}, false
		}
		differ = a
	}
	u := Hyperrectangle{slices.Clone(b.Low), slices.Clone(b.High)}
	if differ >= 0 {
		u.Low[differ], u.High[differ] = min(b.Low[differ], o.Low[differ]), max(b.High[differ], o.High[differ])
	}
	return u, true
}
