// Package runs carries an experiment file out: it decodes and checks the file ([Load]), lays out the cells
// (data set × model × seed), reads, splits and prepares each data set once, trains and scores the cells on
// a bounded pool, and writes the run directory ([Run], [Resume]), with checkpoints of what is not done. [Open]
// reads a run directory back; [Investigate] asks a finished cell's model what its alarms come from.
//
// It knows the order of things and no algorithm: reading is package data, preprocessing data/prep,
// learning the model families, judging eval. Comparison of finished runs is runs/compare. Nothing is
// printed here: progress goes to an observer, results to files.
package runs
