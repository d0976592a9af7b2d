// Package join labels the rows of one table by the rows of another: attacks that are listed by time, addresses and
// ports, or rows that share a key such as a connection's identifier. Neither table is changed.
//
// How the second table is read, and what its labels mean, is in data/source.
package join
