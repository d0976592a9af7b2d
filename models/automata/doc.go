// Package automata holds detectors that learn how events follow each other.
//
// On symbols there are sequent (state frequencies over a stream), pdfa (log-likelihood), markov and ngram (symbols that
// follow each other, without a learnt structure). On events of several numbers, msm puts a one-class model into each
// state of a machine with guards, and judges traces. entity_msm, entity_symbols and entity_means judge all traces of a
// key together, such as those of a host.
//
// Machines and their learners are in models/automata/machine, FlexFringe's files in models/automata/flexfringe. Turning
// flows into symbols and windows is the work of data/prep; thresholds are those of eval.
package automata
