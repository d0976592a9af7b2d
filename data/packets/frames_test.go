package packets

import (
	"encoding/binary"
	"slices"
)

// Frames for tests, built from the standards by hand.

func be16(v ...uint16) (b []byte) {
	for _, x := range v {
		b = binary.BigEndian.AppendUint16(b, x)
	}
	return b
}

func be32(v ...uint32) (b []byte) {
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, x)
	}
	return b
}

// onesComplement is RFC 1071 two bytes at a time, apart from how the decoder does it.
func onesComplement(b []byte) uint16 {
	s := uint32(0)
	for i := 0; i < len(b); i += 2 {
		w := uint32(b[i]) << 8
		if i+1 < len(b) {
			w |= uint32(b[i+1])
		}
		s += w
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

var (
	host4  = []byte{10, 0, 0, 1}
	peer4  = []byte{192, 168, 1, 2}
	host6  = append([]byte{0x20, 1, 0xd, 0xb8}, slices.Concat(make([]byte, 11), []byte{1})...)
	peer6  = append([]byte{0x20, 1, 0xd, 0xb8}, slices.Concat(make([]byte, 11), []byte{2})...)
	header = slices.Concat([]byte{2, 0, 0, 0, 0, 2}, []byte{2, 0, 0, 0, 0, 1})
)

// v4 is an IPv4 packet. flags are those of the header with the fragment's offset.
func v4(proto byte, id, flags uint16, payload []byte) []byte {
	b := slices.Concat([]byte{0x45, 0x10}, be16(uint16(20+len(payload)), id, flags), []byte{63, proto, 0, 0}, host4, peer4)
	binary.BigEndian.PutUint16(b[10:], onesComplement(b))
	return append(b, payload...)
}

// v6 is an IPv6 packet; next is the first header after it.
func v6(next byte, payload []byte) []byte {
	return slices.Concat(be32(0x6<<28|0x12<<20|0x345), be16(uint16(len(payload))), []byte{next, 62}, host6, peer6, payload)
}

// pseudo is the sum over a pseudo header and a transport.
func pseudo(src, dst []byte, proto byte, payload []byte) uint16 {
	return onesComplement(slices.Concat(src, dst, be32(uint32(len(payload)), uint32(proto)), payload))
}

// udp4 is a UDP datagram within IPv4.
func udp4(src, dst uint16, data []byte) []byte {
	u := slices.Concat(be16(src, dst, uint16(8+len(data)), 0), data)
	binary.BigEndian.PutUint16(u[6:], pseudo(host4, peer4, UDP, u))
	return u
}

// tcpSegment is a SYN with MSS, window scale, SACK permitted and timestamps.
func tcpSegment(src, dst []byte) []byte {
	options := slices.Concat([]byte{2, 4, 5, 0xb4, 4, 2, 8, 10}, be32(7, 9), []byte{1, 3, 3, 7})
	t := slices.Concat(be16(1234, 80), be32(1000, 0), []byte{byte(20+len(options)) / 4 << 4, byte(SYN | ECE)},
		be16(64240, 0, 0), options, []byte("hi"))
	binary.BigEndian.PutUint16(t[16:], pseudo(src, dst, TCP, t))
	return t
}

func ether(typ uint16, payload []byte) []byte { return slices.Concat(header, be16(typ), payload) }
