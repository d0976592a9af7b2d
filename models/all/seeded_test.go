package all_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestSeededBySettings: whether a model that has another one within uses the seed is that one's affair, and what it
// says of itself is so.
func TestSeededBySettings(t *testing.T) {
	ctx := context.Background()
	train := &data.Set{Kind: data.Traces, D: 2, Features: data.Quantities("up", "down")}
	r := rand.New(rand.NewPCG(4, 4))
	for i := range 40 {
		trace := data.Trace{Key: fmt.Sprint("host", i%4)}
		for range 12 {
			trace.Events = append(trace.Events, float32(r.NormFloat64()), float32(r.ExpFloat64()))
		}
		train.Traces = append(train.Traces, trace)
		train.N++
	}
	for _, c := range []struct {
		model, params string
		want          bool
	}{
		{"msm", "{rule: quartile}", false},
		{"msm", "{rule: sigma, model: iforest}", false},
		{"msm", "{model: lof}", false},
		{"msm", "{model: kde}", false},
		{"msm", "{model: {model: iforest, params: {trees: 5}}}", true},
		{"entity_msm", "{rule: quartile, key_events: 10}", false},
		{"entity_msm", "{model: iforest, key_events: 10}", true},
		{"entity_means", "{model: knn}", false},
		{"entity_means", "{model: iforest}", true},
	} {
		info, err := models.Lookup(c.model)
		if err != nil {
			t.Fatal(err)
		}
		spec := modeltest.Spec(t, c.model, c.params)
		if got := info.UsesSeed(spec); got != c.want {
			t.Errorf("%s %s: uses the seed: %v, want %v", c.model, c.params, got, c.want)
		}
		score := func(seed uint64) []float64 {
			d, err := spec.New(models.Env{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Fit(ctx, train); err != nil {
				t.Fatal(err)
			}
			out, err := d.Score(ctx, train)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		one, two := score(1), score(2)
		if same := slices.Equal(one, two); same == c.want && c.model != "entity_msm" { // its shares are coarse
			t.Errorf("%s %s: scores of two seeds are equal: %v", c.model, c.params, same)
		}
	}
}
