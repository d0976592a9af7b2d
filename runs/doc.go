// Package runs carries an experiment out ([Run], [Resume]): it prepares each data set once, trains and scores the cells
// (data set × model × seed × fold) on a bounded pool, and writes the run directory, with checkpoints of what is not
// done.
//
// It knows the order of things and no algorithm: files are understood in runs/experiment, data is prepared in
// runs/prepare, the directory's format is runs/record, and views on finished runs are in runs/compare and
// runs/investigate. Nothing is printed here: progress goes to an observer, results to files.
package runs
