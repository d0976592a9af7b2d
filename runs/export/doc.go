// Package export writes what runs left in other tools' formats, and sends it to them: a model with its preprocessing
// and threshold as ONNX ([ONNX]), a model's card ([Card]) and that of its data ([Croissant]), runs to an MLflow server
// ([Push]) or as its files ([MLruns]), and as those of TensorBoard and DVC. Files of data sets are package
// data/export's, model files of plumbline's own runs/bundle's, pages and figures those of runs/report.
package export
