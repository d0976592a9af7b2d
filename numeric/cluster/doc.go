// Package cluster finds groups of rows and judges them: k-means, BIRCH, density-based and hierarchical
// clustering, mixtures of Gaussians, and the indices that say how good a grouping is. It knows nothing of
// detectors, labels or files; what makes a score of a cluster stands in the models.
//
// Rows are the rows of a [Matrix]; a grouping is one int32 per row, from 0, and [Noise] for a row in no group.
package cluster
