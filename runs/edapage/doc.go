// Package edapage writes the description of a data set (data/eda) as one HTML page: sentences first, then a row for
// each feature, what goes together, what lies outside or is missing, time, and tests. It carries aggregates, no rows,
// and its size does not grow with the data.
package edapage
