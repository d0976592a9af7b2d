package audit

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"plumbline/data"
)

// TestCountedOrSorted: a column of few distinct values, whose rows are counted by value, and one of many, whose rows
// are sorted, are described as sorting all of their rows does, and as comparing all pairs of rows does.
func TestCountedOrSorted(t *testing.T) {
	const n = 3 * manyValues
	rng := rand.New(rand.NewPCG(1, 2))
	a := &auditor{t: &data.Table{Attack: make([]bool, n)}, in: make([]bool, n)}
	few, many := &data.Column{Type: data.Number}, &data.Column{Type: data.Number}
	for i := range n {
		a.t.Attack[i], a.in[i] = rng.IntN(4) == 0, rng.IntN(5) > 0
		x := float64(rng.IntN(50) - 10)
		switch {
		case i%97 == 0:
			x = math.NaN()
		case i%101 == 0:
			x = math.Copysign(0, -1)
		case a.t.Attack[i]:
			x += 5
		}
		few.Num = append(few.Num, x)
		many.Num = append(many.Num, x+float64(i%(2*manyValues)))
	}
	for name, c := range map[string]*data.Column{"few": few, "many": many} {
		var out Column
		got, want := a.numbers(c, &out), a.sorted(c)
		slices.SortFunc(got, func(x, y group) int { return cmp.Compare(x.value, y.value) })
		if !reflect.DeepEqual(got, want) || out.Distinct != len(want) || (name == "many") != (len(want) > manyValues) {
			t.Errorf("%s: %d groups of values, want %d; %d distinct", name, len(got), len(want), out.Distinct)
		}
		missing, negative := 0, 0
		for _, x := range c.Num {
			if x != x {
				missing++
			}
			if x < 0 {
				negative++
			}
		}
		if out.Missing != missing || out.Negative != negative {
			t.Errorf("%s: %d missing, %d negative, want %d and %d", name, out.Missing, out.Negative, missing, negative)
		}
	}
	// the first rows pair by pair
	short := &data.Column{Type: data.Number, Num: few.Num[:500]}
	var wins, pairs float64
	for i, x := range short.Num {
		for k, y := range short.Num {
			if x != x {
				x = math.Inf(-1)
			}
			if y != y {
				y = math.Inf(-1)
			}
			if !a.in[i] || !a.in[k] || !a.t.Attack[i] || a.t.Attack[k] {
				continue
			}
			pairs++
			switch {
			case x > y:
				wins++
			case x == y:
				wins += 0.5
			}
		}
	}
	want := max(wins/pairs, 1-wins/pairs)
	if auroc, _ := separation(a.numbers(short, &Column{})); math.Abs(auroc-want) > 1e-12 {
		t.Errorf("AUROC %v, want %v", auroc, want)
	}
}
