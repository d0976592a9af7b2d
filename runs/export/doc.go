// Package export writes what runs left in other tools' formats: a model with its preprocessing and threshold as ONNX
// ([ONNX]). Files of data sets are package data/export's, pages and figures those of runs/report.
package export
