// Package neighbour finds the nearest of many rows, and all rows within a distance, by comparing every row with
// every other: exact at any width, where trees lose to it. Rows are compared by products of matrices in float32;
// what rounding leaves in doubt is decided in float64. It knows nothing of what the rows are.
package neighbour
