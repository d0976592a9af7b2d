// Package eda describes a data set before any model sees it: what each column holds and how it differs between benign
// rows and attacks, what goes together, what lies outside, what is missing, how it changes over time, and hypothesis
// tests in words.
//
// Rows come in blocks ([Collector]) and are packed by columns: each distinct value once and a code of one, two or four
// bytes a row, so that millions of rows of network traffic are held exactly in little memory and everything after
// reading costs what the distinct values cost. A column that does not fit is described by sketches whose error is
// stated.
//
// What a split gives away is data/audit's business; pages are made elsewhere from the [Report].
package eda
