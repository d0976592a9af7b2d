// Package experiment turns an experiment file into what is to be done ([Load], [Experiment]): it finds the configs that
// the file names, merges and checks everything, reports all problems at once, and lays out the cells (data set × model
// ×
// seed × fold). It reads no data; runs carries the experiment out.
package experiment
