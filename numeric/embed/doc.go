// Package embed puts rows into the plane, for pictures: principal components, and t-SNE. It knows no labels and scores
// nothing.
package embed
