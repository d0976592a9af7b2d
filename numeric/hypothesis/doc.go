// Package hypothesis is tests of whether groups of values differ and whether categories go together: means ([Student],
// [Welch], [ANOVA], [Levene]), ranks and distributions ([MannWhitney], [KruskalWallis], [KolmogorovSmirnov]), counts
// ([Independence], [Fisher]) and a logistic model ([Fit]), with effect sizes and adjustments for several tests ([Holm],
// [BenjaminiHochberg]).
//
// Values come as a [Sample]: distinct values and how often each group has them, so that a column of millions of rows
// costs what its distinct values cost. P values are natural logarithms and do not underflow.
//
// The distributions are numeric/stat's. What a test means for a data set is said by data/eda, and tests between
// detectors are package eval's.
package hypothesis
