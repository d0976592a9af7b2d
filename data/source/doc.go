// Package source turns files into tables: data configs ([Config]), the formats that they know, where files are found,
// labels, filters and derived columns. A format reads its files into the columns of a [data.Table]; what cannot be read
// is counted and reported with file, line and column.
//
// Delimited text and traces of symbols are read here; other formats in data/flowlog, data/ndjson and data/columnar, on
// the base that all share, data/rows. Configs are inferred from a file in data/infer.
//
// Nothing here learns from data: imputation, scaling and encoding are in data/prep, and the choice of rows that train
// and test is in data/split.
package source
