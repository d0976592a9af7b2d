package nfcapd

import "bytes"

const header3 = 12 // bytes before the elements of a version 3 record

// v3 reads a record of layout 2: a header, then elements of which each says its type and its length.
func (r *Reader) v3(record []byte, f *Flow) error {
	*f = Flow{}
	if len(record) < header3 {
		return r.wrong("a version 3 record of %d bytes, want %d at least", len(record), header3)
	}
	elements := int(le.Uint16(record[4:]))
	f.EngineType, f.EngineID = record[6], record[7]
	f.ExporterID = le.Uint16(record[8:])
	rest := record[header3:]
	for k := range elements {
		if len(rest) < 4 {
			return r.wrong("element %d of %d begins after the end of the record", k+1, elements)
		}
		id, length := le.Uint16(rest), int(le.Uint16(rest[2:]))
		if length < 4 || length > len(rest) {
			return r.wrong("element %d of type %d has %d bytes, the record has %d left", k+1, id, length, len(rest))
		}
		in := &fields{b: rest[4:length]}
		f.element(id, in)
		if in.short {
			return r.wrong("element %d of type %d has %d bytes, too few", k+1, id, length)
		}
		rest = rest[length:]
	}
	return nil
}

// element reads one element of a version 3 record; those that are not known are passed over.
func (f *Flow) element(id uint16, in *fields) {
	switch id {
	case 1:
		f.First, f.Last, f.Received = int64(in.count(true)), int64(in.count(true)), int64(in.count(true))
		f.Packets, f.Bytes = in.count(true), in.count(true)
		f.SrcPort, f.DstPort = le.Uint16(in.take(2)), le.Uint16(in.take(2))
		b := in.take(4)
		f.Proto, f.Flags, f.Forwarding, f.Tos = b[0], b[1], b[2], b[3]
	case 2:
		f.Src, f.Dst = address4(in.take(4)), address4(in.take(4))
	case 3:
		f.Src, f.Dst = address6(in.take(16)), address6(in.take(16))
	case 4:
		f.Input, f.Output = le.Uint32(in.take(4)), le.Uint32(in.take(4))
		b := in.take(4)
		f.SrcMask, f.DstMask, f.Direction, f.DstTos = b[0], b[1], b[2], b[3]
	case 5:
		f.Flows, f.OutPackets, f.OutBytes = in.count(true), in.count(true), in.count(true)
	case 6:
		f.SrcVLAN, f.DstVLAN = le.Uint32(in.take(4)), le.Uint32(in.take(4))
	case 7:
		f.SrcAS, f.DstAS = le.Uint32(in.take(4)), le.Uint32(in.take(4))
	case 8:
		f.BGPNextHop = address4(in.take(4))
	case 9:
		f.BGPNextHop = address6(in.take(16))
	case 10:
		f.NextHop = address4(in.take(4))
	case 11:
		f.NextHop = address6(in.take(16))
	case 12:
		f.Exporter = address4(in.take(4))
	case 13:
		f.Exporter = address6(in.take(16))
	case 14:
		for i := range f.MPLS {
			f.MPLS[i] = uint32(in.count(false))
		}
	case 15:
		f.InSrcMAC, f.OutDstMAC = in.count(true), in.count(true)
		f.InDstMAC, f.OutSrcMAC = in.count(true), in.count(true)
	case 17:
		f.ClientDelay, f.ServerDelay, f.AppDelay = in.count(true), in.count(true), in.count(true)
	case 28:
		text, _, _ := bytes.Cut(in.take(len(in.b)), []byte{0})
		f.Label = string(text)
	}
}
