// Package value reads the texts of single cells: numbers as people and programs write them, and times; and writes
// counts for people. It knows nothing of columns and files.
package value
