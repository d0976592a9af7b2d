package models

import (
	"slices"
	"testing"

	"plumbline/data"
)

func TestDistinct(t *testing.T) {
	rows := func(d int, x ...float32) *data.Set {
		return &data.Set{Kind: data.Vectors, N: len(x) / d, D: d, X: x}
	}
	u, of := Distinct(rows(2, 1, 2, 3, 4, 1, 2, 5, 6, 3, 4, 1, 2))
	if !slices.Equal(u.X, []float32{1, 2, 3, 4, 5, 6}) || !slices.Equal(of, []int32{0, 1, 0, 2, 1, 0}) {
		t.Errorf("%v, places %v", u.X, of)
	}
	for _, x := range [][]float32{{1}, {1, 2, 3}} {
		if u, of := Distinct(rows(1, x...)); of != nil || u.N != len(x) {
			t.Errorf("%v: places %v", x, of)
		}
	}
}
