package classic

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"plumbline/data"
	"plumbline/models"
)

// fixtures are tiny inputs with answers from scikit-learn 1.2.1, in float64.
type fixtures struct {
	Source      string      `json:"source"`
	Train, Test [][]float64 // 60×4 and 24×4, with repeated values and columns of few values
	OCSVM       map[string]struct {
		Gamma, Rho, Tol float64
		Decision        []float64
	} `json:"ocsvm"`
	LOF struct {
		K        int
		TrainNOF []float64 `json:"train_nof"`
		Test     []float64 `json:"test_score_samples"`
		Offset   float64
	} `json:"lof"`
	KDE map[string]struct {
		H       float64
		LogDens []float64
	} `json:"kde"`
	PCA struct {
		K          int
		Explained  []float64
		Ratio      []float64
		ReconSSE   []float64   `json:"recon_sse"`
		Components [][]float64 `json:"components_abs"`
	} `json:"pca"`
	Mahalanobis struct {
		Sq, Location []float64
		Cov          [][]float64
	} `json:"mahalanobis"`
	KMeans struct {
		InitRows []int `json:"init_rows"`
		Centers  [][]float64
		Labels   []int
		Inertia  float64
		NIter    int       `json:"n_iter"`
		MinDist  []float64 `json:"min_dist"`
	} `json:"kmeans"`
	IForestC map[int]float64 `json:"iforest_c"`
}

func loadFixtures(t *testing.T) *fixtures {
	t.Helper()
	raw, err := os.ReadFile("testdata/fixtures.json")
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var f fixtures
	if err := dec.Decode(&f); err != nil {
		t.Fatal(err)
	}
	return &f
}

func flat(rows [][]float64) []float64 {
	var out []float64
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

// vectors is a set with the rows of x rounded to float32.
func vectors(d int, x []float64) *data.Set {
	s := &data.Set{Kind: data.Vectors, N: len(x) / d, D: d, X: make([]float32, len(x))}
	for i, v := range x {
		s.X[i] = float32(v)
	}
	return s
}

func build(t testing.TB, spec models.Spec, env models.Env) models.Detector {
	t.Helper()
	m, err := spec.New(env)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fitScore fits on train and scores test.
func fitScore(t testing.TB, spec models.Spec, env models.Env, train, test *data.Set) []float64 {
	t.Helper()
	m := build(t, spec, env)
	if err := m.Fit(context.Background(), train); err != nil {
		t.Fatal(err)
	}
	out, err := m.Score(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// near fails unless |got − want| ≤ tol·max(1, |want|) everywhere.
func near(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	worst := 0.0
	for i := range want {
		e := math.Abs(got[i]-want[i]) / max(1, math.Abs(want[i]))
		worst = max(worst, e)
		if !(e <= tol) {
			t.Errorf("%s: value %d is %.9g, want %.9g", what, i, got[i], want[i])
		}
	}
	t.Logf("%s: largest error %.2g", what, worst)
}

func negated(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = -v
	}
	return out
}
