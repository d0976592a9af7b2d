// Package columnar reads Parquet files as rows of a table: which columns a file has ([Fields]), and their values as
// numbers, times and texts ([Parquet]).
//
// The file format itself, its pages and encodings, is in data/parquet.
package columnar
