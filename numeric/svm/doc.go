// Package svm solves the quadratic programs of support vector machines: signed multipliers within bounds, with a fixed
// sum, over a matrix of kernel values that is never held as a whole ([Problem.Solve]). It knows nothing of classes,
// scores or models.
package svm
