// Package prepare makes the sets that models see: it reads a data set once, splits it, fits the preprocessing on the
// training rows, and keeps what was made in the cache. It trains nothing.
package prepare
