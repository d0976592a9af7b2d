// Package export writes a table, with truth and origin of every row, to CSV, NDJSON or Parquet. Files are read in
// data/source, and the bytes of Parquet are the work of data/parquet.
package export
