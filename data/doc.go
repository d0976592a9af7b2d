// Package data holds the nouns: a [Table] of typed columns, as a file gives it; the [Set] that a detector sees, vectors
// or
// [Trace]s, with the table rows of every sample so that each score can be traced to its flows; and groups of rows.
//
// Reading is in data/source, choosing rows in data/split, fitted transforms in data/prep. The judging of scores is in
// eval, and what a model wants is in models.
package data
