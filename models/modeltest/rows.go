package modeltest

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
)

// Vectors is a set with the rows of x rounded to float32.
func Vectors(d int, x []float64) *data.Set {
	s := &data.Set{Kind: data.Vectors, N: len(x) / d, D: d, X: make([]float32, len(x))}
	for i, v := range x {
		s.X[i] = float32(v)
	}
	return s
}

// Clouds are n rows around a few centres, some repeated, d columns.
func Clouds(seed uint64, n, d int) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]float64, 0, n*d)
	for i := range n {
		if i > 10 && r.IntN(10) == 0 {
			k := r.IntN(i)
			x = append(x, x[k*d:(k+1)*d]...)
			continue
		}
		c := float64(r.IntN(3))
		for j := range d {
			x = append(x, c*float64(j%2)+r.NormFloat64())
		}
	}
	return x
}

// Flat is the rows one after the other.
func Flat(rows [][]float64) []float64 {
	var out []float64
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

// Negated is −x.
func Negated(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = -v
	}
	return out
}

// Near fails unless |got − want| ≤ tol·max(1, |want|) everywhere.
func Near(t testing.TB, what string, got, want []float64, tol float64) {
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

// Spec is the settings of a model: its defaults with those that a text of YAML has.
func Spec(t testing.TB, model, text string) models.Spec {
	t.Helper()
	doc, err := settings.Parse(model+".yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := models.Decode(model, doc)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// Build is an unfitted detector of the spec.
func Build(t testing.TB, spec models.Spec, env models.Env) models.Detector {
	t.Helper()
	m, err := spec.New(env)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Fitted is a detector of the spec that has learned from train.
func Fitted(t testing.TB, spec models.Spec, env models.Env, train *data.Set) models.Detector {
	t.Helper()
	det := Build(t, spec, env)
	Check(t, det.Fit(context.Background(), train))
	return det
}

// ClustersOf is the clusters of test's rows by a detector that has clusters and learned from train.
func ClustersOf(t testing.TB, spec models.Spec, train, test *data.Set) []int32 {
	t.Helper()
	of, err := Fitted(t, spec, models.Env{Seed: 1}, train).(models.Clusterer).Clusters(context.Background(), test)
	Check(t, err)
	return of
}

// Check ends the test at an error.
func Check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
