package packets

import (
	"encoding/binary"
)

// UDP ports of tunnels (IANA).
const (
	portVXLAN  = 4789
	portGENEVE = 6081
)

// transport decodes what is after the IP headers. b is what of it was captured.
func (d *Decoder) transport(b []byte, wire int, out []Packet, depth int) []Packet {
	p := &out[len(out)-1]
	switch p.Proto {
	case TCP:
		d.tcp(b, p)
	case UDP:
		if d.udp(b, p) && d.Tunnels && (p.DstPort == portVXLAN || p.DstPort == portGENEVE) {
			return d.udpTunnel(out, depth)
		}
	case ICMP, ICMPv6:
		d.icmp(b, p)
	case SCTP: // RFC 9260
		if len(b) < 12 {
			p.noTransport(b)
			break
		}
		p.SrcPort, p.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		p.after(b, 12)
	case IPv4, IPv6:
		if d.Tunnels {
			return d.within(TunnelIP, b, wire, out, depth, d.ip)
		}
		p.after(b, 0)
	case GRE:
		if d.Tunnels {
			return d.gre(b, wire, out, depth)
		}
		p.after(b, 0)
	default:
		p.after(b, 0)
	}
	return out
}

// noTransport says that the header of the transport is not there.
func (p *Packet) noTransport(b []byte) {
	p.Faults |= NoTransport
	p.after(b, 0)
}

// after is the payload after a header of that many bytes.
func (p *Packet) after(b []byte, header int) {
	p.TransportHeader = uint16(header)
	p.PayloadLen = p.TransportLen - min(p.TransportLen, uint32(header))
	p.Payload = b[header:]
}

// tcp decodes RFC 9293, 3.1.
func (d *Decoder) tcp(b []byte, p *Packet) {
	const least = 20
	if len(b) < least {
		p.noTransport(b)
		return
	}
	header := int(b[12]>>4) * 4
	if header < least || header > len(b) || uint32(header) > p.TransportLen {
		p.SrcPort, p.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		p.noTransport(b)
		return
	}
	p.SrcPort, p.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	p.Seq, p.Ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	p.Flags, p.Window = TCPFlags(b[13]), binary.BigEndian.Uint16(b[14:])
	p.Urgent = binary.BigEndian.Uint16(b[18:])
	p.after(b, header)
	d.checksum(b, p)
	if header > least {
		p.options(b[least:header])
	}
}

// options reads the options of a TCP header (RFC 9293, 3.1; RFC 7323; RFC 2018).
func (p *Packet) options(o []byte) {
	for len(o) > 0 {
		kind := o[0]
		if kind == 0 {
			return
		}
		if kind == 1 {
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			return
		}
		v := o[2:o[1]]
		switch {
		case kind == 2 && len(v) == 2:
			p.MSS = binary.BigEndian.Uint16(v)
		case kind == 3 && len(v) == 1:
			p.WindowScale = int8(min(v[0], 14)) // RFC 7323, 2.3
		case kind == 4:
			p.SACK = true
		case kind == 8 && len(v) == 8:
			p.Timestamps, p.TSValue, p.TSEcho = true, binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])
		}
		o = o[o[1]:]
	}
}

// udp decodes RFC 768 and says whether the header is whole.
func (d *Decoder) udp(b []byte, p *Packet) bool {
	const header = 8
	if len(b) < header {
		p.noTransport(b)
		return false
	}
	p.SrcPort, p.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	p.UDPLength = binary.BigEndian.Uint16(b[4:])
	p.after(b, header)
	if n := uint32(p.UDPLength); n >= header && n-header < p.PayloadLen {
		p.PayloadLen = n - header
		p.Payload = p.Payload[:min(uint32(len(p.Payload)), p.PayloadLen)]
	}
	if sent := b[6]|b[7] != 0; sent || p.Version == 6 {
		d.checksum(b, p)
	}
	return true
}

// icmp decodes RFC 792 and RFC 4443.
func (d *Decoder) icmp(b []byte, p *Packet) {
	const header = 8
	if len(b) < header {
		if len(b) >= 2 {
			p.ICMPType, p.ICMPCode = b[0], b[1]
		}
		p.noTransport(b)
		return
	}
	p.ICMPType, p.ICMPCode = b[0], b[1]
	switch {
	case p.Proto == ICMPv6 && (p.ICMPType == 128 || p.ICMPType == 129),
		p.Proto == ICMP && (p.ICMPType == 0 || p.ICMPType == 8 || p.ICMPType >= 13 && p.ICMPType <= 18):
		p.ICMPID, p.ICMPSeq = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	}
	p.after(b, header)
	d.checksum(b, p)
}

// checksum looks at the checksum of a transport whose b was captured whole.
func (d *Decoder) checksum(b []byte, p *Packet) {
	if !d.Checksums || uint32(len(b)) < p.TransportLen || p.Fragment() && p.Fragments == 0 {
		return
	}
	s := uint64(0)
	if p.Proto != ICMP { // the pseudo header
		s = sum(p.Src[:], sum(p.Dst[:], 0))
		if p.Version == 4 { // without ::ffff of both
			s = sum(p.Src[12:], sum(p.Dst[12:], 0))
		}
		var rest [8]byte
		binary.BigEndian.PutUint32(rest[:], p.TransportLen)
		rest[7] = p.Proto
		s = sum(rest[:], s)
	}
	if fold(sum(b[:p.TransportLen], s)) != 0xffff {
		p.Faults |= BadChecksum
		d.Counts.BadChecksums++
	}
}
