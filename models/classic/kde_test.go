package classic

import (
	"math"
	"strconv"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

func TestKDEFixtures(t *testing.T) {
	fx := modeltest.LoadFixtures(t)
	train, test := modeltest.Vectors(4, modeltest.Flat(fx.Train)), modeltest.Vectors(4, modeltest.Flat(fx.Test))
	for name, want := range fx.KDE {
		t.Run(name, func(t *testing.T) {
			if h := Bandwidth(name).value(60, 4); math.Abs(h-want.H) > 1e-14 {
				t.Errorf("bandwidth %v, want %v", h, want.H)
			}
			got := modeltest.FitScore(
				t,
				&KDE{Bandwidth: Bandwidth(name), Sample: models.Sample{Sample: "first"}},
				models.Env{},
				train,
				test,
			)
			modeltest.Near(t, "score", got, modeltest.Negated(want.LogDens), 1e-6)
		})
	}
}

// The density of one column integrates to 1.
func TestKDEIntegral(t *testing.T) {
	const step = 0.01
	var grid []float64
	for x := -12.0; x < 12; x += step {
		grid = append(grid, x)
	}
	for _, h := range []float64{.1, .5, 1.5} {
		scores := modeltest.FitScore(t, &KDE{Bandwidth: Bandwidth(strconv.FormatFloat(h, 'g', -1, 64)),
			Sample: models.Sample{Sample: "first"}}, models.Env{},
			modeltest.Vectors(1, []float64{-2, 0, 0, 1, 3.5}), modeltest.Vectors(1, grid))
		var sum float64
		for _, v := range scores {
			sum += math.Exp(-v) * step
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Errorf("h %v: integral %v", h, sum)
		}
	}
}

// Far beyond the reach of exp, the log density goes on like a parabola.
func TestKDEFar(t *testing.T) {
	got := modeltest.FitScore(t, &KDE{Bandwidth: "1", Sample: models.Sample{Sample: "first"}}, models.Env{},
		modeltest.Vectors(1, []float64{0}), modeltest.Vectors(1, []float64{1e3, 1e10, 3e38}))
	c := math.Log(2*math.Pi) / 2
	for i, x := range []float32{1e3, 1e10, 3e38} {
		want := float64(x)*float64(x)/2 + c
		if math.Abs(got[i]/want-1) > 1e-12 {
			t.Errorf("score of %v is %v, want %v", x, got[i], want)
		}
	}
}
