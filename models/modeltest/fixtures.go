package modeltest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"testing"
)

//go:embed testdata/fixtures.json
var fixtures []byte

// Fixtures are tiny inputs with answers from scikit-learn 1.2.1, in float64.
type Fixtures struct {
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

// LoadFixtures reads them.
func LoadFixtures(t *testing.T) *Fixtures {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(fixtures))
	dec.DisallowUnknownFields()
	var f Fixtures
	if err := dec.Decode(&f); err != nil {
		t.Fatal(err)
	}
	return &f
}
