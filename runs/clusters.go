package runs

import (
	"context"
	"fmt"
	"slices"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

// clusters judges the scores within the clusters of a model that has some, where samples are what is judged.
func (j *job) clusters(ctx context.Context, det models.Detector, test *data.Set, scores []float64) error {
	c, ok := det.(models.Clusterer)
	if !ok || j.files == nil || test.Kind != data.Vectors || j.data.Test.Keys != nil {
		return nil
	}
	of, err := c.Clusters(ctx, test)
	if err != nil {
		return fmt.Errorf("clusters: %w", err)
	}
	if j.data.Test.Truth.Attack == nil {
		return j.clusterIndices(ctx, test, of)
	}
	m, err := eval.PerCluster(scores, j.data.Test.Truth.Attack, of)
	if err != nil {
		return err
	}
	j.result.Set("weighted_cluster_auroc", m.WeightedAUROC)
	j.result.Set("zero_filled_cluster_auroc", m.ZeroFilledAUROC)
	if err := j.clusterIndices(ctx, test, of); err != nil {
		return err
	}
	return j.files.WriteJSON("clusters.json", m)
}

// clusterIndices judges the clusters themselves, where there are at least two and fewer than samples.
func (j *job) clusterIndices(ctx context.Context, test *data.Set, of []int32) error {
	if k := len(slices.Compact(slices.Sorted(slices.Values(of)))); k < 2 || k >= test.N {
		return nil
	}
	rows := cluster.Matrix[float32]{N: test.N, D: test.D, X: test.X}
	sample := models.Env{Seed: j.cell.Seed}.Rand("silhouette")
	indices, err := cluster.Judge(ctx, rows, of, sample, j.workers)
	if err != nil {
		return fmt.Errorf("clusters: %w", err)
	}
	j.result.Set("silhouette", indices.Silhouette)
	j.result.Set("davies_bouldin", indices.DaviesBouldin)
	j.result.Set("calinski_harabasz", indices.CalinskiHarabasz)
	return nil
}
