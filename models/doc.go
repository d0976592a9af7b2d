// Package models is the contract between detectors and everything else: what a detector promises
// ([Detector]), how its hyper-parameters are declared, decoded and checked ([Spec], [Decode]), what a
// runner must know before it builds one ([Info], [Needs]), the checks of what it is given
// ([CheckVectors], [CheckTraces]) and the file format of what it learned ([WriteState], [ReadState]).
//
// There is no algorithm here. The families are in the folders below (classic, neural, automata,
// supervised), each model in a file of its own that registers itself; models/all imports them all, and
// models/modeltest holds the conformance suite that every one of them passes.
package models
