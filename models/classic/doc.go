// Package classic holds the detectors that need no network: kernel density, isolation forest, principal components,
// Mahalanobis distance, mixtures, distances to centres, column-wise histograms and tails, and the controls that every
// comparison should contain (random, znorm, best_feature). All of them work on Vectors sets, learn from benign rows
// alone and never read labels.
//
// Each model is one file that tells its formulas, its source and its departures from the source. They share the shell
// of models.RowMethod, moments.go (means and deviations), tails.go (shares of rows below and above) and each_tile.go
// (rows less their mean, a tile at a time).
//
// Arithmetic is in float64, on rows that are float32. Support vector machines are in models/oneclass, detectors that
// look at neighbouring rows in models/neighbours, networks in models/nn, models of event sequences in models/automata,
// models that learn from labels in models/supervised; scaling, thresholds and metrics are in data/prep and eval.
package classic
