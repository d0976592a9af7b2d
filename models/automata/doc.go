// Package automata holds detectors that learn how events follow each other: state machines inferred by
// red-blue state merging ([Learn], [Machine]), and what is built on them.
//
// The learner takes symbolic words (data.Words). FlexFringe's models can be read and written
// ([ReadJSON], [Machine.WriteJSON]), and with compat v26 or v23 it is followed step by step. Detectors are
// sequent (state frequencies over a stream), pdfa (log-likelihood), and markov and ngram (symbols behind each other,
// without a learnt structure). [Choose] picks settings by held-out traces; [Perplexity] judges probabilities by true ones.
//
// Machines over events of several numbers have boxes for guards ([LearnBoxes], [BoxMachine]); msm puts a one-class
// model into each of their states, and judges traces. entity_msm, entity_symbols and entity_means judge all traces of a
// key together, such as those of a host.
//
// Turning flows into symbols and windows is data/prep's work; thresholds are eval's.
package automata
