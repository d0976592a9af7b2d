package all

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
)

// TestMonotoneMaps: models that look at the order of a column's values alone give the same scores, bit for bit, when
// each column goes through a rising map of its own. The scored rows are training rows of every tree, as cuts may
// stand anywhere between two values.
func TestMonotoneMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	s := &data.Set{Kind: data.Vectors, N: 400, D: 5, Classes: []string{"benign", "attack"}}
	for range s.N {
		class, shift := uint32(0), 0.0
		if r.IntN(3) == 0 {
			class, shift = 1, 1.5
		}
		for j := range s.D {
			s.X = append(s.X, float32(math.Round(20*(r.NormFloat64()+shift*float64(j%2)))/20))
		}
		s.Attack, s.Class = append(s.Attack, class == 1), append(s.Class, class)
	}
	mapped := *s
	mapped.X = slices.Clone(s.X)
	for i := range s.N {
		for j, v := range mapped.Row(i) {
			x := float64(v)
			mapped.Row(i)[j] = float32([]float64{x*x*x + x, math.Exp(x), math.Atan(x), 1e6*x - 7, math.Cbrt(x)}[j])
		}
	}
	for j := range s.D { // as float32 too
		order := make([]int, s.N)
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(s.Row(a)[j], s.Row(b)[j]) })
		for i := 1; i < s.N; i++ {
			a, b := order[i-1], order[i]
			if s.Row(a)[j] < s.Row(b)[j] != (mapped.Row(a)[j] < mapped.Row(b)[j]) {
				t.Fatalf("column %d is not mapped strictly", j)
			}
		}
	}
	for _, c := range []struct{ model, params string }{
		{"ecod", "{tails: columns}"}, {"one_rule", "{}"}, {"tree", "{max_depth: 6}"}, {"adaboost", "{}"},
		{"random_forest", "{trees: 20, bootstrap: false}"}, {"boosting", "{rounds: 20}"},
	} {
		node, err := settings.Parse("params", []byte(c.params))
		if err != nil {
			t.Fatal(err)
		}
		spec, err := models.Decode(c.model, node)
		if err != nil {
			t.Fatal(err)
		}
		info, err := models.Lookup(c.model)
		if err != nil {
			t.Fatal(err)
		}
		var scores [2][]float64
		for k, set := range []*data.Set{s, &mapped} {
			det, err := spec.New(models.Env{Seed: 2})
			if err != nil {
				t.Fatal(err)
			}
			train := set
			if !info.Needs.Labels.Any() {
				train = set.Unlabelled()
			}
			if err := det.Fit(context.Background(), train); err != nil {
				t.Fatal(err)
			}
			if scores[k], err = det.Score(context.Background(), set.Unlabelled()); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(scores[0], scores[1]) {
			t.Errorf("%s %s: other scores", c.model, c.params)
		}
		if slices.Min(scores[0]) == slices.Max(scores[0]) {
			t.Errorf("%s: all scores are equal", c.model)
		}
	}
}
