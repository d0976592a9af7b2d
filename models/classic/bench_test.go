package classic

import (
	"context"
	"testing"

	"plumbline/models"
)

// Rows like traffic after min-max scaling and one-hot coding would be sparser and quicker than these.
func BenchmarkFitScore(b *testing.B) {
	const n, d = 4096, 40
	train, test := vectors(d, clouds(1, n, d)), vectors(d, clouds(2, 1024, d))
	for _, name := range []string{ocsvm, lof, kde, knn, iforest, pca, mahalanobis, kmeans, hbos, ecod, znorm} {
		info, err := models.Lookup(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/fit", func(b *testing.B) {
			m := build(b, info.Defaults(), models.Env{Seed: 1})
			for b.Loop() {
				if err := m.Fit(context.Background(), train); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/score", func(b *testing.B) {
			m := build(b, info.Defaults(), models.Env{Seed: 1})
			if err := m.Fit(context.Background(), train); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := m.Score(context.Background(), test); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
