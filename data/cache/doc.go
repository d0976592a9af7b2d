// Package cache keeps prepared arrays on disk under the hash of all that they were made from. Entries are
// written whole and renamed into place, never changed, and read into memory when they are used, so that
// any number of processes may share a folder. Its size is bounded: what was not used for the longest time
// goes first. Every entry carries a check sum, and a damaged one is a miss.
package cache
