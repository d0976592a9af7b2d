// Package flexfringe reads and writes the files of FlexFringe: machines as JSON and as DOT, and settings as ini files.
// Machines are learnt in models/automata/machine.
package flexfringe
