// Package export writes a table, with truth and origin of every row, to CSV, NDJSON or Parquet, and a prepared set, as
// a model sees it, to NPY, CSV or Parquet. Files are read in
// data/source, and the bytes of Parquet are the work of data/parquet.
package export
