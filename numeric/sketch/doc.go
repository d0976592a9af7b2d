// Package sketch describes more values than memory holds: ranks and quantiles within a stated error ([Ranks]) and how
// many different ones there are ([Distinct]). What is there after the same values in the same order is the same.
package sketch
