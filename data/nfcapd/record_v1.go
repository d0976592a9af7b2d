package nfcapd

// Flags of common records.
const (
	flagIPv6 = 1 << iota
	flagPackets64
	flagBytes64
	flagNextHop6
	flagBGPNextHop6
	flagExporter6
)

// extensionMap remembers which extensions the records of a map carry, in order.
func (r *Reader) extensionMap(record []byte) error {
	if len(record) < 8 {
		return r.wrong("an extension map of %d bytes", len(record))
	}
	var ids []uint16
	for b := record[8:]; len(b) >= 2; b = b[2:] {
		id := le.Uint16(b)
		if id == 0 {
			break
		}
		ids = append(ids, id)
	}
	r.maps[le.Uint16(record[4:])] = ids
	return nil
}

// fields walks the fields of a record.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.short, f.b = true, nil
		return make([]byte, n)
	}
	out := f.b[:n]
	f.b = f.b[n:]
	return out
}

func (f *fields) count(wide bool) uint64 {
	if wide {
		return le.Uint64(f.take(8))
	}
	return uint64(le.Uint32(f.take(4)))
}

// common reads a common record of layout 1: type 1 with exporters of one byte, type 10 with exporters of two.
func (r *Reader) common(kind uint16, record []byte, f *Flow) error {
	*f = Flow{}
	head := 28
	if kind == 10 {
		head = 32
	}
	if len(record) < head {
		return r.wrong("a common record of %d bytes, want %d at least", len(record), head)
	}
	flags := le.Uint16(record[4:])
	if kind == 1 {
		flags = uint16(record[4])
		f.ExporterID = uint16(record[5])
	} else {
		f.ExporterID = le.Uint16(record[28:])
	}
	f.First = int64(le.Uint32(record[12:]))*1000 + int64(le.Uint16(record[8:]))
	f.Last = int64(le.Uint32(record[16:]))*1000 + int64(le.Uint16(record[10:]))
	f.Forwarding, f.Flags, f.Proto, f.Tos = record[20], record[21], record[22], record[23]
	f.SrcPort, f.DstPort = le.Uint16(record[24:]), le.Uint16(record[26:])
	rest := &fields{b: record[head:]}
	if flags&flagIPv6 != 0 {
		f.Src, f.Dst = address6(rest.take(16)), address6(rest.take(16))
	} else {
		f.Src, f.Dst = address4(rest.take(4)), address4(rest.take(4))
	}
	f.Packets = rest.count(flags&flagPackets64 != 0)
	f.Bytes = rest.count(flags&flagBytes64 != 0)
	id := le.Uint16(record[6:])
	extensions, known := r.maps[id]
	if !known {
		return r.wrong("extension map %d was not seen before it", id)
	}
	for _, e := range extensions {
		if !f.extension1(e, rest) {
			break // of an extension that is not known the length is not known either
		}
	}
	if rest.short {
		return r.wrong("%d bytes are too few for extensions %v", len(record), extensions)
	}
	return nil
}

// extension1 reads one extension of layout 1; false: it is not known.
func (f *Flow) extension1(id uint16, in *fields) bool {
	switch id {
	case 4:
		f.Input, f.Output = uint32(le.Uint16(in.take(2))), uint32(le.Uint16(in.take(2)))
	case 5:
		f.Input, f.Output = le.Uint32(in.take(4)), le.Uint32(in.take(4))
	case 6:
		f.SrcAS, f.DstAS = uint32(le.Uint16(in.take(2))), uint32(le.Uint16(in.take(2)))
	case 7:
		f.SrcAS, f.DstAS = le.Uint32(in.take(4)), le.Uint32(in.take(4))
	case 8:
		b := in.take(4)
		f.DstTos, f.Direction, f.SrcMask, f.DstMask = b[0], b[1], b[2], b[3]
	case 9:
		f.NextHop = address4(in.take(4))
	case 10:
		f.NextHop = address6(in.take(16))
	case 11:
		f.BGPNextHop = address4(in.take(4))
	case 12:
		f.BGPNextHop = address6(in.take(16))
	case 13:
		f.SrcVLAN, f.DstVLAN = uint32(le.Uint16(in.take(2))), uint32(le.Uint16(in.take(2)))
	case 14, 15:
		f.OutPackets = in.count(id == 15)
	case 16, 17:
		f.OutBytes = in.count(id == 17)
	case 18, 19:
		f.Flows = in.count(id == 19)
	case 20:
		f.InSrcMAC, f.OutDstMAC = in.count(true), in.count(true)
	case 21:
		f.InDstMAC, f.OutSrcMAC = in.count(true), in.count(true)
	case 22:
		for i := range f.MPLS {
			f.MPLS[i] = uint32(in.count(false))
		}
	case 23:
		f.Exporter = address4(in.take(4))
	case 24:
		f.Exporter = address6(in.take(16))
	case 25:
		b := in.take(4)
		f.EngineType, f.EngineID = b[2], b[3]
	case 26:
		in.take(8) // neighbouring autonomous systems
	case 27:
		f.Received = int64(in.count(true))
	default:
		return false
	}
	return true
}
