// Package foreign lets methods that are not part of the program into its comparisons: scores from a file (models scores
// and scores_labels) and programs that are trained and score in a cell (command and command_labels). Both get what
// every model sees, from files that [WriteFolder] writes, and are judged as every model is: thresholds, units, metrics,
// intervals and tests are the runner's. Unlike the models of package models they touch files, and so they have to be
// told which cell they are in ([Detector]).
package foreign
