// Package data turns files into tables and tables into the sets that detectors see.
//
// A [Source] reads one file format into a [Table] of typed columns. A [Split] says which rows of the
// table train, validate and test, and an [EvasionSpec] disguises the attacks among the test rows. Package data/prep (fitted on the training rows alone) then turns rows
// into a [Set]: a float32 matrix or traces, with the table rows behind every sample so that each score
// can be traced to its flows.
//
// Nothing here learns from data: imputation, scaling, encoding and discretising are in data/prep, the
// judging of scores is in eval, and what a model wants is in models.
package data
