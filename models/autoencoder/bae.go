package autoencoder

import (
	"context"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

func init() {
	models.Register(models.Info{
		Name: "bae",
		Doc: "BIRCH auto-encoder: training rows are clustered by BIRCH and each cluster gets a model of its " +
			"own; a row is scored by that of its cluster.",
		Paper: "D. Wang, M. Nie, D. Chen, BAE: Anomaly Detection Algorithm Based on Clustering and Autoencoder, " +
			"Mathematics 11, 2023; the clustering as in S. Winiecki's comparison of 2025",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultBAE() },
	})
}

func defaultBAE() *BAESpec {
	return &BAESpec{
		Clusters: 3, Threshold: 0.5, Branching: 50, Subclusters: 1000, Sampling: Sampling{15000, 0.9},
		PartitionSpec: PartitionSpec{Base: models.ReferenceTo("ae")},
	}
}

// maxSubclusters bounds the table of distances between subclusters.
const maxSubclusters = 5000

// BAESpec configures bae. Of a sample of the training rows those whose norm is below its Trim quantile go into
// a CF-tree (Zhang, Ramakrishnan and Livny, BIRCH, SIGMOD 1996): a row joins the nearest subcluster of a leaf if
// that one's radius, the root of the mean squared distance of its rows from their mean, stays at most
// Threshold, or else founds another; nodes of more than Branching are split by their two farthest. With more
// than Subclusters of them, Threshold is raised by half and the tree is built anew from what it held. The
// subclusters' means are joined by Ward's criterion (Ward, Journal of the American Statistical Association 58,
// 1963), each counting once, until k groups are left. A row goes to the group of the nearest mean, and a model
// of kind Base is fitted to each group's training rows. Scores are brought to one scale as with ksae.
type BAESpec struct {
	// k: clusters
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=100"`
	// largest radius of a subcluster, on the scale of the columns
	Threshold float64 `yaml:"threshold" jsonschema:"minimum=0,maximum=1000000"`
	// entries of a node of the tree, at most
	Branching int `yaml:"branching" jsonschema:"minimum=2,maximum=10000"`
	// subclusters, at most: where a radius of threshold makes more, it is raised
	Subclusters   int `yaml:"subclusters" jsonschema:"minimum=1,maximum=5000"`
	Sampling      `yaml:",inline"`
	PartitionSpec `yaml:",inline"`
}

// New checks the values.
func (s *BAESpec) New(env models.Env) (models.Detector, error) {
	spec := *s
	a := partitioned{name: "bae", env: env, spec: s.PartitionSpec}
	a.find = func(ctx context.Context, train *data.Set) (*cluster.Partition, error) {
		x := spec.sample(train, env.Rand("sample"))
		tree, err := cluster.Birch(ctx, x, spec.Threshold, spec.Branching, spec.Subclusters)
		if err != nil {
			return nil, err
		}
		if tree.Threshold > spec.Threshold {
			env.Logger().Info("bae: radius raised so that there are no more subclusters than wanted", "from",
				spec.Threshold, "to", tree.Threshold)
		}
		means := tree.Means()
		groups, err := cluster.Agglomerate(ctx, cluster.Rows(means), cluster.WardLinkage, env.Parallel())
		if err != nil {
			return nil, err
		}
		of, err := groups.Cut(spec.Clusters)
		if err != nil {
			return nil, err
		}
		return cluster.NewPartition(means, of)
	}
	return a.detector(s)
}
