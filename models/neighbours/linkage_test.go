package neighbours

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
)

// groupsOf fits a detector that has clusters and gives those of test.
func groupsOf(t *testing.T, spec models.Spec, train, test *data.Set) []int32 {
	t.Helper()
	det, err := spec.New(models.Env{Seed: 1})
	check(t, err)
	check(t, det.Fit(context.Background(), train))
	of, err := det.(models.Clusterer).Clusters(context.Background(), test)
	check(t, err)
	return of
}

// Two dense runs, 0 … 4 and 20 … 22, and a row between them that is noise.
func TestDBSCANByHand(t *testing.T) {
	train := vectors(1, []float64{0, 1, 2, 3, 4, 12, 20, 21, 22})
	test := vectors(1, []float64{0, 2.5, 4.5, 12, 19, 23, 100})
	spec := &DBSCAN{Eps: "1", MinSamples: 3, Sample: models.Sample{Sample: "first"}}
	// Core rows are 1, 2, 3 and 21.
	near(t, "score", fitScore(t, spec, models.Env{}, train, test), []float64{0, -.5, .5, 8, 1, 1, 78}, 1e-12)
	if got := groupsOf(t, spec, train, test); !slices.Equal(got, []int32{0, 0, 0, 0, 1, 1, 1}) {
		t.Errorf("clusters %v", got)
	}
	det, err := (&DBSCAN{Eps: "0.5", MinSamples: 2, Sample: models.Sample{Sample: "first"}}).New(models.Env{})
	check(t, err)
	if err := det.Fit(context.Background(), train); !errors.Is(err, models.ErrInput) {
		t.Errorf("no core row: %v", err)
	}
	// Automatic: eight of nine rows have a neighbour within 1, the 0.9 quantile is between that and 8.
	auto := fitScore(t, &DBSCAN{Eps: "auto", MinSamples: 2, Sample: models.Sample{Sample: "first"}}, models.Env{}, train,
		vectors(1, []float64{2}))
	near(t, "−eps", auto, []float64{-(1 + 0.2*7)}, 1e-6)
}

// Groups 0 1 | 10 11 12, and 50, which is too small to count.
func TestHierarchicalByHand(t *testing.T) {
	train := vectors(1, []float64{0, 1, 10, 11, 12, 50})
	test := vectors(1, []float64{0.5, 11, 3, 50})
	for linkage, want := range map[string][]float64{
		"ward":     {0, 0, math.Sqrt(4./3) * 2.5, math.Sqrt(6./4) * 39},
		"average":  {.5, 2. / 3, 2.5, 39},
		"complete": {.5, 1, 3, 40},
		"single":   {.5, 0, 2, 38},
	} {
		spec := &Hierarchical{Clusters: 3, Linkage: linkage, MinShare: 0.2, Sample: models.Sample{Sample: "first"}}
		near(t, linkage, fitScore(t, spec, models.Env{}, train, test), want, 1e-12)
		if got := groupsOf(t, spec, train, test); !slices.Equal(got, []int32{0, 1, 0, 1}) {
			t.Errorf("%s: groups %v", linkage, got)
		}
	}
}

// Subclusters 0 0.2 | 10 10.2 | 50, the last of one row.
func TestBirchByHand(t *testing.T) {
	train := vectors(1, []float64{0, 10, 0.2, 10.2, 50})
	test := vectors(1, []float64{0.1, 12, 50})
	spec := &Birch{Threshold: 0.5, Branching: 2, MaxSubclusters: 10, MinRows: 2, Clusters: 2}
	near(t, "score", fitScore(t, spec, models.Env{}, train, test), []float64{0, 1.9, 39.9}, 1e-6)
	if got := groupsOf(t, spec, train, test); got[0] == got[1] || got[1] != got[2] {
		t.Errorf("clusters %v", got)
	}
	spec.MinRows = 1
	near(t, "with single rows", fitScore(t, spec, models.Env{}, train, test), []float64{0, 1.9, 0}, 1e-6)
}

// vectors is a set of rows of d columns.
func vectors(d int, x []float64) *data.Set {
	s := &data.Set{Kind: data.Vectors, N: len(x) / d, D: d, X: make([]float32, len(x))}
	for i, v := range x {
		s.X[i] = float32(v)
	}
	return s
}

func fitScore(t *testing.T, spec models.Spec, env models.Env, train, test *data.Set) []float64 {
	t.Helper()
	det, err := spec.New(env)
	check(t, err)
	check(t, det.Fit(context.Background(), train))
	out, err := det.Score(context.Background(), test)
	check(t, err)
	return out
}

// near fails unless |got − want| ≤ tol·max(1, |want|) everywhere.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if e := math.Abs(got[i]-want[i]) / max(1, math.Abs(want[i])); !(e <= tol) {
			t.Errorf("%s: value %d is %.9g, want %.9g", what, i, got[i], want[i])
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
