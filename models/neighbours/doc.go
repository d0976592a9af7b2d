// Package neighbours holds the detectors that judge a row by the training rows around it: distances to the nearest,
// local outlier factor, connectivity, angles, subspaces, nearest neighbours in small samples, and groups of near rows
// (DBSCAN, linkage, BIRCH). All of them work on Vectors sets, learn from benign rows alone
// and never read labels.
//
// A row is compared with training rows only, never with the other rows of a call. Implementations that look for
// neighbours among the rows to be scored, as PyOD's do for cof and sod, give a row another score in other company and
// none at all alone.
//
// Nearest rows are found by brute force (package numeric/neighbour): exact at any width.
package neighbours
