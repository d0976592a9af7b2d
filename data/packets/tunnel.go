package packets

import (
	"encoding/binary"
)

type layer func(b []byte, wire int, out []Packet, depth int) []Packet

// within decodes what a tunnel carries in place of the tunnel's own packet. Addresses and VLAN are those within.
func (d *Decoder) within(t Tunnel, b []byte, wire int, out []Packet, depth int, inner layer) []Packet {
	if depth++; depth > maxDepth {
		return d.malformed(out)
	}
	p := &out[len(out)-1]
	*p = Packet{Time: p.Time, Number: p.Number, WireLen: p.WireLen, CapLen: p.CapLen, WindowScale: -1, Tunnel: t,
		Depth: p.Depth + 1, Faults: p.Faults & Truncated}
	return inner(b, wire, out, depth)
}

// gre opens RFC 2784 and RFC 2890, version 1 of it (RFC 2637), and ERSPAN of types I to III within it
// (draft-foschiano-erspan).
func (d *Decoder) gre(b []byte, wire int, out []Packet, depth int) []Packet {
	if len(b) < 4 {
		return d.malformed(out)
	}
	flags, protocol := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	header := 4
	if flags&0xc000 != 0 { // checksum or routing: both fields are there
		header += 4
	}
	if flags&0x2000 != 0 { // key
		header += 4
	}
	sequence := flags&0x1000 != 0
	if sequence {
		header += 4
	}
	if flags&7 == 1 && flags&0x80 != 0 { // acknowledgement
		header += 4
	}
	if header > len(b) {
		return d.malformed(out)
	}
	b, wire = b[header:], wire-header
	switch protocol {
	case typeIPv4, typeIPv6:
		return d.within(TunnelGRE, b, wire, out, depth, d.ip)
	case typeTrans:
		return d.within(TunnelGRE, b, wire, out, depth, d.ethernet)
	case typeMPLS, typeMPLSMulti:
		return d.within(TunnelGRE, b, wire, out, depth, d.mpls)
	case typePPP:
		if len(b) == 0 {
			return d.notIP(out) // an acknowledgement alone
		}
		if len(b) >= 2 && b[0] == 0xff && b[1] == 3 {
			b, wire = b[2:], wire-2
		}
		return d.within(TunnelGRE, b, wire, out, depth, d.ppp)
	case typeERSPAN2:
		if sequence {
			header = 8
		} else {
			header = 0
		}
	case typeERSPAN3:
		header = 12
		if len(b) >= 12 && b[11]&1 != 0 {
			header += 8
		}
	default:
		return d.notIP(out)
	}
	if header > len(b) {
		return d.malformed(out)
	}
	return d.within(TunnelERSPAN, b[header:], wire-header, out, depth, d.ethernet)
}

// udpTunnel keeps the packet of a VXLAN (RFC 7348) or GENEVE (RFC 8926) tunnel and opens what it carries. What is none
// stays a datagram.
func (d *Decoder) udpTunnel(out []Packet, depth int) []Packet {
	outer := &out[len(out)-1]
	b := outer.Payload
	wire := int(outer.PayloadLen)
	if len(b) < 8 {
		return out
	}
	header, kind, inner := 8, TunnelVXLAN, layer(d.ethernet)
	if outer.DstPort == portGENEVE {
		kind = TunnelGENEVE
		header += int(b[0]&0x3f) * 4
		if b[0]>>6 != 0 {
			return out
		}
		switch binary.BigEndian.Uint16(b[2:]) {
		case typeTrans:
		case typeIPv4, typeIPv6:
			inner = d.ip
		default:
			return out
		}
	} else if b[0]&0x08 == 0 {
		return out
	}
	if header >= len(b) || depth >= maxDepth {
		return out
	}
	out = append(out, Packet{Time: outer.Time, Number: outer.Number, WireLen: outer.WireLen, CapLen: outer.CapLen,
		WindowScale: -1, Depth: outer.Depth, Faults: outer.Faults})
	return d.within(kind, b[header:], wire-header, out, depth, inner)
}
