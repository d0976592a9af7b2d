// Package machine learns state machines by red-blue state merging ([Learn], [Machine]) and replays traces on them
// ([Replayer]), with evidence by Alergia, likelihood ratio, AIC, KL divergence or labels (EDSM); with compat v26 or v23
// FlexFringe is followed step by step. Machines over events of several numbers have guards.
// [Perplexity] judges probabilities by true ones.
//
// Detectors are in models/automata, file formats in models/automata/flexfringe.
package machine
