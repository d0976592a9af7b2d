// Package audit looks for what makes a number on a data set mean less than it seems: duplicates within and
// across training and test rows, equal rows with different labels, groups on both sides of a split, columns
// that give the truth away, constant and identifying columns, disordered time, classes too small to read.
//
// It changes nothing: cleaning is for a data config, splitting for package data. Statistics of the columns
// for people (distributions, tests) are not here.
package audit
