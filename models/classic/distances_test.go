package classic

import (
	"context"
	"math"
	"testing"

	"plumbline/models"
)

func TestMahalanobisFixtures(t *testing.T) {
	fx := loadFixtures(t)
	train, test := vectors(4, flat(fx.Train)), vectors(4, flat(fx.Test))
	near(t, "squared distance", fitScore(t, &Mahalanobis{Ridge: 1e-12}, models.Env{}, train, test), fx.Mahalanobis.Sq,
		1e-5)
}

func TestCentroidByHand(t *testing.T) {
	train := vectors(2, []float64{0, 0, 2, 0, 2, 4, 0, 4})
	near(t, "distance", fitScore(t, &Centroid{}, models.Env{}, train, vectors(2, []float64{1, 2, 4, 6, 1, -3})),
		[]float64{0, 5, 5}, 1e-12)
}

func TestKNNByHand(t *testing.T) {
	train, test := vectors(1, []float64{0, 1, 3, 7, 7}), vectors(1, []float64{0, 2, 7, 100})
	near(t, "largest", fitScore(t, &KNN{K: 3, Distance: "largest", Sample: Sample{Sample: "first"}}, models.Env{},
		train, test), []float64{3, 2, 4, 97}, 1e-12)
	near(t, "mean", fitScore(t, &KNN{K: 2, Distance: "mean", Sample: Sample{Sample: "first"}}, models.Env{}, train,
		test), []float64{.5, 1, 0, 93}, 1e-12)
	near(t, "k over n", fitScore(t, &KNN{K: 9, Distance: "largest", Sample: Sample{MaxRows: 3, Sample: "first"}},
		models.Env{}, train, test), []float64{3, 2, 7, 100}, 1e-12)
}

// From the same rows, the same centres as scikit-learn's Lloyd.
func TestKMeansFixtures(t *testing.T) {
	fx := loadFixtures(t)
	s := vectors(4, flat(fx.Train))
	for _, workers := range []int{1, 3} {
		l := &lloyd{s: s, f: affine{modeOrMean(s.X, s.N, 4), 1}, k: 3, tol: 0, maxIter: 300, workers: workers}
		inertia, _, err := l.run(context.Background(), fx.KMeans.InitRows)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "inertia", []float64{inertia}, []float64{fx.KMeans.Inertia}, 1e-6)
		for i, c := range l.label {
			if int(c) != fx.KMeans.Labels[i] {
				t.Errorf("row %d is in cluster %d, want %d", i, c, fx.KMeans.Labels[i])
			}
		}
		for i := range l.centres {
			l.centres[i] += l.f.shift[i%4]
		}
		near(t, "centres", l.centres, flat(fx.KMeans.Centers), 1e-6)
		got := make([]float64, len(fx.Test))
		if err := (&kmeansState{4, 3, l.centres}).score(context.Background(), vectors(4, flat(fx.Test)), 1,
			got); err != nil {
			t.Fatal(err)
		}
		near(t, "distance", got, fx.KMeans.MinDist, 1e-6)
	}
}

// More clusters than distinct rows, and clusters that become empty.
func TestKMeansEmpty(t *testing.T) {
	s := vectors(1, []float64{1, 1, 1, 5, 5, 9})
	spec := &KMeans{Clusters: 5, Restarts: 3, MaxIter: 50}
	near(t, "distance", fitScore(t, spec, models.Env{Seed: 1}, s, vectors(1, []float64{1, 5, 9, 6})),
		[]float64{0, 0, 0, 1}, 1e-12)
	// All centres start at one place: the empty ones move to the far rows.
	l := &lloyd{s: s, f: affine{[]float64{0}, 1}, k: 3, maxIter: 50, workers: 1}
	if inertia, _, err := l.run(context.Background(), []int{0, 1, 2}); err != nil || inertia > 1e-12 {
		t.Errorf("inertia %v, error %v", inertia, err)
	}
}

// By hand: the column 0 0 0 1 4 has bins of 4, 0, 0, 1 rows; the constant one a single height.
func TestHBOSByHand(t *testing.T) {
	train := vectors(2, []float64{0, 3, 0, 3, 0, 3, .9, 3, 4, 3})
	test := vectors(2, []float64{0, 3, 3.5, 3, 2, 3, 4, 3, 9, 3, 0, 2})
	h := func(v ...float64) (sum float64) {
		for _, x := range v {
			sum -= math.Log(x + .1)
		}
		return sum
	}
	near(t, "rarity", fitScore(t, &HBOS{Bins: 4, Smooth: .1}, models.Env{}, train, test),
		[]float64{h(1, 1), h(.25, 1), h(0, 1), h(.25, 1), h(0, 1), h(1, 0)}, 1e-12)
}

// By hand, for one column skewed to the right and one to the left.
func TestECODByHand(t *testing.T) {
	train := vectors(2, []float64{0, 0, 0, 0, 1, 0, 9, -9})
	test := vectors(2, []float64{9, 0, 20, -20, -1, 5, 1, 0})
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
	near(t, "tails", fitScore(t, &ECOD{}, models.Env{}, train, test), want, 1e-12)
}
