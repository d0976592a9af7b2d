// Package autoencoder holds auto-encoders as detectors of rows: alone, with a one-class model on their bottleneck, with
// centres in it, or one for each cluster that k-means or BIRCH makes of the rows.
//
// Networks, engines and training are in models/nn, recurrent networks in models/recurrent. Scaling of inputs is the
// work of data/prep; thresholds and metrics are those of eval.
package autoencoder
