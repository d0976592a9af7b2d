package classic

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// c(n) of scikit-learn 1.2.1 (equation 1 of the paper).
func TestAveragePath(t *testing.T) {
	for n, want := range modeltest.LoadFixtures(t).IForestC {
		if got := averagePath(n); math.Abs(got-want) > 1e-12 {
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
			for i, n := range tr.nodes {
				if n.column < 0 {
					leaves++
					if tr.path[i] > depth+averagePath(m.psi) {
						t.Errorf("%+v: path of %v", c, tr.path[i])
					}
				}
			}
			if len(tr.nodes) != 2*leaves-1 {
				t.Errorf("%+v: %d leaves among %d nodes", c, leaves, len(tr.nodes))
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

// Rows are drawn evenly, without replacement.
func TestDrawRows(t *testing.T) {
	x := modeltest.Vectors(1, make([]float64, 20))
	count := make([]int, 20)
	r := rand.New(rand.NewPCG(1, 2))
	const rounds = 20000
	for range rounds {
		g := newGrower(x, IForest{}, 5)
		g.r = r
		g.drawRows()
		seen := map[int32]bool{}
		for _, i := range g.rows {
			if seen[i] {
				t.Fatalf("row %d twice in %v", i, g.rows)
			}
			seen[i] = true
			count[i]++
		}
	}
	for i, n := range count {
		// Binomial with p = 1/4: five standard deviations.
		if math.Abs(float64(n)-rounds/4) > 5*math.Sqrt(rounds*3/16.0) {
			t.Errorf("row %d drawn %d times of %d", i, n, rounds)
		}
	}
}

// A threshold parts float32 values as the exact number would.
func TestBetween(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100000 {
		low := float32(r.NormFloat64())
		high := low
		for range 1 + r.IntN(3) {
			high = math.Nextafter32(high, math.MaxFloat32)
		}
		u := r.Float64()
		exact := float64(low) + u*(float64(high)-float64(low))
		cut := between(low, high, u)
		for v := low; v <= high; v = math.Nextafter32(v, math.MaxFloat32) {
			if v < high && (v <= cut) != (float64(v) <= exact) || v == high && v <= cut {
				t.Fatalf("%v in (%v, %v) at %v: cut %v", v, low, high, exact, cut)
			}
		}
	}
	if c := between(-math.MaxFloat32, math.MaxFloat32, .75); math.Abs(float64(c)/math.MaxFloat32-.5) > 1e-6 {
		t.Errorf("cut %v", c)
	}
}
