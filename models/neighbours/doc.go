// Package neighbours holds the detectors that judge a row by the training rows around it: connectivity, angles,
// subspaces, and nearest neighbours in small samples. All of them work on Vectors sets, learn from benign rows alone
// and never read labels.
//
// A row is compared with training rows only, never with the other rows of a call. Implementations that look for
// neighbours among the rows to be scored, as PyOD's do for cof and sod, give a row another score in other company and
// none at all alone.
//
// Nearest rows are found by brute force (package numeric/neighbour): exact at any width. Distances to the nearest row
// and the local outlier factor are in models/classic.
package neighbours
