package neighbours

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// Two dense runs, 0 … 4 and 20 … 22, and a row between them that is noise.
func TestDBSCANByHand(t *testing.T) {
	train := modeltest.Vectors(1, []float64{0, 1, 2, 3, 4, 12, 20, 21, 22})
	test := modeltest.Vectors(1, []float64{0, 2.5, 4.5, 12, 19, 23, 100})
	spec := &DBSCAN{Eps: "1", MinSamples: 3, Sample: models.Sample{Sample: "first"}}
	// Core rows are 1, 2, 3 and 21.
	modeltest.Near(t, "score", modeltest.FitScore(t, spec, models.Env{}, train, test),
		[]float64{0, -.5, .5, 8, 1, 1, 78}, 1e-12)
	if got := modeltest.ClustersOf(t, spec, train, test); !slices.Equal(got, []int32{0, 0, 0, 0, 1, 1, 1}) {
		t.Errorf("clusters %v", got)
	}
	det, err := (&DBSCAN{Eps: "0.5", MinSamples: 2, Sample: models.Sample{Sample: "first"}}).New(models.Env{})
	modeltest.Check(t, err)
	if err := det.Fit(context.Background(), train); !errors.Is(err, models.ErrInput) {
		t.Errorf("no core row: %v", err)
	}
	// Automatic: eight of nine rows have a neighbour within 1, the 0.9 quantile is between that and 8.
	auto := modeltest.FitScore(
		t,
		&DBSCAN{Eps: "auto", MinSamples: 2, Sample: models.Sample{Sample: "first"}},
		models.Env{},
		train,
		modeltest.Vectors(1, []float64{2}),
	)
	modeltest.Near(t, "−eps", auto, []float64{-(1 + 0.2*7)}, 1e-6)
}

// Groups 0 1 | 10 11 12, and 50, which is too small to count.
func TestHierarchicalByHand(t *testing.T) {
	train := modeltest.Vectors(1, []float64{0, 1, 10, 11, 12, 50})
	test := modeltest.Vectors(1, []float64{0.5, 11, 3, 50})
	for linkage, want := range map[string][]float64{
		"ward":     {0, 0, math.Sqrt(4./3) * 2.5, math.Sqrt(6./4) * 39},
		"average":  {.5, 2. / 3, 2.5, 39},
		"complete": {.5, 1, 3, 40},
		"single":   {.5, 0, 2, 38},
	} {
		spec := &Hierarchical{Clusters: 3, Linkage: linkage, MinShare: 0.2, Sample: models.Sample{Sample: "first"}}
		modeltest.Near(t, linkage, modeltest.FitScore(t, spec, models.Env{}, train, test), want, 1e-12)
		if got := modeltest.ClustersOf(t, spec, train, test); !slices.Equal(got, []int32{0, 1, 0, 1}) {
			t.Errorf("%s: groups %v", linkage, got)
		}
	}
}

// Subclusters 0 0.2 | 10 10.2 | 50, the last of one row.
func TestBirchByHand(t *testing.T) {
	train := modeltest.Vectors(1, []float64{0, 10, 0.2, 10.2, 50})
	test := modeltest.Vectors(1, []float64{0.1, 12, 50})
	spec := &Birch{Threshold: 0.5, Branching: 2, MaxSubclusters: 10, MinRows: 2, Clusters: 2}
	modeltest.Near(t, "score", modeltest.FitScore(t, spec, models.Env{}, train, test), []float64{0, 1.9, 39.9}, 1e-6)
	if got := modeltest.ClustersOf(t, spec, train, test); got[0] == got[1] || got[1] != got[2] {
		t.Errorf("clusters %v", got)
	}
	spec.MinRows = 1
	modeltest.Near(t, "with single rows", modeltest.FitScore(t, spec, models.Env{}, train, test),
		[]float64{0, 1.9, 0}, 1e-6)
}
