package classic

import (
	"bytes"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// nearlyGiven is n rows of integers over 16: the third column is the difference of the first two but in some rows, the
// fourth is 0 in two of three. So there are halves whose covariance has no inverse.
func nearlyGiven(n int) *data.Set {
	x := 7
	draw := func(below int) int {
		x = (x*1103515245 + 12345) % (1 << 31)
		return (x >> 8) % below
	}
	var values []float64
	for range n {
		a := draw(20) + draw(20) + draw(20)
		b := draw(20) + draw(20) + draw(20)
		off, rare, size := draw(10), draw(3), draw(41)-20
		switch {
		case off > 7:
			off -= 7
		case off > 2:
			off = 0
		default:
			off -= 3
		}
		if rare != 0 {
			size = 0
		}
		for _, v := range []int{a, b, a - b + off, size, draw(16) + draw(16)} {
			values = append(values, float64(v)/16)
		}
	}
	return modeltest.Vectors(5, values)
}

// TestMCDPseudoInverse: the squared distances of scikit-learn 1.2.1 (MinCovDet, the same for random states 0 to 5),
// where the halves that it ends at have no inverse: what departs from the plane or from the constant column by which
// they are flat counts as little as the pseudo-inverse has it, not as much as a small ε makes of it.
func TestMCDPseudoInverse(t *testing.T) {
	train := nearlyGiven(2400)
	rows := modeltest.Vectors(5, []float64{2, 1, 1, 0, 1, 2, 1, 1.125, 0, 1, 2, 1, 1, 1, 1, 4, 4, 0, 0, 0})
	for seed := range uint64(2) {
		spec := &MCD{Search: sklearnSearch, Ridge: 1e-6}
		got := modeltest.FitScore(t, spec, models.Env{Seed: seed}, train, rows)
		modeltest.Near(t, "squared distance", got, []float64{1.81599839, 4.90283438, 1.81599839, 31.97341204}, 1e-8)
	}
}

// TestMCDFlatReasons: a column that is constant in the half counts for nothing, is no reason for a score, and is
// expected to be what it is, also of a detector that was saved and loaded.
func TestMCDFlatReasons(t *testing.T) {
	spec := &MCD{Search: sklearnSearch, Ridge: 1e-6}
	det := modeltest.Fitted(t, spec, models.Env{Seed: 1}, nearlyGiven(2400))
	var state bytes.Buffer
	modeltest.Check(t, det.Save(&state))
	det = modeltest.Build(t, spec, models.Env{})
	modeltest.Check(t, det.Load(&state))
	row := modeltest.Vectors(5, []float64{2, 1, 1, 1, 1})
	_, reasons, err := det.(models.Explainer).Explain(t.Context(), row)
	modeltest.Check(t, err)
	expected, err := det.(models.Expecter).Expected(t.Context(), row)
	modeltest.Check(t, err)
	if reasons[0][3] != 0 || expected[0][3] != 1 {
		t.Errorf("reasons %v, expected %v", reasons, expected)
	}
}
