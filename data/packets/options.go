package packets

// Fragments is what becomes of the fragments of a datagram.
type Fragments uint8

const (
	// ReassembleFragments puts the fragments of a datagram together: one packet, with the last of them, whose IPLen is
	// that of the whole. Datagrams that are never whole are counted and give no packet. So does Zeek.
	ReassembleFragments Fragments = iota
	// FollowFragments gives one packet for each fragment, with the ports of the first one where it came before. So do
	// Argus and nfpcapd.
	FollowFragments
)

// Options say how frames are decoded.
type Options struct {
	Fragments Fragments
	// Tunnels opens GRE, ERSPAN, VXLAN, GENEVE and IP within IP. The packet within is given; of tunnels that are UDP
	// datagrams (VXLAN, GENEVE) the outer packet too, before it.
	Tunnels bool
	// Checksums looks at the checksums of IPv4, TCP, UDP, ICMP and ICMPv6 and sets the faults.
	Checksums bool
	// NonIP gives packets of ARP too, with Version 0.
	NonIP bool
}

// Counts are what a decoder met.
type Counts struct {
	Frames            uint64 // of the captures
	Packets           uint64 // given
	Bytes             uint64 // of the frames on the wire
	NotIP             uint64 // frames of other protocols
	UnknownLink       uint64 // frames of link types that are not known
	Malformed         uint64 // frames whose headers end early or cannot be
	Truncated         uint64 // frames of which not all was captured
	BadIPChecksums    uint64
	BadChecksums      uint64
	Fragments         uint64 // seen
	Reassembled       uint64 // datagrams that were put together
	LostFragments     uint64 // fragments of datagrams that never were whole
	Backwards         uint64 // frames that are older than one before them
	Jumps             uint64 // frames more than an hour older than the time of the stream, or a day newer ([Clock])
	Duplicates        uint64 // packets that are like one just before in every byte that was looked at
	OverlongFragments uint64 // fragments beyond 65,535 bytes or over each other with other lengths
}
