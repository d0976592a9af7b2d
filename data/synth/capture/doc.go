// Package capture simulates the packets of a small office network and writes them as a capture file, with a table that
// says when which addresses took part in an attack: names, web, mail, files, databases and remote shells, over TCP with
// losses, repetitions and packets out of order, and scans, floods, password guessing, beacons and slow exfiltration.
//
// The flows of such a network without their packets are in data/synth. What flows a capture has is said in data/flows.
package capture
