// Package follow reads a text file as it grows: whole records as they come, across rotation by renaming and by copying
// and truncating, and from where an earlier reader stopped ([Position]). It knows no format but where records end and
// what a file begins with, which package data/source says, and judges nothing: that is runs/watch.
package follow
