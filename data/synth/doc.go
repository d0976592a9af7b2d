// Package synth simulates labelled flows of a small office, with attacks, as a source of data for examples and tests.
//
// Packets of such an office are in data/synth/capture.
package synth
