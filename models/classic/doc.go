// Package classic holds the detectors that need no network: one-class SVM, local outlier factor, kernel
// density, isolation forest, principal components, Mahalanobis distance, distances to centres and
// neighbours, column-wise histograms and tails, and the controls that every comparison should contain
// (random, znorm, best_feature). All of them work on Vectors sets, learn from benign rows alone and never
// read labels.
//
// Each model is one file that tells its formulas, its source and its departures from the source. What
// they share: [method] (what a model gives to models.Fitted), distance_blocks.go (squared distances between many
// rows at once), neighbours.go (exact nearest neighbours by brute force), moments.go (means and
// covariances) and parallel_rows.go (work over goroutines whose results do not depend on their number).
//
// Arithmetic is in float64, on rows that are float32. Networks are in models/nn, models of event
// sequences in models/automata, models that learn from labels in models/supervised; scaling, thresholds
// and metrics are in data/prep and eval.
package classic

import "plumbline/models"

// Sample is the settings of a model whose cost grows with the square of its training rows.
type Sample = models.Sample
