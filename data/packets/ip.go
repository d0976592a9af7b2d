package packets

import (
	"encoding/binary"
)

// ip decodes an IP packet of the version that its first half byte says.
func (d *Decoder) ip(b []byte, wire int, out []Packet, depth int) []Packet {
	if len(b) == 0 {
		return d.malformed(out)
	}
	if depth++; depth > maxDepth {
		return d.malformed(out)
	}
	if out[len(out)-1].Depth == 0 {
		d.twice(b)
	}
	switch b[0] >> 4 {
	case 4:
		return d.ipv4(b, wire, out, depth)
	case 6:
		return d.ipv6(b, wire, out, depth)
	}
	return d.malformed(out)
}

// ipv4 decodes RFC 791.
func (d *Decoder) ipv4(b []byte, wire int, out []Packet, depth int) []Packet {
	const least = 20
	if len(b) < least {
		return d.malformed(out)
	}
	p := &out[len(out)-1]
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	unstated := total == 0
	if unstated {
		total = wire
	}
	if header < least || header > len(b) || header > total {
		return d.malformed(out)
	}
	if total > wire {
		p.Faults |= ShortLength
	}
	if unstated {
		p.Faults |= NoLength
	}
	p.Version, p.EtherType = 4, typeIPv4
	p.TOS, p.TTL, p.Proto = b[1], b[8], b[9]
	p.ID = uint32(binary.BigEndian.Uint16(b[4:]))
	flags := binary.BigEndian.Uint16(b[6:])
	p.DontFragment, p.MoreFragments = flags&0x4000 != 0, flags&0x2000 != 0
	p.FragmentOffset = flags << 3
	p.Src, p.Dst = addr4(b[12:]), addr4(b[16:])
	p.IPLen, p.IPHeader, p.TransportLen = uint32(total), uint16(header), uint32(total-header)
	if d.Checksums && (unstated || fold(sum(b[:header], 0)) != 0xffff) {
		p.Faults |= BadIPChecksum
		d.Counts.BadIPChecksums++
	}
	return d.datagram(b[header:min(total, len(b))], wire-header, out, depth)
}

// ipv6 decodes RFC 8200.
func (d *Decoder) ipv6(b []byte, wire int, out []Packet, depth int) []Packet {
	const fixed = 40
	if len(b) < fixed {
		return d.malformed(out)
	}
	p := &out[len(out)-1]
	first := binary.BigEndian.Uint32(b)
	total := int(binary.BigEndian.Uint16(b[4:])) + fixed
	if total == fixed && b[6] == 0 {
		total = max(wire, fixed) // a jumbogram (RFC 2675)
	}
	if total > wire {
		p.Faults |= ShortLength
	}
	p.Version, p.EtherType = 6, typeIPv6
	p.TOS, p.FlowLabel, p.TTL = uint8(first>>20), first&0xfffff, b[7]
	p.Src, p.Dst = Addr(b[8:24]), Addr(b[24:40])
	p.ID, p.FragmentOffset, p.MoreFragments, p.DontFragment = 0, 0, false, false
	p.IPLen = uint32(total)
	b = b[:min(total, len(b))]
	next, at, ok := p.extensions(b, b[6], fixed, d.Options.Fragments == ReassembleFragments)
	if !ok {
		return d.malformed(out)
	}
	p.Proto, p.IPHeader, p.TransportLen = next, uint16(at), uint32(total-at)
	return d.datagram(b[at:], wire-at, out, depth)
}

// extensions passes over the extension headers of IPv6 (RFC 8200, 4) from at on, the first of which is next, and gives
// what comes after them. Those after the header of a fragment are within the datagram: of its first fragment, or, where
// whole is set, of the whole one, which is when they are passed over. False: they end early.
func (p *Packet) extensions(b []byte, next uint8, at int, whole bool) (uint8, int, bool) {
	for range 16 {
		var length int
		switch {
		case next == 44 && len(b) >= at+8: // fragment
			field := binary.BigEndian.Uint16(b[at+2:])
			p.FragmentOffset, p.MoreFragments = field&^7, field&1 != 0
			p.ID = binary.BigEndian.Uint32(b[at+4:])
			length = 8
		case (next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140) && len(b) >= at+2:
			length = int(b[at+1])*8 + 8
		case next == AH && len(b) >= at+2:
			length = int(b[at+1])*4 + 8
		}
		if length == 0 {
			break
		}
		if at+length > len(b) {
			return 0, 0, false
		}
		next = b[at]
		at += length
		if p.FragmentOffset > 0 || whole && p.MoreFragments {
			break
		}
	}
	return next, at, true
}

// rest passes over the extension headers that b, a datagram of fragments or its first one, begins with, and gives what
// is after them; false: they end early, or cannot be there.
func (p *Packet) rest(b []byte) ([]byte, bool) {
	if p.Version != 6 {
		return b, true
	}
	more := p.MoreFragments
	p.MoreFragments = false
	next, at, ok := p.extensions(b, p.Proto, 0, true)
	if !ok || p.Fragment() || int(p.IPHeader)+at > 0xffff || uint32(at) > p.TransportLen {
		return nil, false
	}
	p.MoreFragments = more
	p.Proto, p.IPHeader, p.TransportLen = next, p.IPHeader+uint16(at), p.TransportLen-uint32(at)
	return b[at:], true
}

// datagram decodes what an IP header has after it: a fragment or a transport.
func (d *Decoder) datagram(b []byte, wire int, out []Packet, depth int) []Packet {
	p := &out[len(out)-1]
	if !p.Fragment() {
		return d.transport(b, wire, out, depth)
	}
	d.Counts.Fragments++
	if d.Options.Fragments == FollowFragments {
		return d.follow(b, wire, out, depth)
	}
	if uint32(len(b)) < p.TransportLen {
		if p.FragmentOffset == 0 {
			if b, ok := p.rest(b); ok {
				return d.transport(b, wire, out, depth) // the headers are there, and no whole can be
			}
			return d.malformed(out)
		}
		d.Counts.LostFragments++
		return drop(out)
	}
	if p.Faults&BadIPChecksum != 0 {
		d.Counts.LostFragments++
		return drop(out)
	}
	whole := d.reassemble(p, b)
	if whole == nil {
		return drop(out)
	}
	whole, ok := p.rest(whole)
	if !ok {
		return d.malformed(out)
	}
	return d.transport(whole, len(whole), out, depth)
}
