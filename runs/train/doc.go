// Package train makes a model file from traffic of one's own without an experiment file: [Train] writes the experiment
// of one cell, carries it out as runs does, and packs the cell; [Retrain] does so with the settings of a model file on
// newer files, and says what moved. Nothing is fitted here that runs does not fit.
package train
