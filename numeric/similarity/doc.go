// Package similarity is kernel functions K(x, y) between many rows: their sums and matrices, by products of
// matrices. Float32 serves where distances are short enough for it, float64 elsewhere, and where even that would
// lose the distance of long rows that are near to each other, it is taken from their difference. The package knows
// nothing of models.
package similarity
