// Package corpus holds symbolic words ([Corpus], [Words]) and reads them from files that learners of state machines
// use: Abbadingo, PAutomaC and CSV with the header of FlexFringe. How flows become symbols is data/prep's work;
// machines are learnt in models/automata.
package corpus
