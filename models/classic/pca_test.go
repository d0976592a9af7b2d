package classic

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
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

// TestPCABesideSingularVectors: the squared residuals that numpy 1.24.2 gives by a singular value decomposition of the
// rows and a least-squares fit (testdata/pca.py), for shares of the variance and for numbers of components; the rows
// are those of the script.
func TestPCABesideSingularVectors(t *testing.T) {
	const d = 12
	rows := func(from, to int, odd bool) (x []float64) {
		for i := from; i < to; i++ {
			for j := range d {
				v := float64((i*31+j*17+i*j)%29) / 58 * float64(j+1) / 6
				for k := range 3 {
					hidden := float64((i*(2*k+3)*37+11*k)%101) / 101
					v += float64(hidden * float64(j*(k+5)%7-3))
				}
				if odd && i%3 == j%3 {
					v = float64(2*v) + 1
				}
				x = append(x, v)
			}
		}
		return x
	}
	raw, err := os.ReadFile("testdata/pca.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		K      int       `json:"k"`
		Scores []float64 `json:"scores"`
	}
	if err := json.Unmarshal(raw, &want); err != nil || len(want) != 6 {
		t.Fatalf("%d settings, %v", len(want), err)
	}
	train, test := modeltest.Vectors(d, rows(0, 300, false)), modeltest.Vectors(d, rows(300, 340, true))
	for components, w := range want {
		c, err := strconv.ParseFloat(components, 64)
		if err != nil {
			t.Fatal(err)
		}
		det := modeltest.Fitted(t, &PCA{Components: c}, models.Env{}, train).(pcaDetector)
		got, err := det.Score(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Near(t, components+" components", got, w.Scores, 1e-9)
		values, _, _, err := principal(context.Background(), train, 1)
		if err != nil || (&PCA{Components: c}).count(values) != w.K {
			t.Errorf("%s: %d components, want %d", components, (&PCA{Components: c}).count(values), w.K)
		}
	}
}
