package eval

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// ClusterMetrics is how well scores rank within the clusters that a model parts samples into. It is a
// diagnostic: a model that puts all attacks into a cluster of their own has done well, and nothing is left to be
// ranked there. What is undefined is NaN.
type ClusterMetrics struct {
	Clusters []ClusterMetric `json:"clusters"`
	// WeightedAUROC and WeightedAUPRC are the means over the clusters that hold benign samples and attacks,
	// weighted by their samples.
	WeightedAUROC float64 `json:"weighted_auroc"`
	WeightedAUPRC float64 `json:"weighted_auprc"`
	// ZeroFilledAUROC is the mean over all clusters in which one that holds benign samples or attacks alone
	// counts 0, as in published figures of clustering auto-encoders (Winiecki 2025).
	ZeroFilledAUROC float64 `json:"zero_filled_auroc"`
}

// ClusterMetric is one cluster's.
type ClusterMetric struct {
	Cluster int     `json:"cluster"`
	Samples int     `json:"samples"`
	Attacks int     `json:"attacks"`
	AUROC   float64 `json:"auroc"`
	AUPRC   float64 `json:"auprc"`
}

// PerCluster judges scores within clusters, numbered from 0, one for each sample. Numbers that no sample has
// are left out.
func PerCluster(scores []float64, attack []bool, cluster []int32) (*ClusterMetrics, error) {
	if len(cluster) != len(scores) || len(attack) != len(scores) {
		return nil, fmt.Errorf("%w: %d clusters and %d labels for %d scores",
			ErrScores, len(cluster), len(attack), len(scores))
	}
	of := map[int32][]int{}
	for i, c := range cluster {
		if c < 0 {
			return nil, fmt.Errorf("%w: sample %d is in cluster %d", ErrScores, i, c)
		}
		of[c] = append(of[c], i)
	}
	m := &ClusterMetrics{WeightedAUROC: math.NaN(), WeightedAUPRC: math.NaN(), ZeroFilledAUROC: math.NaN()}
	var roc, pr, n float64
	for _, c := range slices.Sorted(maps.Keys(of)) {
		rows := of[c]
		s, a := make([]float64, len(rows)), make([]bool, len(rows))
		one := ClusterMetric{Cluster: int(c), Samples: len(rows), AUROC: math.NaN(), AUPRC: math.NaN()}
		for i, row := range rows {
			if s[i], a[i] = scores[row], attack[row]; a[i] {
				one.Attacks++
			}
		}
		if one.Attacks > 0 && one.Attacks < one.Samples {
			r, err := Rank(s, a)
			if err != nil {
				return nil, err
			}
			one.AUROC, one.AUPRC = r.ROCAUC(), r.AveragePrecision()
			w := float64(one.Samples)
			roc, pr, n = roc+float64(w*one.AUROC), pr+float64(w*one.AUPRC), n+w
		}
		m.Clusters = append(m.Clusters, one)
	}
	if n > 0 {
		m.WeightedAUROC, m.WeightedAUPRC = roc/n, pr/n
	}
	if len(scores) > 0 {
		m.ZeroFilledAUROC = roc / float64(len(scores))
	}
	return m, nil
}
