package isolation

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// Rows are drawn evenly, without replacement.
func TestDrawRows(t *testing.T) {
	x := make([]float32, 20)
	count := make([]int, 20)
	r := rand.New(rand.NewPCG(1, 2))
	const rounds = 20000
	for range rounds {
		g := NewGrower(x, 20, Settings{Rows: 5, MaxFeatures: 1})
		seen := map[int32]bool{}
		for _, i := range g.Draw(r) {
			if seen[i] {
				t.Fatalf("row %d twice ", i)
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

// TestDeviation: by hand, the path and the mean distance from the cuts of a tree of two cuts.
func TestDeviation(t *testing.T) {
	tree := Tree{
		Nodes: []Node{{0, 1, 4}, {1, -2, 3}, {-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}},
		Path:  []float64{0, 1, 2, 2.5, 1},
	}
	for _, c := range []struct {
		x              []float32
		path, distance float64
	}{
		{[]float32{0, -3}, 2, (1 + 1) / 2.0},
		{[]float32{0.5, 2}, 2.5, (0.5 + 4) / 2.0},
		{[]float32{4, 9}, 1, 3},
	} {
		path, distance := tree.Deviation(c.x)
		if path != c.path || distance != c.distance || tree.Walk(c.x) != path {
			t.Errorf("%v: path %v, distance %v, want %v and %v", c.x, path, distance, c.path, c.distance)
		}
	}
	leaf := Tree{Nodes: []Node{{-1, 0, 0}}, Path: []float64{3}}
	if path, distance := leaf.Deviation(nil); path != 3 || distance != 0 {
		t.Errorf("a single leaf: %v, %v", path, distance)
	}
}

// TestFlat: trees come back as they were, and what no tree could be is refused.
func TestFlat(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, 300)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	g := NewGrower(x, 100, Settings{Rows: 64, MaxFeatures: 0.7})
	trees := []Tree{g.Grow(r), g.Grow(r)}
	f := Flatten(trees)
	again, err := f.Trees(3)
	if err != nil || !reflect.DeepEqual(again, trees) {
		t.Fatalf("trees come back otherwise: %v", err)
	}
	for name, spoil := range map[string]func(f *Flat){
		"a loop":             func(f *Flat) { f.Right[0] = 0 },
		"a column too far":   func(f *Flat) { f.Column[0] = 3 },
		"a negative path":    func(f *Flat) { f.Path[1] = -1 },
		"a tree too large":   func(f *Flat) { f.Sizes[1]++ },
		"nodes of no tree":   func(f *Flat) { f.Sizes = f.Sizes[:1] },
		"a tree of no nodes": func(f *Flat) { f.Sizes[0] = 0 },
	} {
		f := Flatten(trees)
		if spoil(&f); f.Sizes != nil {
			if _, err := f.Trees(3); err == nil {
				t.Errorf("%s is taken", name)
			}
		}
	}
}
