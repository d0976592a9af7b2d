// Package prep turns table rows into what detectors see: a float32 matrix ([Spec], [Pipeline]) or traces
// of symbols ([TraceSpec], [Tracer]).
//
// Every step is fitted on training rows alone and kept with the run, so that test rows pass through what
// training taught and nothing else. Each step is a file here. The pipeline is compiled to one list of
// operations per output column and applied in one pass, with no intermediate matrix.
//
// Reading files and splitting rows is package data; labels are never features.
package prep
