package classic

import (
	"math"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

func TestMahalanobisFixtures(t *testing.T) {
	fx := modeltest.LoadFixtures(t)
	train, test := modeltest.Vectors(4, modeltest.Flat(fx.Train)), modeltest.Vectors(4, modeltest.Flat(fx.Test))
	modeltest.Near(t, "squared distance", modeltest.FitScore(t, &Mahalanobis{Ridge: 1e-12}, models.Env{}, train, test),
		fx.Mahalanobis.Sq, 1e-5)
}

func TestCentroidByHand(t *testing.T) {
	train := modeltest.Vectors(2, []float64{0, 0, 2, 0, 2, 4, 0, 4})
	modeltest.Near(t, "distance",
		modeltest.FitScore(t, &Centroid{}, models.Env{}, train, modeltest.Vectors(2, []float64{1, 2, 4, 6, 1, -3})),
		[]float64{0, 5, 5}, 1e-12)
}

// More clusters than distinct rows.
func TestKMeansEmpty(t *testing.T) {
	s := modeltest.Vectors(1, []float64{1, 1, 1, 5, 5, 9})
	spec := &KMeans{Clusters: 5, Restarts: 3, MaxIter: 50}
	modeltest.Near(t, "distance",
		modeltest.FitScore(t, spec, models.Env{Seed: 1}, s, modeltest.Vectors(1, []float64{1, 5, 9, 6})),
		[]float64{0, 0, 0, 1}, 1e-12)
}

// By hand: the column 0 0 0 1 4 has bins of 4, 0, 0, 1 rows; the constant one a single height.
func TestHBOSByHand(t *testing.T) {
	train := modeltest.Vectors(2, []float64{0, 3, 0, 3, 0, 3, .9, 3, 4, 3})
	test := modeltest.Vectors(2, []float64{0, 3, 3.5, 3, 2, 3, 4, 3, 9, 3, 0, 2})
	h := func(v ...float64) (sum float64) {
		for _, x := range v {
			sum -= math.Log(x + .1)
		}
		return sum
	}
	scores := modeltest.FitScore(t, &HBOS{Bins: 4, Smooth: .1, Form: "paper"}, models.Env{}, train, test)
	modeltest.Near(t, "rarity", scores,
		[]float64{h(1, 1), h(.25, 1), h(0, 1), h(.25, 1), h(0, 1), h(1, 0)}, 1e-12)
	// PyOD: densities .8, 0, 0, .2 of bins that are 1 wide; a value on an edge counts in the bin above and is looked up
	// in the one below, which the constant between 2.5 and 3.5 does too, so that it is rare
	g := func(v ...float64) (sum float64) {
		for _, x := range v {
			sum -= math.Log2(x + .1)
		}
		return sum
	}
	test = modeltest.Vectors(2, []float64{0, 3, 3.5, 3, 1, 3, 4.5, 3, 4.6, 3, -.5, 2})
	scores = modeltest.FitScore(t, &HBOS{Bins: 4, Smooth: .1, Form: pyodForm}, models.Env{}, train, test)
	modeltest.Near(t, "density", scores,
		[]float64{g(.8, 0), g(.2, 0), g(.8, 0), g(.2, 0), g(0, 0), g(.8, 0)}, 1e-12)
}

// By hand, for one column skewed to the right and one to the left.
func TestECODByHand(t *testing.T) {
	train := modeltest.Vectors(2, []float64{0, 0, 0, 0, 1, 0, 9, -9})
	test := modeltest.Vectors(2, []float64{9, 0, 20, -20, -1, 5, 1, 0})
	f := func(shares ...float64) (sum float64) {
		for _, x := range shares {
			sum -= math.Log(x / 5)
		}
		return sum
	}
	want := []float64{
		max(f(5, 5), f(2, 4), f(2, 5)), // left and right tail of 9 and of 0
		max(f(5, 1), f(1, 5), f(1, 1)),
		max(f(1, 5), f(5, 1), f(5, 5)),
		max(f(4, 5), f(3, 4), f(3, 5)),
	}
	modeltest.Near(t, "tails", modeltest.FitScore(t, &ECOD{Tails: "sums"}, models.Env{}, train, test), want, 1e-12)
	want = []float64{f(2, 4), f(1, 1), f(1, 1), f(3, 4)} // the rarer tail of each column
	modeltest.Near(t, "tails by column", modeltest.FitScore(t, &ECOD{Tails: "columns"}, models.Env{}, train, test), want,
		1e-12)
}
