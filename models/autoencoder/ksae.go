package autoencoder

import (
	"context"
	"math/rand/v2"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

func init() {
	models.Register(models.Info{
		Name: "ksae",
		Doc: "K-means shrink auto-encoder: training rows are clustered by k-means and each cluster gets a model " +
			"of its own; a row is scored by that of its cluster.",
		Paper: "T. C. Bui, V. L. Cao, M. Hoang, Q. U. Nguyen, A Clustering-based Shrink AutoEncoder for Detecting " +
			"Anomalies in Intrusion Detection Systems, KSE 2019; the clustering as in S. Winiecki's comparison of 2025",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultKSAE() },
	})
}

func defaultKSAE() *KSAESpec {
	return &KSAESpec{Clusters: 3, Sampling: Sampling{15000, 0.9},
		PartitionSpec: PartitionSpec{Base: models.ReferenceTo("sae")}}
}

// KSAESpec configures ksae. Of a sample of the training rows those whose norm is below its Trim quantile are
// clustered by k-means; every training row goes to the nearest centre, and a model of kind Base is fitted to
// each cluster. With s the score that the model of a row's cluster gives it, and q₅₀ and q₉₅ quantiles of that
// model's scores of its own training rows,
//
//	score = (s − q₅₀)/(q₉₅ − q₅₀)
//
// which brings the models to one scale; published figures instead average one AUROC a cluster, which is another
// quantity, and stands with the run's metrics. Clusters of fewer than minClusterRows rows join the next nearest.
type KSAESpec struct {
	// k: clusters
	Clusters      int `yaml:"clusters" jsonschema:"minimum=1,maximum=100"`
	Sampling      `yaml:",inline"`
	PartitionSpec `yaml:",inline"`
}

// New checks the values.
func (s *KSAESpec) New(env models.Env) (models.Detector, error) {
	spec := *s
	a := partitioned{name: "ksae", env: env, spec: s.PartitionSpec}
	a.find = func(ctx context.Context, train *data.Set) (*cluster.Partition, error) {
		r := env.Rand("centres")
		centres, err := centresOf(ctx, spec.sample(train, r), spec.Clusters, r)
		if err != nil {
			return nil, err
		}
		own := make([]int32, len(centres))
		for k := range own {
			own[k] = int32(k)
		}
		return cluster.NewPartition(centres, own)
	}
	return a.detector(s)
}

// centresOf is k-means in the precision of networks.
func centresOf(ctx context.Context, x [][]float32, k int, r *rand.Rand) ([][]float32, error) {
	settings := cluster.KMeans{K: k, MaxIter: 300, Single: true}
	found, err := cluster.Fit(ctx, settings, cluster.Rows(x), r)
	if err != nil {
		return nil, err
	}
	centres := make([][]float32, found.N)
	for i := range centres {
		for _, v := range found.Row(i) {
			centres[i] = append(centres[i], float32(v))
		}
	}
	return centres, nil
}
