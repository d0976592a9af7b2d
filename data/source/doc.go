// Package source turns files into tables: data configs ([Config]), one file per format, labels, filters and derived
// columns. A source reads one file format into a [data.Table] of typed columns; what cannot be read is counted and
// reported with file, line and column. Configs are inferred from a file in data/infer.
//
// Nothing here learns from data: imputation, scaling and encoding are in data/prep, and the choice of rows that train
// and test is in data/split.
package source
