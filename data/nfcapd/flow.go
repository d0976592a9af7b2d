package nfcapd

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Flow is one record. What a record does not hold is zero, as in nfdump's own output; an address is then not valid.
type Flow struct {
	First, Last, Received                    int64 // milliseconds since 1970
	Src, Dst                                 netip.Addr
	SrcPort, DstPort                         uint16 // of ICMP, DstPort holds the type times 256 plus the code
	Proto, Flags, Forwarding, Tos            uint8
	Packets, Bytes                           uint64 // of the direction in which the flow is recorded
	OutPackets, OutBytes                     uint64 // of the other one
	Flows                                    uint64 // that were aggregated
	Input, Output                            uint32 // interfaces
	SrcAS, DstAS                             uint32
	SrcMask, DstMask, DstTos, Direction      uint8
	NextHop, BGPNextHop, Exporter            netip.Addr
	SrcVLAN, DstVLAN                         uint32
	InSrcMAC, OutDstMAC, InDstMAC, OutSrcMAC uint64 // the low 48 bits
	MPLS                                     [10]uint32
	ClientDelay, ServerDelay, AppDelay       uint64 // microseconds
	EngineType, EngineID                     uint8
	ExporterID                               uint16
	Label                                    string
}

func address4(b []byte) netip.Addr {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], le.Uint32(b))
	return netip.AddrFrom4(a)
}

func address6(b []byte) netip.Addr {
	var a [16]byte
	binary.BigEndian.PutUint64(a[:], le.Uint64(b))
	binary.BigEndian.PutUint64(a[8:], le.Uint64(b[8:]))
	return netip.AddrFrom16(a)
}

// FlagText is TCP flags as nfdump writes them: CWR, ECE, URG, ACK, PSH, RST, SYN, FIN, a dot for each that is not set.
func FlagText(flags uint8) string {
	text := []byte("CEUAPRSF")
	for i := range text {
		if flags&(0x80>>i) == 0 {
			text[i] = '.'
		}
	}
	return string(text)
}

// MACText is a hardware address as nfdump writes it.
func MACText(mac uint64) string {
	text := make([]byte, 0, 17)
	const digits = "0123456789abcdef"
	for shift := 40; shift >= 0; shift -= 8 {
		b := byte(mac >> shift)
		text = append(text, digits[b>>4], digits[b&15], ':')
	}
	return string(text[:17])
}

// MPLSText is a label stack entry as nfdump writes it: label, experimental bits, bottom of stack.
func MPLSText(v uint32) string {
	text := strconv.AppendUint(nil, uint64(v>>4), 10)
	text = append(text, '-', '0'+byte(v>>1&7), '-', '0'+byte(v&1))
	return string(text)
}
