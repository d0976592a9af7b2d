// Package netflowtest makes packets of NetFlow v5, v9 and IPFIX out of flows, for tests of who receives them.
package netflowtest

import (
	"encoding/binary"
	"net/netip"

	"plumbline/data/nfcapd"
)

var be = binary.BigEndian

// Field is an element of a template of the tests: its number, its length, and where a flow has it. Times are given by
// the packet.
type Field struct {
	kind, length uint16
	value        func(f *nfcapd.Flow) uint64
	address      func(f *nfcapd.Flow) netip.Addr
}

// Fields are those of flows over IPv4 or IPv6, with the times of NetFlow v9 (21, 22) or IPFIX (152, 153).
func Fields(version uint16, v6 bool) []Field {
	src, dst, hop, length := uint16(8), uint16(12), uint16(15), uint16(4)
	if v6 {
		src, dst, hop, length = 27, 28, 62, 16
	}
	first, last, times := uint16(22), uint16(21), uint16(4)
	if version == 10 {
		first, last, times = 152, 153, 8
	}
	return []Field{
		{kind: src, length: length, address: func(f *nfcapd.Flow) netip.Addr { return f.Src }},
		{kind: dst, length: length, address: func(f *nfcapd.Flow) netip.Addr { return f.Dst }},
		{kind: hop, length: length, address: func(f *nfcapd.Flow) netip.Addr { return f.NextHop }},
		{kind: first, length: times, value: func(f *nfcapd.Flow) uint64 { return uint64(f.First) }},
		{kind: last, length: times, value: func(f *nfcapd.Flow) uint64 { return uint64(f.Last) }},
		{kind: 7, length: 2, value: func(f *nfcapd.Flow) uint64 { return uint64(f.SrcPort) }},
		{kind: 11, length: 2, value: func(f *nfcapd.Flow) uint64 { return uint64(f.DstPort) }},
		{kind: 4, length: 1, value: func(f *nfcapd.Flow) uint64 { return uint64(f.Proto) }},
		{kind: 6, length: 1, value: func(f *nfcapd.Flow) uint64 { return uint64(f.Flags) }},
		{kind: 5, length: 1, value: func(f *nfcapd.Flow) uint64 { return uint64(f.Tos) }},
		{kind: 2, length: 8, value: func(f *nfcapd.Flow) uint64 { return f.Packets }},
		{kind: 1, length: 8, value: func(f *nfcapd.Flow) uint64 { return f.Bytes }},
		{kind: 24, length: 4, value: func(f *nfcapd.Flow) uint64 { return f.OutPackets }},
		{kind: 23, length: 4, value: func(f *nfcapd.Flow) uint64 { return f.OutBytes }},
		{kind: 10, length: 4, value: func(f *nfcapd.Flow) uint64 { return uint64(f.Input) }},
		{kind: 14, length: 4, value: func(f *nfcapd.Flow) uint64 { return uint64(f.Output) }},
		{kind: 16, length: 4, value: func(f *nfcapd.Flow) uint64 { return uint64(f.SrcAS) }},
		{kind: 17, length: 4, value: func(f *nfcapd.Flow) uint64 { return uint64(f.DstAS) }},
		{kind: 58, length: 2, value: func(f *nfcapd.Flow) uint64 { return uint64(f.SrcVLAN) }},
		{kind: 61, length: 1, value: func(f *nfcapd.Flow) uint64 { return uint64(f.Direction) }},
	}
}

// put appends a number of some bytes.
func put(to []byte, v uint64, length uint16) []byte {
	return append(to, be.AppendUint64(nil, v)[8-length:]...)
}

// record appends a flow. base is what times are counted from.
func record(to []byte, list []Field, f *nfcapd.Flow, base int64) []byte {
	for _, x := range list {
		switch {
		case x.address == nil && (x.kind == 21 || x.kind == 22):
			to = put(to, x.value(f)-uint64(base), x.length)
		case x.address == nil:
			to = put(to, x.value(f), x.length)
		default:
			a := x.address(f)
			if !a.IsValid() {
				to = append(to, make([]byte, x.length)...)
				continue
			}
			to = append(to, a.AsSlice()...)
		}
	}
	return to
}

// Set is a set of an ID, filled up to four bytes.
func Set(id uint16, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	out := be.AppendUint16(be.AppendUint16(nil, id), uint16(len(body)+4))
	return append(out, body...)
}

// Template is the set of one template.
func Template(version, id uint16, list []Field) []byte {
	body := be.AppendUint16(be.AppendUint16(nil, id), uint16(len(list)))
	for _, x := range list {
		body = be.AppendUint16(be.AppendUint16(body, x.kind), x.length)
	}
	return Set(map[uint16]uint16{9: 0, 10: 2}[version], body)
}

// Message is a packet of NetFlow v9 or IPFIX, exported at a time in seconds by an exporter that has run for uptime
// milliseconds.
func Message(version uint16, seconds, uptime, sequence uint32, sets ...[]byte) []byte {
	var body []byte
	for _, s := range sets {
		body = append(body, s...)
	}
	out := be.AppendUint16(nil, version)
	if version == 9 {
		out = be.AppendUint16(out, uint16(len(sets)))
		out = be.AppendUint32(be.AppendUint32(out, uptime), seconds)
		out = be.AppendUint32(be.AppendUint32(out, sequence), 7)
	} else {
		out = be.AppendUint16(out, uint16(16+len(body)))
		out = be.AppendUint32(be.AppendUint32(be.AppendUint32(out, seconds), sequence), 7)
	}
	return append(out, body...)
}

// Packets are flows in packets of a version, the templates in the first.
func Packets(version uint16, flows []nfcapd.Flow) (out [][]byte) {
	var first, last int64
	for i := range flows {
		if i == 0 || flows[i].First < first {
			first = flows[i].First
		}
		last = max(last, flows[i].Last)
	}
	seconds := uint32(last/1000 + 1)
	base := first - 1000 // when the exporter began
	uptime := uint32(int64(seconds)*1000 - base)
	v4, v6 := Fields(version, false), Fields(version, true)
	out = append(out, Message(version, seconds, uptime, 0, Template(version, 300, v4), Template(version, 301, v6)))
	sequence := uint32(1)
	if version == 10 {
		sequence = 0
	}
	for from := 0; from < len(flows); {
		list, id, body := v4, uint16(300), []byte(nil)
		is6 := flows[from].Src.Is6()
		if is6 {
			list, id = v6, 301
		}
		n := 0
		for ; from < len(flows) && flows[from].Src.Is6() == is6 && n < 16; n++ {
			body = record(body, list, &flows[from], base)
			from++
		}
		out = append(out, Message(version, seconds, uptime, sequence, Set(id, body)))
		if sequence++; version == 10 {
			sequence += uint32(n) - 1
		}
	}
	return out
}

// Packets5 are flows over IPv4 in packets of NetFlow v5.
func Packets5(flows []nfcapd.Flow) (out [][]byte) {
	base := flows[0].First
	for i := range flows {
		base = min(base, flows[i].First)
	}
	for from := 0; from < len(flows); from += 30 {
		to := min(from+30, len(flows))
		p := be.AppendUint16(be.AppendUint16(nil, 5), uint16(to-from))
		p = be.AppendUint32(p, 5_000_000) // uptime, in milliseconds
		at := base + 5_000_000
		p = be.AppendUint32(be.AppendUint32(p, uint32(at/1000)), uint32(at%1000*1_000_000))
		p = be.AppendUint32(p, uint32(from))
		p = append(p, 1, 2, 0, 0)
		for i := from; i < to; i++ {
			f := &flows[i]
			for _, a := range []netip.Addr{f.Src, f.Dst, netip.AddrFrom4([4]byte{})} {
				p = append(p, a.AsSlice()...)
			}
			p = be.AppendUint16(be.AppendUint16(p, uint16(f.Input)), uint16(f.Output))
			p = be.AppendUint32(be.AppendUint32(p, uint32(f.Packets)), uint32(f.Bytes))
			p = be.AppendUint32(be.AppendUint32(p, uint32(f.First-base)), uint32(f.Last-base))
			p = be.AppendUint16(be.AppendUint16(p, f.SrcPort), f.DstPort)
			p = append(p, 0, f.Flags, f.Proto, f.Tos)
			p = be.AppendUint16(be.AppendUint16(p, uint16(f.SrcAS)), uint16(f.DstAS))
			p = append(p, f.SrcMask, f.DstMask, 0, 0)
		}
		out = append(out, p)
	}
	return out
}
