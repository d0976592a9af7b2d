// Package mirror keeps run directories in a bucket, where machines share no folder. A folder of this machine stands for
// the directory there: what is written into it is sent on, file by file in the same order, so that a cell's status.json
// is there last too; and what others have sent is fetched before it is read.
//
// The bucket is what counts. A folder belongs to one process at a time: to one that carries a run out ([Begin],
// [Work]), to one that carries out some of its cells ([Share]), or to those that only read it ([View]), one after the
// other.
// Claims are not mirrored: they are objects that only one can make ([Mirror.Claims]).
package mirror
