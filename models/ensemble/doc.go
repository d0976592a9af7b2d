// Package ensemble holds the detectors that join others without labels: one model on many choices of the columns, and
// several models on the same rows. The models they join come from the registry, by name, whatever family they belong
// to; ensembles that learn from labels (bagging, voting, stacking) are in models/supervised.
package ensemble
