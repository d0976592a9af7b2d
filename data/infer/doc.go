// Package infer looks at the first rows of a file and writes a data config that reads it: [Infer]. The config is a
// guess that a person reads through; comments in it say what was guessed.
//
// What values look like is in data/guess, and reading with the config in data/source.
package infer
