// Package golearn runs classifiers of S. Whitworth's golearn as reference baselines: it is the only place that imports
// that module, and grid.go the only way there. golearn grows and counts; draws of rows and columns are made here, by
// the seed, and what was learnt is copied out of golearn, so that scoring is safe for concurrent use and a saved model
// says the same. Labels go to golearn as its class attribute alone, never as a feature.
//
// Models of this program that learn from labels are in models/supervised.
package golearn
