package packets

import (
	"encoding/binary"
)

// Link is the type of a capture's frames, as the registry of link-layer header types of pcap numbers them.
type Link uint16

// Link types that are decoded.
const (
	LinkNull     Link = 0 // BSD loopback: the address family in the byte order of the machine
	LinkEthernet Link = 1
	LinkPPP      Link = 9
	LinkRawOld   Link = 12 // raw IP as some systems write it
	LinkRawBSD   Link = 14
	LinkPPPHDLC  Link = 50
	LinkPPPoE    Link = 51
	LinkRaw      Link = 101
	LinkHDLC     Link = 104
	LinkLoop     Link = 108 // OpenBSD loopback: the address family in network byte order
	LinkSLL      Link = 113 // Linux cooked capture
	LinkIPv4     Link = 228
	LinkIPv6     Link = 229
	LinkSLL2     Link = 276
)

// maxDepth is how many tunnels and link layers are opened within each other.
const maxDepth = 16

// Decoder turns frames into packets. It keeps the fragments of datagrams and the time of the stream.
type Decoder struct {
	Options
	Counts Counts

	clock     Clock
	now       int64 // time of the frame
	fragments fragments
	recent    [recentPackets]recentPacket
}

// NewDecoder is a decoder.
func NewDecoder(o Options) *Decoder { return &Decoder{Options: o} }

// Decode appends the packets of a frame to out: none, one, or more where tunnels are opened. Their payload is valid as
// long as the frame's data.
func (d *Decoder) Decode(f *Frame, out []Packet) []Packet {
	c := &d.Counts
	c.Frames++
	c.Bytes += uint64(f.Wire)
	d.now = f.Time
	older, jumps := d.clock.Set(f.Time)
	if older {
		c.Backwards++
	}
	if jumps {
		c.Jumps++
	}
	before := len(out)
	out = append(out, Packet{Time: f.Time, Number: f.Number, WireLen: f.Wire, CapLen: uint32(len(f.Data)),
		WindowScale: -1})
	wire := int(f.Wire)
	if len(f.Data) < wire {
		c.Truncated++
		out[before].Faults |= Truncated
	} else {
		wire = len(f.Data)
	}
	out = d.link(f.Link, f.Data, wire, out, 0)
	c.Packets += uint64(len(out) - before)
	return out
}

// drop takes the packet back that was being decoded.
func drop(out []Packet) []Packet { return out[:len(out)-1] }

func (d *Decoder) malformed(out []Packet) []Packet {
	d.Counts.Malformed++
	return drop(out)
}

func (d *Decoder) notIP(out []Packet) []Packet {
	d.Counts.NotIP++
	return drop(out)
}

// link decodes a frame of a link type. b is what was captured, of wire bytes.
func (d *Decoder) link(l Link, b []byte, wire int, out []Packet, depth int) []Packet {
	switch l {
	case LinkEthernet:
		return d.ethernet(b, wire, out, depth)
	case LinkNull, LinkLoop:
		if len(b) < 4 {
			return d.malformed(out)
		}
		family := binary.BigEndian.Uint32(b)
		if family > 0xffff {
			family = binary.LittleEndian.Uint32(b)
		}
		switch family {
		case 2, 24, 28, 30, 10: // AF_INET, and AF_INET6 of NetBSD, FreeBSD, macOS and Linux
			return d.ip(b[4:], wire-4, out, depth)
		}
		return d.notIP(out)
	case LinkRaw, LinkRawOld, LinkRawBSD, LinkIPv4, LinkIPv6:
		return d.ip(b, wire, out, depth)
	case LinkSLL:
		if len(b) < 16 {
			return d.malformed(out)
		}
		return d.etherType(binary.BigEndian.Uint16(b[14:]), b[16:], wire-16, out, depth)
	case LinkSLL2:
		if len(b) < 20 {
			return d.malformed(out)
		}
		return d.etherType(binary.BigEndian.Uint16(b), b[20:], wire-20, out, depth)
	case LinkPPP:
		if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
			b, wire = b[2:], wire-2
		}
		return d.ppp(b, wire, out, depth)
	case LinkPPPHDLC, LinkHDLC:
		if len(b) < 4 {
			return d.malformed(out)
		}
		if b[0] == 0xff {
			return d.ppp(b[2:], wire-2, out, depth)
		}
		return d.etherType(binary.BigEndian.Uint16(b[2:]), b[4:], wire-4, out, depth) // Cisco HDLC
	case LinkPPPoE:
		return d.pppoe(b, wire, out, depth)
	}
	d.Counts.UnknownLink++
	return drop(out)
}

func mac(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
}

// ethernet decodes an Ethernet frame (IEEE 802.3).
func (d *Decoder) ethernet(b []byte, wire int, out []Packet, depth int) []Packet {
	const header = 14
	if len(b) < header {
		return d.malformed(out)
	}
	p := &out[len(out)-1]
	p.DstMAC, p.SrcMAC = mac(b), mac(b[6:])
	return d.etherType(binary.BigEndian.Uint16(b[12:]), b[header:], wire-header, out, depth)
}

// EtherTypes (IEEE) and the protocols of GRE among them.
const (
	typeIPv4       = 0x0800
	typeTrans      = 0x6558 // Ethernet within GRE
	typeVLAN       = 0x8100
	typePPP        = 0x880b
	typeMPLS       = 0x8847
	typeMPLSMulti  = 0x8848
	typePPPoE      = 0x8864
	typeIPv6       = 0x86dd
	typeQinQ       = 0x88a8
	typeERSPAN2    = 0x88be // type II, and type I without a sequence number
	typeERSPAN3    = 0x22eb
	typeFabricPath = 0x8903
	typeQinQOld    = 0x9100
	typeQinQOlder  = 0x9200
)

// etherType decodes what an EtherType says that b is.
func (d *Decoder) etherType(t uint16, b []byte, wire int, out []Packet, depth int) []Packet {
	p := &out[len(out)-1]
	for range 8 { // tags of VLANs
		if t != typeVLAN && t != typeQinQ && t != typeQinQOld && t != typeQinQOlder {
			break
		}
		if len(b) < 4 {
			return d.malformed(out)
		}
		if id := binary.BigEndian.Uint16(b) & 0xfff; p.VLAN == 0 {
			p.VLAN = id
		} else {
			p.InnerVLAN = id
		}
		t = binary.BigEndian.Uint16(b[2:])
		b, wire = b[4:], wire-4
	}
	if depth++; depth > maxDepth {
		return d.malformed(out)
	}
	p.EtherType = t
	switch t {
	case typeIPv4, typeIPv6:
		return d.ip(b, wire, out, depth)
	case EtherTypeARP:
		return d.arp(b, out)
	case typeMPLS, typeMPLSMulti:
		return d.mpls(b, wire, out, depth)
	case typePPPoE:
		return d.pppoe(b, wire, out, depth)
	case typeFabricPath:
		if len(b) < 2 { // the tag; an Ethernet frame is next
			return d.malformed(out)
		}
		return d.ethernet(b[2:], wire-2, out, depth)
	}
	const longest = 1500
	if t <= longest && len(b) >= 8 && b[0] == 0xaa && b[1] == 0xaa && b[2] == 3 && b[3]|b[4]|b[5] == 0 { // SNAP, RFC 1042
		if inner := binary.BigEndian.Uint16(b[6:]); inner > longest {
			return d.etherType(inner, b[8:], wire-8, out, depth)
		}
	}
	return d.notIP(out)
}

// mpls passes over the label stack (RFC 3032). What is next is told by its first half byte: IP, or a control word with
// an Ethernet frame (RFC 4385).
func (d *Decoder) mpls(b []byte, wire int, out []Packet, depth int) []Packet {
	p := &out[len(out)-1]
	for len(b) >= 4 {
		entry := binary.BigEndian.Uint32(b)
		if p.MPLS == 0 {
			p.MPLS = entry
		}
		b, wire = b[4:], wire-4
		if entry&0x100 == 0 {
			continue
		}
		if len(b) == 0 {
			break
		}
		switch b[0] >> 4 {
		case 4, 6:
			return d.ip(b, wire, out, depth)
		case 0:
			if len(b) >= 4 {
				return d.ethernet(b[4:], wire-4, out, depth)
			}
		}
		return d.notIP(out)
	}
	return d.malformed(out)
}

// pppoe passes over the header of a session (RFC 2516).
func (d *Decoder) pppoe(b []byte, wire int, out []Packet, depth int) []Packet {
	if len(b) < 6 {
		return d.malformed(out)
	}
	if b[1] != 0 {
		return d.notIP(out) // discovery
	}
	return d.ppp(b[6:], wire-6, out, depth)
}

// ppp passes over the protocol field, which may be one byte (RFC 1661, 6.5).
func (d *Decoder) ppp(b []byte, wire int, out []Packet, depth int) []Packet {
	if len(b) < 2 {
		return d.malformed(out)
	}
	protocol := uint16(b[0])
	if protocol&1 == 1 {
		b, wire = b[1:], wire-1
	} else {
		protocol = binary.BigEndian.Uint16(b)
		b, wire = b[2:], wire-2
	}
	switch protocol {
	case 0x21, 0x57:
		return d.ip(b, wire, out, depth)
	case 0x281:
		return d.mpls(b, wire, out, depth)
	}
	return d.notIP(out)
}

// arp keeps requests and answers of IPv4 over Ethernet (RFC 826), where packets that are not IP are asked for.
func (d *Decoder) arp(b []byte, out []Packet) []Packet {
	d.Counts.NotIP++
	if !d.NonIP || len(b) < 28 || binary.BigEndian.Uint16(b[2:]) != typeIPv4 || b[4] != 6 || b[5] != 4 {
		return drop(out)
	}
	p := &out[len(out)-1]
	p.ICMPType = b[7]
	p.Src, p.Dst = addr4(b[14:]), addr4(b[24:])
	return out
}
