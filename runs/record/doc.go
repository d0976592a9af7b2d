// Package record is the format of a run directory: its files, the rows of results.csv, the manifest, and a finished run
// read back ([Open]). What is written when is decided in runs.
package record
