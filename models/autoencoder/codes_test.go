package autoencoder

import (
	"context"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestCodes: each auto-encoder with a bottleneck codes rows, a watched training sees the codes of every epoch, those of
// the last among them, and no score changes for it.
func TestCodes(t *testing.T) {
	train := threeClouds(300)
	for name, text := range map[string]string{
		"ae":  "{epochs: 3, hidden: [4, 2]}",
		"sae": "{epochs: 3, hidden: [4, 2], score: reconstruction, latent: ae}",
		"cae": "{epochs: 3, hidden: [4, 2]}",
	} {
		fit := func(watch func(int, func(context.Context, *data.Set) (*data.Set, error)) error) models.Detector {
			t.Helper()
			spec := modeltest.Spec(t, name, text)
			det, err := spec.New(models.Env{Seed: 1, Watch: watch})
			if err != nil {
				t.Fatal(name, err)
			}
			if err := det.Fit(t.Context(), train); err != nil {
				t.Fatal(name, err)
			}
			return det
		}
		var epochs []int
		var seen []*data.Set
		watched := fit(func(epoch int, codes func(context.Context, *data.Set) (*data.Set, error)) error {
			s, err := codes(t.Context(), train)
			epochs, seen = append(epochs, epoch), append(seen, s)
			return err
		})
		got, err := watched.(models.Coder).Codes(t.Context(), train)
		if err != nil {
			t.Fatal(name, err)
		}
		if got.N != train.N || got.D != 2 || !slices.Equal(epochs, []int{0, 1, 2, 3}) {
			t.Fatalf("%s: %d codes of %d, epochs %v", name, got.N, got.D, epochs)
		}
		if !slices.Equal(seen[3].X, got.X) || slices.Equal(seen[0].X, got.X) {
			t.Errorf("%s: the last epoch's codes are not the model's, or the first's are", name)
		}
		a, err := watched.Score(t.Context(), train)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fit(nil).Score(t.Context(), train)
		if err != nil || !slices.Equal(a, b) {
			t.Errorf("%s: watching changes scores (%v)", name, err)
		}
	}
}
