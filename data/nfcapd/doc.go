// Package nfcapd decodes the binary files that nfcapd, nfpcapd and sfcapd write and nfdump reads: layout 1 (nfdump 1.6)
// with its common records and extension maps, and layout 2 (nfdump 1.7) with version 3 records, plain or compressed
// with LZO, bzip2, LZ4 or Zstandard. Files of machines whose first byte is the lowest are read.
//
// A [Reader] gives one [Flow] after the other and holds one block of the file at a time. What a file says of its sizes
// is checked against what it holds before memory is taken for it.
//
// How flows become columns of a table is in data/flowlog.
package nfcapd
