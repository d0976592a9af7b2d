// Package netflow reads the packets in which exporters send flows: NetFlow v5, v9 and IPFIX, by goflow2's decoders,
// into the flows of package data/nfcapd, which data/flowlog makes a table of. It keeps templates and sampling rates by
// exporter, in bounded memory, and counts what it cannot use. Receiving packets is in runs/watch.
package netflow
