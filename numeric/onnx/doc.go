// Package onnx writes computations as ONNX models: a [Graph] of operators and constants, encoded by the field numbers
// of onnx.proto (https://github.com/onnx/onnx, IR version 7, operator sets 13 and, where trees or categories need it,
// ai.onnx.ml 3). What is computed is the callers': package data/prep adds preprocessing, the models their scores. It
// reads no ONNX.
package onnx
