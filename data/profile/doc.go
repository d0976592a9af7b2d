// Package profile keeps what rows look like, column by column, and says how far other rows are from it: by the
// population stability index over deciles of numbers and over the commonest categories. A profile is of one size
// whatever the rows are, and other rows are counted block by block. Drift within one data set is data/audit's and
// data/eda's.
package profile
