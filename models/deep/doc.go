// Package deep has the deep detectors that are no auto-encoders: networks trained for an objective of their own
// (hyperspheres, deviations, mixtures) and random networks with a forest on top. Networks, training and checkpoints are
// of package nn; auto-encoders are in package autoencoder.
package deep
