// Package bundle opens what a finished cell left as one thing that scores.
package bundle
