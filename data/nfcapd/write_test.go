package nfcapd

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// file1 is a file of layout 1: its header, and one block with an extension map and records.
func file1(flags uint32, pack func([]byte) []byte, records ...[]byte) []byte {
	body := bytes.Join(records, nil)
	if pack != nil {
		body = pack(body)
	}
	b := le.AppendUint16(nil, magic)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, flags)
	b = le.AppendUint32(b, 1)
	b = append(b, make([]byte, 128+136)...)
	b = le.AppendUint32(b, uint32(len(records)))
	b = le.AppendUint32(b, uint32(len(body)))
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 0)
	return append(b, body...)
}

// file2 is a file of layout 2 with one block.
func file2(packed compression, pack func([]byte) []byte, records ...[]byte) []byte {
	body := bytes.Join(records, nil)
	if pack != nil {
		body = pack(body)
	}
	b := le.AppendUint16(nil, magic)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint32(b, 0x01070100)
	b = le.AppendUint64(b, 0)
	b = append(b, byte(packed), 0, 0, 0)
	b = append(b, make([]byte, 16)...)
	b = le.AppendUint32(b, 1)
	b = le.AppendUint32(b, uint32(len(records)))
	b = le.AppendUint32(b, uint32(len(body)))
	b = le.AppendUint16(b, 3)
	b = le.AppendUint16(b, 0)
	return append(b, body...)
}

func sized(kind uint16, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	b := le.AppendUint16(nil, kind)
	b = le.AppendUint16(b, uint16(4+len(body)))
	return append(b, body...)
}

func mapRecord(id, size uint16, extensions ...uint16) []byte {
	b := le.AppendUint16(nil, id)
	b = le.AppendUint16(b, size) // of the extensions, in bytes
	for _, e := range extensions {
		b = le.AppendUint16(b, e)
	}
	return sized(2, le.AppendUint16(b, 0))
}

func hostOrder(a netip.Addr) []byte {
	raw := a.AsSlice()
	if a.Is4() {
		return le.AppendUint32(nil, binary.BigEndian.Uint32(raw))
	}
	b := le.AppendUint64(nil, binary.BigEndian.Uint64(raw))
	return le.AppendUint64(b, binary.BigEndian.Uint64(raw[8:]))
}

// commonRecord is a record of type 10 with the counters of 64 bits.
func commonRecord(f Flow, mapID uint16, extensions []byte) []byte {
	flags := uint16(flagPackets64 | flagBytes64)
	if f.Src.Is6() {
		flags |= flagIPv6
	}
	b := le.AppendUint16(nil, flags)
	b = le.AppendUint16(b, mapID)
	b = le.AppendUint16(b, uint16(f.First%1000))
	b = le.AppendUint16(b, uint16(f.Last%1000))
	b = le.AppendUint32(b, uint32(f.First/1000))
	b = le.AppendUint32(b, uint32(f.Last/1000))
	b = append(b, f.Forwarding, f.Flags, f.Proto, f.Tos)
	b = le.AppendUint16(b, f.SrcPort)
	b = le.AppendUint16(b, f.DstPort)
	b = le.AppendUint16(b, f.ExporterID)
	b = le.AppendUint16(b, 0)
	b = append(b, hostOrder(f.Src)...)
	b = append(b, hostOrder(f.Dst)...)
	b = le.AppendUint64(b, f.Packets)
	b = le.AppendUint64(b, f.Bytes)
	return sized(10, append(b, extensions...))
}

func element(id uint16, body []byte) []byte {
	b := le.AppendUint16(nil, id)
	b = le.AppendUint16(b, uint16(4+len(body)))
	return append(b, body...)
}

// record3 is a version 3 record with the elements that every flow has, and others.
func record3(f Flow, others ...[]byte) []byte {
	g := le.AppendUint64(nil, uint64(f.First))
	g = le.AppendUint64(g, uint64(f.Last))
	g = le.AppendUint64(g, uint64(f.Received))
	g = le.AppendUint64(g, f.Packets)
	g = le.AppendUint64(g, f.Bytes)
	g = le.AppendUint16(g, f.SrcPort)
	g = le.AppendUint16(g, f.DstPort)
	g = append(g, f.Proto, f.Flags, f.Forwarding, f.Tos)
	id := uint16(2)
	if f.Src.Is6() {
		id = 3
	}
	all := append([][]byte{element(1, g), element(id, append(hostOrder(f.Src), hostOrder(f.Dst)...))}, others...)
	b := le.AppendUint16(nil, uint16(len(all)))
	b = append(b, f.EngineType, f.EngineID)
	b = le.AppendUint16(b, f.ExporterID)
	b = append(b, 0, 9)
	return sized(11, append(b, bytes.Join(all, nil)...))
}
