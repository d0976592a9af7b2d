package classic

import (
	"math"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// The sizes of He, Xu and Deng's definition, and where neither condition holds.
func TestCBLOFLarge(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		want  int
	}{
		{[]int{50, 45, 5}, 2},         // share and jump
		{[]int{90, 60, 40, 10}, 3},    // 190 of 200 and no jump: the share alone
		{[]int{60, 10, 10, 10, 9}, 4}, // the share, before the jump after the first
		{[]int{100}, 1},
		{[]int{30, 25, 25, 20}, 4}, // neither: all
	} {
		if got := (CBLOF{Alpha: 0.9, Beta: 5}).large(c.sizes); got != c.want {
			t.Errorf("%v: %d large, want %d", c.sizes, got, c.want)
		}
	}
	train := modeltest.Vectors(1, []float64{0, 0, 1, 1, 0, 1, 10, 10, 11, 11, 10, 11, 40})
	test := modeltest.Vectors(1, []float64{0.5, 40, 12.5})
	modeltest.Near(t, "score",
		modeltest.FitScore(t, &CBLOF{Clusters: 3, Alpha: 0.9, Beta: 5, Restarts: 5}, models.Env{Seed: 3}, train, test),
		[]float64{0, 29.5, 2}, 1e-6)
	// clusters of six rows at 0.5 and 10.5, of one at 40
	weighted := &CBLOF{Clusters: 3, Alpha: 0.9, Beta: 5, Restarts: 5, Weighted: true}
	modeltest.Near(t, "weighted score", modeltest.FitScore(t, weighted, models.Env{Seed: 3}, train, test),
		[]float64{0, 29.5, 12}, 1e-6)
}

// The density of one column integrates to 1, and of one component is the normal one.
func TestGMMDensity(t *testing.T) {
	train := modeltest.Vectors(1, []float64{-2, -1.5, -1, 3, 3.5, 4, 4.5, 5})
	const step = 0.01
	var grid []float64
	for x := -12.0; x < 15; x += step {
		grid = append(grid, x)
	}
	for _, covariance := range []string{"full", "diag"} {
		for k := 1; k <= 3; k++ {
			spec := &GMM{Components: k, Covariance: covariance, Reg: 1e-2, Tol: 1e-3, MaxIter: 100, Restarts: 2}
			sum := 0.0
			for _, v := range modeltest.FitScore(t, spec, models.Env{Seed: 1}, train, modeltest.Vectors(1, grid)) {
				sum += math.Exp(-v) * step
			}
			if math.Abs(sum-1) > 1e-4 {
				t.Errorf("%d components: integral %v", k, sum)
			}
		}
	}
	one := &GMM{Components: 1, Covariance: "full", Reg: 0.5, Tol: 1e-3, MaxIter: 100, Restarts: 1}
	variance := (4 + 2.25 + 1 + 9 + 12.25 + 16 + 20.25 + 25.0) / 8
	mean := 15.5 / 8
	variance += 0.5 - mean*mean
	modeltest.Near(t, "density", modeltest.FitScore(t, one, models.Env{}, train, modeltest.Vectors(1, []float64{0})),
		[]float64{math.Log(2*math.Pi*variance)/2 + mean*mean/(2*variance)}, 1e-6)
	two := &GMM{Components: 2, Covariance: "full", Reg: 1e-2, Tol: 1e-6, MaxIter: 100, Restarts: 3}
	if got := modeltest.ClustersOf(t, two, train, train); got[0] != got[2] || got[3] != got[7] || got[0] == got[7] {
		t.Errorf("components %v", got)
	}
}

// Up to half of the rows may be anything.
func TestMCDByHand(t *testing.T) {
	var train []float64
	for i := range 40 {
		a, b := float64(i%5)-2, float64(i/5%4)-1.5
		train = append(train, a, b)
	}
	for range 25 {
		train = append(train, 1000, 1000)
	}
	got := modeltest.FitScore(t, &MCD{Search: paperSearch, Ridge: 1e-9}, models.Env{Seed: 2}, modeltest.Vectors(2, train),
		modeltest.Vectors(2, []float64{0, 0, 2, 0, 0, 1.5, 1000, 1000}))
	// Of the rows around the origin the variances are 2 and 1.25.
	modeltest.Near(t, "squared distance", got[:3], []float64{0, 2, 1.8}, 1e-6)
	if got[3] < 1e5 {
		t.Errorf("the other rows are at %v", got[3])
	}
}
