// Package models is the contract between detectors and everything else: what a detector promises
// ([Detector]), how its hyper-parameters are declared, decoded and checked ([Spec], [Decode]), what a
// runner must know before it builds one ([Info], [Needs]), what is the same for every detector ([Fitted]: the
// checks of what it is given, the file of what it learned), and models within models ([Reference]).
//
// There is no algorithm here. The families are in the folders below, each model in a file of its own that
// registers itself; models/all imports them all, and models/modeltest holds the conformance suite that every
// one of them passes.
package models
