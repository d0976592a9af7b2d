// Package tune searches for settings of models inside the training data of an experiment ([Run], [Resume]): by grid, at
// random, by a tree-structured Parzen estimator or by successive halving. It then carries the experiment out once, with
// the settings of the file and with those that were found, side by side on the test part.
//
// What a search is given of a data set is a [prepare.Training], which has no test rows and no way to files. A trial is
// a set of cells, one for each seed and inner fold, each kept in a file that is named by the hash of what decides it,
// so that a search that was killed goes on where it was. Trials are proposed from those that ended before the
// last batch began: what is tried does not depend on the number of workers.
package tune
