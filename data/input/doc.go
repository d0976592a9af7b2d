// Package input opens data files as people have them: wrapped in gzip (of several members, with zero bytes after the
// end), zstd, bzip2 or xz, in UTF-8 or UTF-16, with lines that end in LF, CRLF or CR. What it hands on is the
// uncompressed content; text is UTF-8 with LF or CRLF. What is no data file at all (archives, packet captures, pickles)
// it refuses, and says what it is.
//
// It knows nothing of columns: cutting text into records is for package source.
package input
