// Package report writes the report of a run: one HTML page that opens from disk, makes no request and carries
// aggregates only. It says in a sentence what came out and in the next what makes it doubtful, then shows tables and
// figures, and last what all of it rests on. What numbers mean is decided elsewhere, in packages eval and compare.
package report
