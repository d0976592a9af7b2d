package models

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/numeric/cluster"
)

// RowClustering is a learned model that groups rows before it judges them.
type RowClustering interface {
	RowLearned
	// GroupRows fills out with the group of each row, from 0.
	GroupRows(ctx context.Context, s *data.Set, workers int, out []int32) error
}

// RowClusterer is a detector whose learned model is always clustering.
type RowClusterer struct {
	*Fitted[RowScorer]
	method RowMethod
}

// Clusterer is an unfitted detector of the method, whose learned model is clustering.
func (m RowMethod) Clusterer() *RowClusterer { return &RowClusterer{m.Detector(), m} }

// Clusters is the number of each row's group.
func (c *RowClusterer) Clusters(ctx context.Context, s *data.Set) ([]int32, error) {
	l, err := c.Ready(s)
	if err != nil {
		return nil, err
	}
	out := make([]int32, s.N)
	if err := l.RowLearned.(RowClustering).GroupRows(ctx, s, c.method.Env.Parallel(), out); err != nil {
		return nil, fmt.Errorf("%s: clusters: %w", c.method.Name, err)
	}
	return out, nil
}

// RowMatrix is the rows of a set.
func RowMatrix(s *data.Set) cluster.Matrix[float32] {
	return cluster.Matrix[float32]{N: s.N, D: s.D, X: s.X}
}

var _ Clusterer = (*RowClusterer)(nil)
