// Package flows makes flows of packets: one table of connections ([Conn]) for all vocabularies, which write their
// records in the columns of one tool each ([Vocabulary]).
//
// The table finds the connection of each packet, tells who spoke first, counts packets, bytes and flags by direction,
// follows TCP as Zeek does (sequence numbers, states, history, gaps, retransmissions), and ends connections by
// time-outs and by what the vocabulary says. The tables of several goroutines hold the connections of different
// hashes; flows and their order do not depend on how many there are, nor on how captures are cut into files.
//
// To add a vocabulary, write one file: a type with the methods of [Vocabulary], whose exported fields are its settings,
// and an init that calls [Register]. What a record needs of each packet beyond the counts of [Conn] is kept by an
// [Accumulator].
//
// Captures are read by data/packets. Payload is never kept.
package flows
