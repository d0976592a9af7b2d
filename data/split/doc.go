// Package split says which rows of a table train, validate and test a model ([Spec]): by the parts of files, at random,
// in time, by groups, or in folds. It reads no files and fits nothing.
package split
