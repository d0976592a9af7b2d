// Package packets reads packet captures: pcap and pcapng files as one stream of frames ([Reader]), and the headers of
// frames as [Packet]s ([Decoder]): Ethernet, VLAN, QinQ, MPLS, PPPoE, Linux cooked, raw IP, BSD loopback, Cisco
// FabricPath; GRE, ERSPAN, VXLAN, GENEVE and IP within IP, opened or not; IPv4, IPv6 with its extension headers, and
// fragments, put together or followed; TCP, UDP, ICMP, SCTP and transports that it does not know.
//
// Headers are decoded here, by offsets from the standards named at each function, into one flat struct. No packet
// reaches the heap: payload is a slice of what was read. On 200,000 frames of the captures that docs/performance.md
// times, a frame took 69 ns of processor time this way, 146 ns with gopacket 1.7.7's DecodingLayerParser for Ethernet,
// IP, TCP, UDP, ICMP and ARP, and some 2,100 ns with its packets (BenchmarkDecode; medians of three runs in turn).
// Connections are data/flows.
package packets
