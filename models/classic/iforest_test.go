package classic

import (
	"context"
	"math"
	"runtime"
	"testing"

	"plumbline/data"
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

// TestIForestMillionRows: a million rows of 20 columns are learnt from and scored with no more memory beside them than
// the trees, the scores and a few megabytes take.
func TestIForestMillionRows(t *testing.T) {
	if testing.Short() {
		t.Skip("a million rows")
	}
	const n, d = 1_000_000, 20
	s := &data.Set{Kind: data.Vectors, N: n, D: d, X: make([]float32, n*d)}
	state := uint32(1)
	for i := range s.X {
		state = state*1664525 + 1013904223
		s.X[i] = float32(state>>8) / (1 << 24)
	}
	for j := range d { // one row far off
		s.Row(777_777)[j] = 3
	}
	det, err := (&IForest{Trees: 20, MaxSamples: 256, MaxFeatures: 1}).New(models.Env{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var before, fitted, scored runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := det.Fit(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&fitted)
	scores, err := det.Score(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&scored)
	// all that was taken, also what was given back
	fit, score := fitted.TotalAlloc-before.TotalAlloc, scored.TotalAlloc-fitted.TotalAlloc
	if fit > 12<<20 || score > 8*n+8<<20 {
		t.Errorf("Fit takes %d MB, Score %d MB, of rows of %d MB", fit>>20, score>>20, 4*n*d>>20)
	}
	for i, v := range scores {
		if !(v > 0 && v < 1) || i != 777_777 && v >= scores[777_777] {
			t.Fatalf("row %d scores %v, the row far off %v", i, v, scores[777_777])
		}
	}
}
