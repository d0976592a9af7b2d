package classic

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
)

// clustering is a learned model that groups rows before it judges them.
type clustering interface {
	learned
	// clusters fills out with the group of each row, from 0.
	clusters(ctx context.Context, s *data.Set, workers int, out []int32) error
}

// clusterer is a detector whose learned model is always clustering.
type clusterer struct {
	*models.Fitted[rowScorer]
	method
}

// clusterer is an unfitted detector of the method, whose learned model is clustering.
func (m method) clusterer() *clusterer { return &clusterer{m.detector(), m} }

// Clusters is the number of each row's group.
func (c *clusterer) Clusters(ctx context.Context, s *data.Set) ([]int32, error) {
	l, err := c.Ready(s)
	if err != nil {
		return nil, err
	}
	out := make([]int32, s.N)
	if err := l.learned.(clustering).clusters(ctx, s, c.env.Parallel(), out); err != nil {
		return nil, fmt.Errorf("%s: clusters: %w", c.name, err)
	}
	return out, nil
}

// matrix is the rows of a set.
func matrix(s *data.Set) cluster.Matrix[float32] {
	return cluster.Matrix[float32]{N: s.N, D: s.D, X: s.X}
}

var _ models.Clusterer = (*clusterer)(nil)
