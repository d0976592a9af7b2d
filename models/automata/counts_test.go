package automata

import (
	"slices"
	"testing"
)

// TestContextCounts: symbols after the contexts 0 and 2 are counted as by hand, survive saving, and are refused
// out of order, twice, out of the alphabet or with a count that is none.
func TestContextCounts(t *testing.T) {
	seen := newCounter[int32]()
	for i, a := range []int32{3, 1, 3, -1, 3} {
		seen.add([]int32{2, 0, 2, 2, 0}[i], a)
	}
	c := seen.counts(1)
	if seen.total != 5 || !slices.Equal(c.contexts, []int32{0, 2}) || !slices.Equal(c.total, []float64{2, 3}) {
		t.Fatalf("%v counts of the contexts %v are %v", seen.total, c.contexts, c.total)
	}
	two, _ := c.find(2)
	if _, known := c.find(1); known || c.of(two, 3) != 2 || c.of(two, -1) != 1 || c.of(two, 1) != 0 || c.types(two) != 2 {
		t.Errorf("after 2: %v", c)
	}
	if got := seen.counts(5).times; !slices.Equal(got, []float64{0.2, 0.2, 0.2, 0.4}) {
		t.Errorf("shares %v", got)
	}
	pairs := c.pairs()
	if got, err := restoreCounts(paired(flat(pairs)), c.times, -1, 4, 5); err != nil ||
		!slices.Equal(got.pairs(), pairs) || !slices.Equal(got.total, c.total) {
		t.Errorf("restored as %v, %v", got, err)
	}
	swapped, twice := slices.Clone(pairs), slices.Clone(pairs)
	swapped[0], swapped[1] = pairs[1], pairs[0]
	twice[1] = twice[0]
	for name, bad := range map[string]func() error{
		"order":     func() error { _, err := restoreCounts(swapped, c.times, -1, 4, 5); return err },
		"twice":     func() error { _, err := restoreCounts(twice, c.times, -1, 4, 5); return err },
		"alphabet":  func() error { _, err := restoreCounts(pairs, c.times, -1, 3, 5); return err },
		"unknown":   func() error { _, err := restoreCounts(pairs, c.times, 0, 4, 5); return err },
		"too large": func() error { _, err := restoreCounts(pairs, c.times, -1, 4, 1); return err },
		"zero":      func() error { _, err := restoreCounts(pairs, make([]float64, 4), -1, 4, 5); return err },
		"none":      func() error { _, err := restoreCounts[int32](nil, nil, -1, 4, 5); return err },
	} {
		if bad() == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
