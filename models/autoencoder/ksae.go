package autoencoder

import (
	"context"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

func init() {
	models.Register(models.Info{
		Name:     "ksae",
		Doc:      "K-means shrink auto-encoder: training rows are parted by k-means and each part gets a model of its own; a row is judged by that of its part.",
		Paper:    "T. C. Bui, V. L. Cao, M. Hoang, Q. U. Nguyen, A Clustering-based Shrink AutoEncoder for Detecting Anomalies in Intrusion Detection Systems, KSE 2019; the parting as in S. Winiecki's comparison of 2025",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultKSAE() },
	})
}

func defaultKSAE() *KSAESpec {
	return &KSAESpec{Clusters: 3, Sampling: Sampling{15000, 0.9}, Parts: Parts{Base: models.ReferenceTo("sae")}}
}

// KSAESpec configures ksae. Of a sample of the training rows those whose norm is below its Trim quantile are
// clustered by k-means; every training row goes to the nearest centre, and a model of kind Base is fitted to
// each part. With s the score that the model of a row's part gives it, and q₅₀ and q₉₅ quantiles of that
// model's scores of its own training rows,
//
//	score = (s − q₅₀)/(q₉₅ − q₅₀)
//
// which brings the models to one scale; published figures instead average one AUROC a part, which is another
// quantity, and stands with the run's metrics. Parts of fewer than minPart rows join the next nearest.
type KSAESpec struct {
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=100" jsonschema_description:"k: parts"`
	Sampling `yaml:",inline"`
	Parts    `yaml:",inline"`
}

// New checks the values.
func (s *KSAESpec) New(env models.Env) (models.Detector, error) {
	spec := *s
	a := &parted{name: "ksae", env: env, how: s.Parts}
	a.find = func(ctx context.Context, train *data.Set) ([][]float32, []int32, error) {
		r := env.Rand("centres")
		centres, err := cluster.KMeansCentres(ctx, spec.draw(train, r), spec.Clusters, r)
		if err != nil {
			return nil, nil, err
		}
		part := make([]int32, len(centres))
		for k := range part {
			part[k] = int32(k)
		}
		return centres, part, nil
	}
	return a.build(s)
}
