package packets

import (
	"encoding/binary"
	"slices"
)

// Bounds of what is kept of fragments: datagrams, their bytes together, and how long one is waited for (RFC 1122,
// 3.3.2 asks for 60 to 120 seconds).
const (
	maxDatagrams     = 4096
	maxFragmentBytes = 64 << 20
	fragmentTime     = int64(60e9)
	maxDatagram      = 65535
	maxPieces        = 1024
)

type fragmentKey struct {
	src, dst Addr
	id       uint32
	proto    uint8
	version  uint8
	vlan     uint16
}

// fragments are the datagrams whose fragments are awaited, oldest first.
type fragments struct {
	open  map[fragmentKey]*datagram
	order []*datagram // oldest first; those that are done have done set
	head  int
	bytes int
}

// datagram is what is there of one.
type datagram struct {
	key      fragmentKey
	time     int64 // of its first fragment to come
	done     bool
	pieces   uint16
	have     []span // in order, apart from each other
	data     []byte
	total    int // bytes in all, -1 until the last fragment came
	ports    bool
	src, dst uint16
}

// span is bytes from up to, not with, to.
type span struct{ from, to int }

func keyOf(p *Packet) fragmentKey {
	return fragmentKey{p.Src, p.Dst, p.ID, p.Proto, p.Version, p.VLAN}
}

// find is the datagram of a fragment, a new one where none is open.
func (d *Decoder) find(p *Packet) *datagram {
	f := &d.fragments
	if f.open == nil {
		f.open = map[fragmentKey]*datagram{}
	}
	for f.head < len(f.order) {
		if g := f.order[f.head]; !g.done {
			age := d.clock.Now - g.time // less than 0 where the clock jumped back
			if max(age, -age) <= fragmentTime && len(f.open) < maxDatagrams && f.bytes < maxFragmentBytes {
				break
			}
			d.Counts.LostFragments += uint64(g.pieces)
			f.close(g)
		}
		f.order[f.head] = nil
		f.head++
	}
	if len(f.order) > 4*maxDatagrams { // most of them done, after one that is awaited
		f.order = slices.DeleteFunc(f.order[f.head:], func(g *datagram) bool { return g.done })
		f.head = 0
	}
	key := keyOf(p)
	g := f.open[key]
	if g == nil {
		g = &datagram{key: key, time: d.clock.Now, total: -1}
		f.open[key] = g
		f.order = append(f.order, g)
	}
	return g
}

func (f *fragments) close(g *datagram) {
	g.done = true
	f.bytes -= len(g.data)
	g.data, g.have = nil, nil
	delete(f.open, g.key)
}

// reassemble takes a fragment and gives the datagram when it is whole. p becomes the packet of the whole then. Where
// fragments overlap, the bytes that came first stay.
func (d *Decoder) reassemble(p *Packet, b []byte) []byte {
	from := int(p.FragmentOffset)
	to := from + int(p.TransportLen)
	b = b[:p.TransportLen]
	if to > maxDatagram || p.MoreFragments && len(b)%8 != 0 {
		d.Counts.OverlongFragments++
		d.Counts.LostFragments++
		return nil
	}
	g := d.find(p)
	if g.pieces++; g.pieces > maxPieces {
		d.Counts.LostFragments += uint64(g.pieces)
		d.fragments.close(g)
		return nil
	}
	if !p.MoreFragments {
		if g.total >= 0 && g.total != to {
			d.Counts.OverlongFragments++
		} else {
			g.total = to
		}
	}
	if len(g.data) < to {
		d.fragments.bytes += to - len(g.data)
		g.data = append(g.data, make([]byte, to-len(g.data))...)
	}
	at := from
	var have []span
	merged := span{from, to}
	for _, s := range g.have {
		if s.to < from || s.from > to {
			have = append(have, s)
			continue
		}
		if at < s.from {
			copy(g.data[at:s.from], b[at-from:])
		}
		at = max(at, s.to)
		merged = span{min(merged.from, s.from), max(merged.to, s.to)}
	}
	if at < to {
		copy(g.data[at:to], b[at-from:])
	}
	g.have = append(have, merged)
	slices.SortFunc(g.have, func(a, b span) int { return a.from - b.from })
	if g.total < 0 || g.have[0].from != 0 || g.have[0].to < g.total {
		return nil
	}
	whole := g.data[:g.total]
	p.Fragments, p.MoreFragments, p.FragmentOffset = g.pieces, false, 0
	p.TransportLen = uint32(len(whole))
	p.IPLen = uint32(p.IPHeader) + p.TransportLen
	d.fragments.close(g)
	d.Counts.Reassembled++
	return whole
}

// follow decodes a fragment as a packet of its own, with the ports of the first one where that came before.
func (d *Decoder) follow(b []byte, wire int, out []Packet, depth int) []Packet {
	p := &out[len(out)-1]
	if p.Proto != TCP && p.Proto != UDP && p.Proto != SCTP {
		if p.FragmentOffset == 0 {
			return d.transport(b, wire, out, depth)
		}
		p.noTransport(b)
		return out
	}
	g := d.find(p)
	if p.FragmentOffset == 0 {
		if len(b) >= 4 {
			g.ports, g.src, g.dst = true, binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		}
		return d.transport(b, wire, out, depth)
	}
	p.after(b, 0)
	if g.ports {
		p.SrcPort, p.DstPort = g.src, g.dst
	} else {
		p.Faults |= NoTransport
	}
	return out
}

// Finish says that no more frames come: fragments that still wait are lost.
func (d *Decoder) Finish() {
	if d.Options.Fragments == ReassembleFragments {
		for _, g := range d.fragments.open {
			d.Counts.LostFragments += uint64(g.pieces)
		}
	}
	d.fragments = fragments{}
}
