package all

import (
	"context"
	"testing"

	"plumbline/data/workload"
	"plumbline/models"
	"plumbline/models/classic"
	"plumbline/models/modeltest"
	"plumbline/models/neighbours"
	"plumbline/models/oneclass"
)

// Rows like traffic after min-max scaling and one-hot coding would be sparser and quicker than these.
func BenchmarkFitScore(b *testing.B) {
	const n, d = 4096, 40
	train, test := modeltest.Vectors(d, modeltest.Clouds(1, n, d)), modeltest.Vectors(d, modeltest.Clouds(2, 1024, d))
	for _, name := range []string{"ocsvm", "lof", "kde", "knn", "iforest", "pca", "mahalanobis", "kmeans", "hbos", "ecod",
		"znorm"} {
		info, err := models.Lookup(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/fit", func(b *testing.B) {
			m := modeltest.Build(b, info.Defaults(), models.Env{Seed: 1})
			for b.Loop() {
				if err := m.Fit(context.Background(), train); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/score", func(b *testing.B) {
			m := modeltest.Build(b, info.Defaults(), models.Env{Seed: 1})
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

// BenchmarkFlows is the times of docs/performance.md: 40,340 training rows and 20,781 others of simulated flows.
func BenchmarkFlows(b *testing.B) {
	train, test := workload.Sets(40340, 20781)
	all := models.Sample{Sample: "first"}
	for _, c := range []struct {
		name string
		spec models.Spec
	}{
		{"ocsvm", &oneclass.OCSVM{Nu: 0.1, Kernel: "rbf", Degree: 3, Gamma: "scale", Tol: 1e-3, MemoryMB: 200,
			Sample: all}},
		{"lof", &neighbours.LOF{K: 20, Sample: all}},
		{"kde", &classic.KDE{Bandwidth: "1", Sample: all}},
		{"kmeans", &classic.KMeans{Clusters: 8, Restarts: 10, MaxIter: 300, Tol: 1e-4}},
		{"pca", &classic.PCA{Components: 0.95}},
		{"mahalanobis", &classic.Mahalanobis{Ridge: 1e-6}},
	} {
		m := modeltest.Build(b, c.spec, models.Env{Seed: 1})
		b.Run(c.name+"/fit", func(b *testing.B) {
			for b.Loop() {
				if err := m.Fit(context.Background(), train); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/score", func(b *testing.B) {
			for b.Loop() {
				if _, err := m.Score(context.Background(), test); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
