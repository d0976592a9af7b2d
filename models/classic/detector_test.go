package classic

import (
	"slices"
	"testing"
)

func TestDistinct(t *testing.T) {
	s := vectors(2, []float64{1, 2, 3, 4, 1, 2, 5, 6, 3, 4, 1, 2})
	u, of := distinct(s)
	if !slices.Equal(u.X, []float32{1, 2, 3, 4, 5, 6}) || !slices.Equal(of, []int32{0, 1, 0, 2, 1, 0}) {
		t.Errorf("%v, places %v", u.X, of)
	}
	for _, x := range [][]float64{{}, {1}, {1, 2, 3}} {
		if u, of := distinct(vectors(1, x)); len(x) > 0 && (of != nil || u.N != len(x)) {
			t.Errorf("%v: places %v", x, of)
		}
	}
}
