package packets

import (
	"encoding/binary"
	"net/netip"
)

// Addr is an IP address; an IPv4 address is its IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2).
type Addr [16]byte

// Netip is the address as package net/netip has it, of IPv4 in four bytes.
func (a Addr) Netip() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// Is4 says whether the address is one of IPv4.
func (a *Addr) Is4() bool {
	return binary.LittleEndian.Uint64(a[:8]) == 0 && binary.LittleEndian.Uint32(a[8:12]) == 0xffff0000
}

// AddrFrom is the address of package net/netip.
func AddrFrom(a netip.Addr) Addr { return a.As16() }

func addr4(b []byte) (a Addr) {
	a[10], a[11] = 0xff, 0xff
	copy(a[12:], b[:4])
	return a
}

// Protocol numbers of IP (IANA) that this package knows.
const (
	ICMP   = 1
	IPv4   = 4 // IP within IP
	TCP    = 6
	UDP    = 17
	IPv6   = 41
	GRE    = 47
	ESP    = 50
	AH     = 51
	ICMPv6 = 58
	SCTP   = 132
)

// EtherTypes of packets that are not IP but kept ([Options.NonIP]).
const EtherTypeARP = 0x0806

// TCPFlags are the flags of a TCP header (RFC 9293, 3.1; RFC 3168).
type TCPFlags uint8

const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Faults are what is wrong with a packet.
type Faults uint16

const (
	// BadIPChecksum: the checksum of the IPv4 header is wrong.
	BadIPChecksum Faults = 1 << iota
	// BadChecksum: the checksum of the transport is wrong. It is looked at where all of the datagram was captured.
	BadChecksum
	// Truncated: the capture has less of the packet than was on the wire.
	Truncated
	// ShortLength: the IP header says more bytes than the frame had on the wire.
	ShortLength
	// NoTransport: the header of the transport is not whole in the capture, or its lengths cannot be: ports and flags
	// are 0.
	NoTransport
	// NoLength: the IP header says no length, as before the network card cuts what it sends; IPLen is what was on the
	// wire. Checksums cannot be right either: where they are looked at, the packet has BadIPChecksum.
	NoLength
)

// Tunnel is what a packet was within.
type Tunnel uint8

const (
	NoTunnel Tunnel = iota
	TunnelIP        // IP within IP, 6in4 and the like
	TunnelGRE
	TunnelERSPAN
	TunnelVXLAN
	TunnelGENEVE
)

// Packet is the headers of one packet. What a packet does not have is zero.
type Packet struct {
	Time   int64  // when it was captured, in nanoseconds since 1970
	Number uint64 // of the frame in the stream, from 1; the packets of a frame with tunnels have one number

	Src, Dst         Addr
	SrcPort, DstPort uint16 // of TCP, UDP and SCTP

	Version   uint8  // of IP: 4, 6, or 0 where it is no IP packet
	Proto     uint8  // the transport, after the extension headers of IPv6
	TOS       uint8  // type of service of IPv4, traffic class of IPv6
	TTL       uint8  // hop limit of IPv6
	EtherType uint16 // as of the innermost frame
	FlowLabel uint32 // of IPv6

	WireLen  uint32 // bytes of the frame on the wire
	CapLen   uint32 // bytes of the frame that were captured
	IPLen    uint32 // bytes of the IP packet with all its headers; of fragments that were put together those of the whole
	IPHeader uint16 // bytes of the IP header and of all extension headers

	TransportLen    uint32 // bytes after the IP headers: IPLen - IPHeader
	TransportHeader uint16 // bytes of the transport's header
	PayloadLen      uint32 // bytes after the transport's header, as the headers say
	UDPLength       uint16 // as the header of UDP has it
	Payload         []byte // those of them that were captured; valid as long as the packet

	// DontFragment, MoreFragments, FragmentOffset (in bytes) and ID are of IPv4 or of a fragment header of IPv6. A
	// fragment that was not put together is one packet ([FollowFragments]) with FragmentOffset or MoreFragments set.
	ID             uint32
	FragmentOffset uint16
	DontFragment   bool
	MoreFragments  bool
	Fragments      uint16 // how many fragments the packet was put together from, 0 for a whole one

	Flags       TCPFlags
	Seq, Ack    uint32
	Window      uint16 // as in the header, not scaled
	MSS         uint16 // of the option of a SYN
	WindowScale int8   // of the option of a SYN; -1: none
	SACK        bool   // SACK permitted
	Timestamps  bool   // has the timestamp option
	TSValue     uint32
	TSEcho      uint32
	Urgent      uint16

	ICMPType, ICMPCode uint8  // of ICMP and ICMPv6; of ARP the type is the operation
	ICMPID, ICMPSeq    uint16 // of echo requests and replies, and of queries like them

	SrcMAC, DstMAC  uint64 // in the low 48 bits
	VLAN, InnerVLAN uint16 // 12 bits each; InnerVLAN of QinQ
	MPLS            uint32 // label, class, bottom of stack and TTL of the outermost entry
	Tunnel          Tunnel // what the packet was within, innermost
	Depth           uint8  // how many tunnels
	Faults          Faults
}

// Fragment says whether the packet is one of several of a datagram.
func (p *Packet) Fragment() bool { return p.MoreFragments || p.FragmentOffset > 0 }

// HasPorts says whether the transport has ports and they are known.
func (p *Packet) HasPorts() bool {
	return (p.Proto == TCP || p.Proto == UDP || p.Proto == SCTP) && p.Faults&NoTransport == 0
}
