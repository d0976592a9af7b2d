package all_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	_ "plumbline/models/all"
	"plumbline/models/modeltest"
)

// TestPartsOfTheirOwn: between two clouds there is nothing, which one model of all rows does not see and a
// model of each part does.
func TestPartsOfTheirOwn(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	train := &data.Set{Kind: data.Vectors, N: 600, D: 2, X: make([]float32, 1200)}
	for i := range train.N {
		at := float32(-10)
		if i%3 == 0 {
			at = 10
		}
		train.X[2*i], train.X[2*i+1] = at+float32(r.NormFloat64()), at+float32(r.NormFloat64())
	}
	test := &data.Set{Kind: data.Vectors, N: 3, D: 2, X: []float32{0, 0, -10, -10, 10, 10}}
	score := func(model, text string) []float64 {
		spec := modeltest.Spec(t, model, text)
		d, err := spec.New(models.Env{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Fit(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		out, err := d.Score(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		var saved bytes.Buffer
		if err := d.Save(&saved); err != nil {
			t.Fatal(err)
		}
		again, _ := spec.New(models.Env{Seed: 9})
		if err := again.Load(&saved); err != nil {
			t.Fatal(err)
		}
		if same, err := again.Score(context.Background(), test); err != nil || !slices.Equal(same, out) {
			t.Errorf("%s: after saving %v, %v; before %v", text, same, err, out)
		}
		return out
	}
	for _, model := range []string{"ksae", "bae"} {
		if s := score(model, "{clusters: 2, base: centroid}"); s[0] < 5 || s[1] > 1 || s[2] > 1 {
			t.Errorf("%s, two parts: %v", model, s)
		}
		if s := score(model, "{clusters: 1, base: centroid}"); s[0] > s[1] {
			t.Errorf("%s, one part: %v", model, s)
		}
	}
}
