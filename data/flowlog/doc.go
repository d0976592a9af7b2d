// Package flowlog reads the flows that network monitors write: Zeek's logs as text and JSON, Suricata's eve.json, and
// nfdump's files and printed text. Each format is a struct of settings with the methods that data/source asks of a
// format: Schema, Check and Read.
//
// The binary layout of nfcapd files is in data/nfcapd.
package flowlog
