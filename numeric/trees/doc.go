// Package trees grows decision trees: trees of classes by impurity, and trees that follow a gradient, on histograms.
// A tree is flat arrays that a row walks through; what its leaves mean, how many trees there are and what is made of
// them are the models'.
package trees
