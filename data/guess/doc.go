// Package guess looks at the texts of a column, one after the other, and says what they are: numbers and how they are
// written, times and in which layout, addresses, ports, categories, and whether they count the rows. Every value that
// was looked at must fit what is said.
//
// It knows nothing of files and labels: package source writes configs with it.
package guess
