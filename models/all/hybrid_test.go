package all_test

import (
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// bent is n rows of three columns, on a bent line but for some noise.
func bent(n int) *data.Set {
	s := &data.Set{Kind: data.Vectors, N: n, D: 3}
	for i := range n {
		t := float32(i%17)/8 - 1
		s.X = append(s.X, t, t*t+float32(i%5)/50, 1-t+float32(i%7)/70)
	}
	return s
}

// TestHybridIsWhatItIsMadeOf: its network is that of ae, with pre-training and noise too, and what judges the
// bottleneck is what judges that of a shrink auto-encoder whose λ is 0.
func TestHybridIsWhatItIsMadeOf(t *testing.T) {
	train, test := bent(300), bent(64)
	score := func(model, params string) []float64 {
		t.Helper()
		spec := modeltest.Spec(t, model, params)
		return modeltest.FitScore(t, spec, models.Env{Seed: 3}, train, test)
	}
	const network = "epochs: 6, batch: 32, bias: 0.01, ends: tanh, tied: true, validation: 0, patience: 0"
	const denoising = network + ", noise: 0.2, pretrain: 4"
	for _, c := range []struct{ params, model, same string }{
		{denoising + ", score: reconstruction", "ae", denoising},
		{network + ", score: reconstruction", "ae", network},
		{network + ", latent: znorm", "sae", network + ", shrink: 0, latent: znorm"},
		{network + ", latent: {model: lof, params: {k: 9}}, latent_scale: maxabs", "sae",
			network + ", shrink: 0, latent: {model: lof, params: {k: 9}}, latent_scale: maxabs"},
	} {
		got, want := score("hybrid", "{"+c.params+"}"), score(c.model, "{"+c.same+"}")
		if !slices.Equal(got, want) {
			t.Errorf("hybrid with %s: %v, want the %v of %s with %s", c.params, got[:4], want[:4], c.model, c.same)
		}
	}
	if a, b := score("hybrid", "{"+denoising+"}"), score("hybrid", "{"+network+"}"); slices.Equal(a, b) {
		t.Error("pre-training and noise do not reach the bottleneck")
	}
}
