// Package parquet reads and writes Parquet files of flat tables.
//
// Reading covers every physical type, the encodings and the compressions that writers in use emit (brotli and
// LZO excepted), data pages of both versions, and columns inside groups; not repeated columns and not
// encryption. A file is taken as hostile: sizes it claims are checked against what its bytes can hold before
// memory is taken for them, and a wrong file is an error, never a panic. Writing makes row groups of zstd pages,
// dictionary-encoded where that is shorter.
//
// It is written here, and checked against another implementation in the tests, because that one
// (github.com/parquet-go/parquet-go v0.32.0) makes a bare program 11 MB larger (plumbline has 22), of which a flat
// table needs little, and takes memory for the sizes that a file claims before it reads on.
//
// What the values mean to a table (types, labels, missing marks) is package data's. The format is
// described at https://parquet.apache.org/docs/file-format/.
package parquet
