// Package workload makes the rows that speed is measured on: flow records in the manner of CSE-CIC-IDS2018, 76 columns
// with log-normal and Pareto tails, many zeros, constant and duplicate columns.
//
// Numbers come from a counter (the finaliser of SplitMix64) and not from a stream of random numbers, so that programs
// in other languages make the same table. Traffic that detectors are tried on, with hosts and times, is package synth.
package workload
