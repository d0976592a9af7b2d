package classic

import (
	"context"
	"errors"
	"math"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/numeric/cluster"
)

func TestPCAFixtures(t *testing.T) {
	fx := modeltest.LoadFixtures(t)
	train, test := modeltest.Vectors(4, modeltest.Flat(fx.Train)), modeltest.Vectors(4, modeltest.Flat(fx.Test))
	modeltest.Near(t, "score", modeltest.FitScore(t, &PCA{Components: float64(fx.PCA.K)}, models.Env{}, train, test),
		fx.PCA.ReconSSE, 1e-6)

	values, vectors, mean, err := principal(context.Background(), train, 1)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Near(t, "mean", mean, fx.Mahalanobis.Location, 1e-6)
	total := 0.0
	for _, v := range values {
		total += v
	}
	for k := range fx.PCA.K {
		// scikit-learn's explained_variance_ divides by n−1.
		modeltest.Near(t, "eigenvalue", []float64{values[k] * 60 / 59, values[k] / total},
			[]float64{fx.PCA.Explained[k], fx.PCA.Ratio[k]}, 1e-6)
		abs := make([]float64, 4)
		for j := range abs {
			abs[j] = math.Abs(vectors[k*4+j])
		}
		modeltest.Near(t, "eigenvector", abs, fx.PCA.Components[k], 1e-5)
	}
	cov, err := cluster.Covariance(context.Background(), models.RowMatrix(train), mean, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Near(t, "covariance", cov, modeltest.Flat(fx.Mahalanobis.Cov), 1e-6)
}

func TestPCACount(t *testing.T) {
	for _, c := range []struct {
		components float64
		values     []float64
		want       int
	}{
		{.95, []float64{90, 6, 3, 1}, 2},
		{.9, []float64{90, 6, 3, 1}, 2}, // more than the share, as scikit-learn has it
		{.89, []float64{90, 6, 3, 1}, 1},
		{.999, []float64{90, 6, 3, 1}, 3}, // one is always left over
		{.5, []float64{0, 0, 0}, 0},
		{.5, []float64{1}, 0},
		{2, []float64{3, 2, 1}, 2},
		{9, []float64{3, 2, 1}, 2},
		{1e300, []float64{3, 2, 1}, 2},
		{.5, []float64{3, -1e-18}, 1},
	} {
		if got := (&PCA{Components: c.components}).count(c.values); got != c.want {
			t.Errorf("%v of %v: %d components, want %d", c.components, c.values, got, c.want)
		}
	}
	if _, err := (&PCA{Components: 1.5}).New(models.Env{}); !errors.Is(err, models.ErrSpec) {
		t.Errorf("1.5 components: %v", err)
	}
}

// Rows in a plane have no distance from it, others the square of theirs.
func TestPCAPlane(t *testing.T) {
	var train []float64
	for i := range 50 {
		a, b := float64(i%7), float64(i%5)
		train = append(train, a, b, a+b)
	}
	got := modeltest.FitScore(
		t,
		&PCA{Components: 2},
		models.Env{},
		modeltest.Vectors(3, train),
		modeltest.Vectors(3, []float64{9, -4, 5, 1, 1, 5}),
	)
	modeltest.Near(t, "squared distance", got, []float64{0, 3}, 1e-9) // (1,1,5) is 3/√3 off the plane
}
