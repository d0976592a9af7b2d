// Package recurrent holds recurrent networks as detectors of traces: forecasts, reconstructions, densities, next
// symbols
// and classes over windows that never leave a trace.
//
// Networks, engines and training are in models/nn, auto-encoders of rows in models/autoencoder.
package recurrent
