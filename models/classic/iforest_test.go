package classic

import (
	"context"
	"math"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/numeric/isolation"
)

// c(n) of scikit-learn 1.2.1 (equation 1 of the paper).
func TestAveragePath(t *testing.T) {
	for n, want := range modeltest.LoadFixtures(t).IForestC {
		if got := isolation.AveragePath(n); math.Abs(got-want) > 1e-12 {
			t.Errorf("c(%d) = %v, want %v", n, got, want)
		}
	}
}

// Whatever goes in, scores lie in (0, 1), and a tree's leaves account for all of its rows.
func TestIForestProperties(t *testing.T) {
	x := modeltest.Vectors(3, modeltest.Clouds(2, 600, 3))
	for _, c := range []IForest{
		{Trees: 30, MaxSamples: 256, MaxFeatures: 1},
		{Trees: 7, MaxSamples: 10000, MaxFeatures: 0.4},
		{Trees: 70, MaxSamples: 100, MaxFeatures: 1, Bootstrap: true},
		{Trees: 1, MaxSamples: 1, MaxFeatures: 0.01},
	} {
		m, err := fitIForest(context.Background(), c, models.Env{Seed: 3}, x)
		if err != nil {
			t.Fatal(err)
		}
		depth := math.Ceil(math.Log2(float64(max(m.psi, 2))))
		for _, tr := range m.trees {
			leaves := 0
			for i, n := range tr.Nodes {
				if n.Column < 0 {
					leaves++
					if tr.Path[i] > depth+isolation.AveragePath(m.psi) {
						t.Errorf("%+v: path of %v", c, tr.Path[i])
					}
				}
			}
			if len(tr.Nodes) != 2*leaves-1 {
				t.Errorf("%+v: %d leaves among %d nodes", c, leaves, len(tr.Nodes))
			}
		}
		out := make([]float64, x.N)
		if err := m.ScoreRows(context.Background(), x, 2, out); err != nil {
			t.Fatal(err)
		}
		for _, v := range out {
			if !(v > 0 && v < 1) {
				t.Fatalf("%+v: score %v", c, v)
			}
		}
	}
}
