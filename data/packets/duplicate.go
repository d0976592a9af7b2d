package packets

import (
	"encoding/binary"
	"math/bits"
)

// A packet that was captured twice, as at two ports of a switch, has the same bytes as one just before; a segment that
// was sent again has another identifier or comes later.
const (
	recentPackets = 5
	recentTime    = int64(50e6) // ns
)

// recentPacket is one of the latest packets.
type recentPacket struct {
	signature uint64
	time      int64
}

// twice counts the packet whose bytes b are if it is like one of the latest. Its first 64 bytes tell: among them are
// the identifier, the numbers of segments, and the checksum of what comes after.
func (d *Decoder) twice(b []byte) {
	s := signature(b)
	for i := range d.recent {
		if r := &d.recent[i]; r.signature == s && d.now-r.time <= recentTime && d.now >= r.time {
			d.Counts.Duplicates++
			break
		}
	}
	d.recent[d.Counts.Frames%recentPackets] = recentPacket{s, d.now}
}

// signature is a hash of the first 64 bytes and of the length.
func signature(b []byte) uint64 {
	n := uint64(len(b))
	if len(b) < 64 {
		var padded [64]byte
		copy(padded[:], b)
		b = padded[:]
	}
	le := binary.LittleEndian
	s := n * 0x9e3779b97f4a7c15
	for at := 0; at < 64; at += 16 {
		hi, lo := bits.Mul64(le.Uint64(b[at:])^0xa0761d6478bd642f, le.Uint64(b[at+8:])^0xe7037ed1a0b428db+uint64(at))
		s ^= hi ^ lo
	}
	return s
}
