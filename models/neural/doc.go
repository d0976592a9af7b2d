// Package neural holds detectors that are trained by gradient.
//
// A model describes its network once ([Network]: layers, loss, optimiser) and the training loop ([Train])
// hands it to an [Engine], which knows how to do epochs of gradient steps. Engines register themselves;
// models/neural/graph holds the one built on Gorgonia. Initial weights, the order of samples and the
// optimisers are decided here, so that engines can be held against each other. Scores are computed here
// too, one row at a time, by [Network.Forward].
//
// Scaling of inputs is data/prep's work, thresholds and metrics are eval's.
package neural
