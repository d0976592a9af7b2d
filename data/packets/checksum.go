package packets

import (
	"encoding/binary"
	"math/bits"
)

// sum adds the one's complement sum of b (RFC 1071) to s. Eight bytes are added at a time, with the carry put back in;
// the byte order makes no difference to whether the sum is all ones.
func sum(b []byte, s uint64) uint64 {
	le := binary.LittleEndian
	var c uint64
	for len(b) >= 32 {
		s, c = bits.Add64(s, le.Uint64(b), 0)
		s, c = bits.Add64(s, le.Uint64(b[8:]), c)
		s, c = bits.Add64(s, le.Uint64(b[16:]), c)
		s, c = bits.Add64(s, le.Uint64(b[24:]), c)
		s, c = bits.Add64(s, 0, c)
		s += c
		b = b[32:]
	}
	for len(b) >= 8 {
		s, c = bits.Add64(s, le.Uint64(b), 0)
		s += c
		b = b[8:]
	}
	var last uint64
	if len(b) >= 4 {
		last = uint64(le.Uint32(b))
		b = b[4:]
	}
	var rest uint64
	if len(b) >= 2 {
		rest = uint64(le.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		rest += uint64(b[0])
	}
	s, c = bits.Add64(s, last+rest, 0)
	return s + c
}

// fold is the sum in 16 bits.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s>>16 + s&0xffff)
}
